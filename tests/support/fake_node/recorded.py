"""The answers of a real release's commands, from the probe recorded on a node of its suite."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.features import Feature, supports
from fleet.core.failure import Step
from fleet.core.model.version import parse_version
from fleet.node.script import Reply, parse_reply
from tests.node.record import ANSWERS


@dataclass(frozen=True, slots=True)
class Recorded:
    """The files and answers of one suite."""

    os_release: str
    config: str
    defaults: Mapping[str, Any]
    """The merged config that the suite's own config.toml gives."""
    ctr_version: str
    info: str
    version: str
    reads_hosts: bool


@functools.cache
def recorded(suite: str) -> Recorded:
    """Read what was recorded on a suite's node."""
    reply = parse_reply(Step.PROBE, 0, (ANSWERS / f"{suite}.txt").read_text(), "")
    os_release, mark, config = reply.value("contents").partition("\nversion = 2\n")
    assert mark, "config.toml follows os-release"
    ctr = _answer(reply, "ctr")
    version = ctr.split("Version:")[1].split()[0]
    parsed = parse_version(version)
    assert parsed is not None
    return Recorded(
        os_release=f"{os_release}\n",
        config=f"{mark[1:]}{config}",
        defaults=tomllib.loads(_answer(reply, "dump")),
        ctr_version=ctr,
        info=_answer(reply, "info"),
        version=version,
        reads_hosts=supports(parsed, Feature.CONFIG_PATH),
    )


def _answer(reply: Reply, key: str) -> str:
    return reply.value(key).rpartition("\nrc ")[0]
