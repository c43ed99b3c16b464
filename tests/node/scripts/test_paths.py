"""lib/paths.sh: fleet's own places, and who may read what is made there."""

from __future__ import annotations

from tests.node.scripts.shell import Shell


def test_files_are_for_root_alone(shell: Shell) -> None:
    shell.output("paths", ": >made")

    assert (shell.folder / "made").stat().st_mode & 0o777 == 0o600


def test_all_places_are_below_the_folders_of_fleet_or_of_systemd(shell: Shell) -> None:
    names = ["STATE", "PENDING", "LAST", "RUN", "LOCK", "GUARD_UNIT", "GUARD_WANTED"]
    code = "".join(f'printf "%s\\n" "${name}"\n' for name in names)

    found = shell.output("paths", code).split()

    bases = [shell.state] * 3 + [shell.run_folder] * 2 + [shell.units] * 2
    assert [path.startswith(str(base)) for path, base in zip(found, bases, strict=True)] == (
        [True] * 7
    )
    assert len(set(found)) == 7
