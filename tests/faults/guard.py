"""Faults of the guard and of fleet's own scripts on the node: killed by a hand or by the kernel."""

from __future__ import annotations

from tests.faults.broken import end
from tests.faults.edits import left_to_its_guard
from tests.faults.lane import Lane
from tests.support.hands import KILL_GUARD, acting

_COMMANDS = ("mv", "cp", "sync", "chmod", "chown", "stat", "sha256sum", "systemctl")
_ENDS = (
    KILL_GUARD,
    f"{KILL_GUARD.replace('-9', '-15')}; {KILL_GUARD}",
    "systemctl kill -s KILL 'fleet-guard-*.service'",
)
# Everything of a script goes at once, as where the kernel ends a whole group for its memory.
_SCRIPTS = """
for each in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <$each/cmdline 2>/dev/null) in
    'sh -s ' | *'timeout '*' sh -s ') kill -9 "${each#/proc/}" ;;
    esac
done 2>/dev/null
true
"""


def killed(lane: Lane) -> list[int]:
    """Kill the guard in its restore, at a command of its own; it is tried again."""
    command, ending = lane.dice.choice(_COMMANDS), lane.dice.choice(_ENDS)
    restoring = "grep -q reverting /var/lib/fleet/pending/phase 2>/dev/null"
    with acting(lane.node, command, "*", ending, restoring):
        codes = left_to_its_guard(lane)
        lane.quiet()
    return [*codes, *lane.go_on()] if lane.dice.random() < 0.5 else codes


def out_of_memory(lane: Lane) -> list[int]:
    """Kill fleet's scripts on the node at a random instant, with all that they have begun."""
    running = lane.start()
    lane.instant(running)
    lane.node.sh(_SCRIPTS)
    return [end(running), *lane.go_on()]
