"""lib/change.sh: the paths of one change."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

PATHS = {
    "/etc/containerd/config.toml": "/etc/containerd|/etc/containerd/.fleet-r1.config.toml",
    "/top": "|/.fleet-r1.top",
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_siblings_lie_in_the_folder_of_the_file(shell: Shell, path: str, expected: str) -> None:
    code = 'change_siblings; printf \'%s|%s|%s|%s\' "$folder" "$staged" "$back" "$aside"'

    found = shell.output("change", code, ID="r1", path=path)

    folder, hidden = expected.split("|")
    assert found == f"{folder}|{hidden}.new|{hidden}.back|{path}.fleet-r1"


def test_a_change_has_a_generation_and_a_stage(shell: Shell) -> None:
    found = shell.output("change", 'printf "%s|%s" "$KEPT" "$STAGE"', ID="r1", path="/x")

    assert found == f"{shell.state}/generations/r1|{shell.run_folder}/stage-r1"
