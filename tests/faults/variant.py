"""Faults that a node has from the start: another old state, from which the change begins."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.broken import end
from tests.faults.lane import Lane, UnsettledError
from tests.faults.node import Around

_PATIENCE = 150
"""Seconds that a call may take; far more than any of them needs beside seven others."""
WITH_FOLDERS = frozenset({"bookworm", "trixie", "forky"})
"""The suites whose containerd knows config_path; the other has no registry folders."""


@dataclass(frozen=True)
class Variant:
    """What is done to a node before a try, and how it is undone."""

    name: str
    change: str
    undo: str
    refused: bool = False
    """Whether fleet refuses the change of such a node: it stays as it is."""
    overwrite: bool = False
    suites: frozenset[str] = frozenset({"bullseye", *WITH_FOLDERS})


@contextmanager
def altered(lane: Lane, variant: Variant) -> Iterator[None]:
    """Let a variant be the node's old state in a try; learn what a change makes of it."""
    lane.bring("old")
    before, mirrors = lane.old, lane.mirrors
    lane.node.sh(variant.change)
    lane.old = lane.state()
    lane.flags = ("--overwrite",) if variant.overwrite else ()
    try:
        if variant.refused:
            lane.mirrors = variant.name
        else:
            lane.new.pop(variant.name, None)  # the same variant with another text
            lane.learn(variant.name)
            lane.mirrors = variant.name
            lane.bring(lane.dice.choice(("old", "new")))
        yield
        lane.bring("old")
    finally:
        lane.node.sh(variant.undo)
        lane.old, lane.mirrors, lane.flags = before, mirrors, ()
    if lane.state() != before:
        raise UnsettledError(f"{lane.node.name}: {variant.name} was not undone")


def one_of(lane: Lane, variants: tuple[Variant, ...]) -> Variant:
    """Choose a variant that a node of this suite can have."""
    return lane.dice.choice([each for each in variants if lane.node.suite in each.suites])


def with_one_of(variants: tuple[Variant, ...]) -> Around:
    """Return a context that makes one of some variants the old state of a node."""

    @contextmanager
    def around(lane: Lane) -> Iterator[None]:
        with altered(lane, one_of(lane, variants)):
            yield

    return around


def broken_or_not(lane: Lane) -> list[int]:
    """Take the node to its other state; in half of the tries kill fleet on the way, and resume."""
    running = lane.start()
    if lane.dice.random() < 0.5:
        return [answered(running)]
    lane.instant(running)
    running.kill()
    end(running)
    return lane.go_on()


def answered(running: subprocess.Popen[str]) -> int:
    """Wait for the end of a call that must find an answer of its own to whatever it meets."""
    out, told = running.communicate(timeout=_PATIENCE)
    for word in ("Traceback", "a bug in fleet", '"kind": "bug"'):
        if word in out + told:
            raise AssertionError(f"{word}: {told[-2000:]}{out[-2000:]}")
    return running.returncode
