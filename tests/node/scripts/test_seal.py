"""lib/seal.sh: a generation that is not as it was saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.scripts.shell import Shell, digest

GIVEN = {"ID": "r1", "path": ""}
INTACT = 'seal_is_intact "$KEPT" && printf intact || printf "%s" "$damage"'


def generation(shell: Shell) -> Path:
    """Return the folder of a generation with one file."""
    folder = shell.state / "generations/r1"
    (folder / "files").mkdir(parents=True)
    (folder / "files/0").write_text("x")
    (folder / "manifest").write_text(f"file\t0\t644\t0\t0\t{digest('x')}\t/etc/x\n")
    (folder / "after").write_text("")
    return folder


def test_a_generation_is_intact_as_it_was_sealed(shell: Shell) -> None:
    generation(shell)

    assert shell.output("seal change", f'seal_write "$KEPT"; {INTACT}', **GIVEN) == "intact"


@pytest.mark.parametrize("name", ["manifest", "after", "seal", "state.json"])
def test_damage_is_named(shell: Shell, name: str) -> None:
    folder = generation(shell)
    (folder / "state.json").write_text("{}")

    shell.output("seal change", 'seal_write "$KEPT"', **GIVEN)
    (folder / name).write_text("0")

    assert shell.output("seal change", INTACT, **GIVEN) == name


@pytest.mark.parametrize(("manifest", "expected"), [("x", "intact"), ("", "manifest")])
def test_a_generation_of_an_older_release_has_no_seal(
    shell: Shell, manifest: str, expected: str
) -> None:
    (generation(shell) / "manifest").write_text(manifest)

    assert shell.output("seal change", INTACT, **GIVEN) == expected
