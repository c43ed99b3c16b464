"""What every command prints with --json fits its published schema, on real nodes."""

from __future__ import annotations

import signal

import pytest

from fleet.cli.output.json_schema import OUTPUTS
from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.schemas import fits

pytestmark = pytest.mark.e2e
ONE = ("-l", "forky1")
QUICK = ("-y", "--soak", "0", "--no-verify")


def test_the_answers_of_all_commands_fit_their_schemas(nodes: Lab, fleet: Fleet) -> None:
    fleet.edit(
        "inventory.yaml", "    trixie1:", "    lost1: {host: 127.0.0.1, port: 1}\n        trixie1:"
    )
    calls: list[tuple[str, ...]] = [
        ("init",),
        ("check",),
        ("schema", "output", "rollout"),
        ("inventory",),
        ("probe",),
        ("render", "--containerd", "1.7.24", "--out", "out"),
        ("diff",),
        ("rollout", "--dry-run"),
        ("rollout", *QUICK, *ONE),
        ("verify", *ONE),
        ("drift", "-x", "bullseye1"),
        ("explain", "forky1", "docker.io"),
        ("explain", "lost1", "docker.io"),
        ("hostkeys",),
        ("run", "-x", "bullseye1", "--", "id"),
        ("locks", "-l", "forky1:lost1"),
        ("rollback", "--dry-run", *ONE),
        ("rollback", "-y", "--soak", "0", *ONE),
        ("undo", "--dry-run"),
        ("remove", "--dry-run", *ONE),
        ("completion", "bash"),
        ("unlock", "nobody", "-y", "-l", "forky1:lost1"),
        ("mirrors", "test", *ONE),
        ("man", "pages"),
        ("history",),
    ]
    seen = set()
    for words in calls:
        ran = fleet("--json", *words)
        assert "error" not in ran.json, words
        fits(words[0], ran.json)
        seen.add(words[0])
    fits("history", fleet("history", "--node", "forky1", "--json").json)
    last = fleet("history", "--json").json["rollouts"][0]["rollout"]
    fits("history", fleet("history", last, "--json").json)
    fits("report", fleet("report", last, "--json").json)
    fits("resume", interrupted_and_resumed(fleet))

    assert seen | {"report", "resume"} == set(OUTPUTS)


def interrupted_and_resumed(fleet: Fleet) -> object:
    words = ("-l", "forky1:trixie1", "--batch", "1", *QUICK)
    with fleet.start("rollout", *words) as running:
        assert running.stderr is not None
        while "[batch 1" not in running.stderr.readline():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=120)
    assert running.returncode == 130
    return fleet("resume", "-y", "--json").json
