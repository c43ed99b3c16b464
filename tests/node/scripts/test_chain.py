"""lib/chain.sh: the links of the chain of generations."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

GIVEN = {"STATE": "/var/lib/fleet"}
RECORDS = {
    "a name": ('{\n  "generation": "g1",\n  "files": {}\n}\n', "g1"),
    "no name": ('{\n  "generation": null\n}\n', ""),
    "a path": ('{\n  "generation": "../x"\n}\n', ""),
    "a hidden name": ('{\n  "generation": ".merged"\n}\n', ""),
    "no record": ("", ""),
}


@pytest.mark.parametrize(("text", "name"), RECORDS.values(), ids=RECORDS)
def test_a_link_is_read_from_a_record(shell: Shell, text: str, name: str) -> None:
    record = shell.folder / "state.json"
    if text:
        record.write_text(text)

    told = shell.output("chain", f'chain_read_link {record}; printf %s "$linked"', **GIVEN)

    assert told == name


@pytest.mark.parametrize("merged", [False, True])
def test_merged_generations_are_found_under_their_own_name(shell: Shell, merged: bool) -> None:
    (shell.state / "generations" / f"g1{'.pruned' if merged else ''}").mkdir(parents=True)
    given = {"STATE": str(shell.state)}

    told = shell.output("chain", 'linked=g1; chain_find_folder; printf %s "$linked"', **given)

    assert told == ("g1.pruned" if merged else "g1")
