"""The flags of commands that change nodes: a --soak that is given, and a cluster."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from fleet.cli.change_options import changing_nodes


@pytest.mark.parametrize(
    ("words", "lag"),
    [((), None), (("--soak", "0"), 0), (("--soak", "6"), 6), (("--soak", "90"), 40)],
)
def test_a_given_soak_shortens_the_time_for_ready(words: tuple[str, ...], lag: int | None) -> None:
    seen: list[dict[str, Any]] = []

    @click.command()
    @changing_nodes
    def change(**flags: Any) -> None:
        seen.append(flags)

    assert CliRunner().invoke(change, words).exit_code == 0
    assert seen[0].get("ready_lag") == lag
