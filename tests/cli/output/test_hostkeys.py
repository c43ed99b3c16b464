"""Host keys: a table, advice on keys that are not as known, and the same as data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fleet.cli.output.hostkeys import print_keys_data, show_keys
from fleet.core.failure import Failure, FailureKind, Step
from fleet.ssh.hostkey_scan import HostKey
from tests.support.settings import WIDE

KEY = HostKey("w1.example", "ssh-ed25519", "SHA256:abc", "known", "line", "/known")
CHANGED = replace(KEY, state="changed", before="/known:7")
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")


def shown(capsys: pytest.CaptureFixture[str], **results: HostKey | Failure) -> list[str]:
    show_keys(results, WIDE)
    return capsys.readouterr().out.splitlines()


def test_every_key_is_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    _, first, second, failure, remedy = shown(capsys, w1=KEY, w2=LOST)

    assert first.split() == ["w1", "known", "ssh-ed25519", "SHA256:abc", "w1.example"]
    assert second.split() == ["w2", "unreachable"]
    assert failure.startswith("w2: timed out")
    assert remedy == "  remedy: try again"


@pytest.mark.parametrize("state", ["changed", "revoked", "certified"])
def test_a_key_that_is_not_as_known_comes_with_advice(
    capsys: pytest.CaptureFixture[str], state: str
) -> None:
    lines = shown(capsys, w1=replace(CHANGED, state=state))

    assert lines[2].startswith("w1: ")
    assert "/known:7" in lines[2]


@pytest.mark.parametrize(("state", "compare"), [("unknown", True), ("known", False)])
def test_keys_that_can_be_added_are_to_be_compared_first(
    capsys: pytest.CaptureFixture[str], state: str, *, compare: bool
) -> None:
    lines = shown(capsys, w1=replace(KEY, state=state))

    assert any("compare the fingerprints" in line for line in lines) is compare


def test_keys_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    print_keys_data({"w1": KEY, "w2": LOST}, {}, ["w1.example"])

    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["nodes"]
    assert data["nodes"]["w1"] == {
        "name": "w1.example",
        "kind": "ssh-ed25519",
        "fingerprint": "SHA256:abc",
        "state": "known",
        "line": "line",
        "file": "/known",
        "before": "",
        "added": True,
        "failure": None,
    }
    assert data["nodes"]["w2"]["state"] == "unreachable"


def test_jump_hosts_have_a_part_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    print_keys_data({"w1": KEY}, {"ops@one:22": KEY}, [])

    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["nodes", "jumps"]
    assert data["jumps"]["ops@one:22"]["added"] is False
