"""An explanation of one registry: what decides, which hosts are asked, and what a failure does."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.explain import show_explanation
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.lint.explain import Explanation, Folder, HostRequest
from tests.support.settings import JSON, TEXT

EXPLANATION = Explanation(
    registry="docker.io",
    version="1.7.24",
    way="certs.d",
    decides="/etc/containerd/config.toml:3",
    folders=(Folder("/etc/certs.d/docker.io", "used"), Folder("/etc/certs.d/_default", "absent")),
    hosts=(
        HostRequest(
            "https://m.example", ("pull", "resolve"), "/h.toml:2", "no TLS", "https://m/v2"
        ),
    ),
    failures=(("is down", "the next one is asked"),),
    findings=("something\x1b odd",),
)
FAILURE = Failure(FailureKind.UNSUPPORTED, Step.EXPLAIN, "no containerd answers here", "try again")


def test_an_explanation_is_read_from_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation("w1", EXPLANATION, TEXT)

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "w1: docker.io by containerd 1.7.24: certs.d",
        "decided at /etc/containerd/config.toml:3",
    ]
    assert [line.split() for line in lines[3:5]] == [
        ["/etc/certs.d/docker.io", "used"],
        ["/etc/certs.d/_default", "absent"],
    ]
    assert lines[6].split() == ["1", "https://m/v2", "pull", "resolve", "/h.toml:2", "no", "TLS"]
    assert lines[8].split("  ")[0].startswith("is down")
    assert lines[9] == r"note: something\x1b odd"


def test_an_explanation_without_folders_has_no_table_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = Explanation(registry="quay.io", version="2.1.0", way="nothing", decides="nowhere")

    show_explanation("w1", plain, TEXT)

    assert "FOLDER" not in capsys.readouterr().out


def test_a_failure_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation("w1", FAILURE, TEXT)

    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("w1: no containerd answers here")


def test_an_explanation_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation("w1", EXPLANATION, JSON)

    data = json.loads(capsys.readouterr().out)
    assert (data["node"], data["registry"], data["way"]) == ("w1", "docker.io", "certs.d")
    assert data["folders"][0] == {"path": "/etc/certs.d/docker.io", "state": "used"}
    assert data["hosts"][0]["asks"] == "https://m/v2"


def test_a_failure_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation("w1", FAILURE, JSON)

    data = json.loads(capsys.readouterr().out)
    assert (data["node"], data["failure"]["kind"]) == ("w1", "unsupported")
