"""The fake node itself: its config as the real releases merge it, and machines that refuse it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.core.containerd.registry_settings import effective
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.model.version import parse_version
from fleet.core.text.documents import parse_toml
from tests.contract.target import CONFIG, Target
from tests.golden.inputs import STARTS
from tests.golden.test_golden import judges
from tests.support.fake_node import FakeNode, FakeNodeError
from tests.support.fake_node.recorded import recorded

MERGED = (
    "as Debian ships it",
    "cgroup driver and pause image",
    "legacy mirrors",
    "legacy mirrors with credentials and headers",
    "a legacy wildcard",
)


@pytest.mark.node
@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie", "forky"])
def test_the_fake_merges_a_config_as_its_release_does(
    suite: str, fakes: Callable[..., list[Target]]
) -> None:
    machine = fakes(suite)[0].machine
    version = recorded(suite).version
    judge = next(judge for name, judge in judges().items() if version.startswith(name))
    fake, real = {}, {}
    for name in MERGED:
        text = STARTS[name][CONFIG]
        machine.sh(f"printf %s {shlex.quote(text)} >{CONFIG}")
        fake[name] = _settings(version, machine.sh("containerd config dump").stdout)
        real[name] = _settings(version, judge.dump({CONFIG: text.encode()}, CONFIG).text)

    assert fake == real


def _settings(version: str, dump: str) -> dict[str, Any]:
    """Return the registry settings of a dump that have a value."""
    parsed = parse_version(version)
    assert parsed is not None
    return effective(parsed, effective_registry(parse_toml(dump)))


def test_a_machine_that_grants_no_namespace_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "unshare"
    command.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(FakeNodeError) as raised:
        FakeNode("trixie1", "trixie")

    assert "unshare: Operation not permitted" in str(raised.value)
    assert "or run the tests as root" in str(raised.value)


def test_a_machine_without_the_commands_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(FakeNodeError, match=r"needs unshare, nsenter.*; install util-linux"):
        FakeNode("trixie1", "trixie")
