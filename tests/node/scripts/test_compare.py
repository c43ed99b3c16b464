"""lib/compare.sh: the files of a change beside what it has written."""

from __future__ import annotations

import pytest

from tests.node.scripts.changes import FILES, SAVE, SWAP, FileChange
from tests.node.scripts.shell import Shell

EDITS = {
    "nothing": ("", ""),
    "an edited file": ("echo x >etc/config.toml", "config.toml"),
    "a file that is back": ("echo x >etc/certs.d/quay.io/hosts.toml", "certs.d/quay.io/hosts.toml"),
    "a file that is gone": ("rm etc/config.toml", "config.toml"),
    "a link": ("ln -sf /dev/null etc/config.toml", "config.toml"),
    "the old bytes beside it": ("echo new >etc/config.toml.fleet-r1", ""),
    "an edited old file beside it": ("echo x >etc/config.toml.fleet-r1", "config.toml"),
}


@pytest.mark.parametrize(("edit", "strange"), EDITS.values(), ids=EDITS)
def test_an_edit_since_the_change_is_found(shell: Shell, edit: str, strange: str) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f'{SAVE}{SWAP}{edit}\ncompare_files || printf "%s" "$strange"')

    assert done.output == (str(change.path(strange)) if strange else "")


def test_a_change_without_a_record_of_what_it_wrote_is_strange(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f'{SAVE}{SWAP}rm $KEPT/after; compare_files || printf "%s" "$strange"')

    assert done.output == str(shell.state / "generations/r1/after")
