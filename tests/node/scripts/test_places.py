"""lib/places.sh: paths as Go cleans them, and those that hosts.toml files name."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

CLEAN = {
    "/a/b": "/a/b",
    "/a//b/": "/a/b",
    "/a/./b": "/a/b",
    "/a/../b": "/b",
    "/..": "/",
    "/a/b/../../c": "/c",
    "/a b/*/../[x]": "/a b/[x]",
}


@pytest.mark.parametrize(("path", "expected"), CLEAN.items())
def test_a_path_is_cleaned_as_go_does_it(shell: Shell, path: str, expected: str) -> None:
    code = 'places_clean "$path"; printf "%s" "$whole"'

    assert shell.output("places", code, path=path) == expected


def test_a_path_is_added_with_all_above_it_once(shell: Shell) -> None:
    (shell.folder / "a/b").mkdir(parents=True)
    base = shell.folder
    code = f"places_add_with_parents {base}/a/b; places_add_with_parents {base}/a\n"

    found = shell.output("places", f'{code}printf "%s" "$PLACES"').splitlines()

    assert found[:3] == [f"{base}/a/b", f"{base}/a", str(base)]
    assert found.count(str(base)) == 1


def test_what_hosts_files_name_is_added(shell: Shell) -> None:
    certificate = shell.folder / "ca.crt"
    certificate.write_text("x")
    hosts = shell.folder / "hosts.toml"
    hosts.write_text(f"ca = \"{certificate}\"\nclient = '/nowhere'\nrelative = 'ca.crt'\n")
    code = f'report_file {hosts}; places_add_named; printf "places\\t=%s\\n" "${{PLACES%$NL}}"'

    assert shell.run("places", code).reply.value("places") == str(certificate)


def test_no_more_than_stat_can_take_is_added(shell: Shell) -> None:
    (shell.folder / "a").mkdir()

    done = shell.run("places", 'PLACED=399999; places_add a; places_note; printf "%s" "$PLACES"')

    assert done.output == "places_left\t=1\n"
