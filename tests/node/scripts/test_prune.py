"""lib/prune.sh: old generations are merged or removed, and the original can still be restored."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.generation import Generation
from fleet.core.model.owned_state import STATE_FILE
from fleet.node.generations import GENERATIONS, read_generations
from tests.node.scripts.shell import Shell

OLD, NEW = "20200101", "20260101"
GIVEN = {"SINCE": "20251001", "ID": "r1"}


def name(number: int, day: str = OLD) -> str:
    return f"{day}-{number:06}-abcd"


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def record(generation: str) -> str:
    return f'{{\n  "generation": "{generation}"\n}}\n'


def save(folder: Path, before: str, files: dict[str, str | None]) -> None:
    """Save a generation of these files as a node does; `before` is the one before it."""
    (folder / "files").mkdir(parents=True)
    if before:
        files = {**files, STATE_FILE: record(before)}
        (folder / "state.json").write_text(record(before))
    manifest = ""
    for index, (path, text) in enumerate(files.items()):
        if text is None:
            manifest += f"absent\t-\t-\t-\t-\t-\t{path}\n"
            continue
        (folder / "files" / str(index)).write_text(text)
        manifest += f"file\t{index}\t644\t0\t0\t{digest(text)}\t{path}\n"
    manifest += f"newdir\t-\t-\t-\t-\t-\t/etc/{folder.name}\n"
    (folder / "manifest").write_text(manifest)
    (folder / "after").write_text(f"{digest(folder.name)}\t{STATE_FILE}\n")
    sealed = [each for each in ("manifest", "after", "state.json") if (folder / each).exists()]
    sums = "".join(f"{digest((folder / each).read_text())}  {each}\n" for each in sealed)
    (folder / "seal").write_text(f"{sums}# {digest(sums)}\n")


def chain(shell: Shell, names: list[str]) -> None:
    """Save a chain, the original first: each changes /etc/all and a file of its own."""
    before = ""
    for each in names:
        save(
            shell.state / "generations" / each,
            before,
            {"/etc/all": f"all before {each}\n", f"/etc/{each}.toml": None},
        )
        before = each
    (shell.state / "state.json").write_text(record(before))


def names(shell: Shell) -> list[str]:
    return sorted(path.name for path in (shell.state / "generations").iterdir())


def read(shell: Shell, *folders: str) -> list[Generation]:
    """Read generations as the probe sends them."""
    files = {
        f"{GENERATIONS}{path.relative_to(shell.state / 'generations')}": ManagedFile(
            path.read_bytes()
        )
        for path in (shell.state / "generations").rglob("*")
        if path.is_file()
    }
    return list(read_generations(folders, files))


def test_up_to_twenty_generations_are_kept_without_a_process(shell: Shell) -> None:
    own = [name(number) for number in range(20)]
    chain(shell, own)

    shell.output("prune", "(PATH=/nowhere; prune_generations)", **GIVEN)

    assert names(shell) == own


def test_young_generations_are_all_kept(shell: Shell) -> None:
    own = [name(number, NEW) for number in range(30)]
    chain(shell, own)

    shell.output("prune", "prune_generations", **GIVEN)

    assert names(shell) == own


def test_old_ones_are_merged_between_the_original_and_the_newest_twenty(shell: Shell) -> None:
    own = [name(number) for number in range(25)]
    chain(shell, own)

    shell.output("prune", "prune_generations", **GIVEN)

    merged = f"{own[4]}.pruned"
    assert names(shell) == [own[0], merged, *own[5:]]
    assert (shell.state / "generations" / merged / "state.json").read_text() == record(own[0])
    (generation,) = read(shell, merged)
    before = {entry.path: entry.before for entry in generation.entries if entry.is_file}
    assert generation.damage == ""
    assert before["/etc/all"] == ManagedFile(f"all before {own[1]}\n".encode())
    assert {path for path in before if path.endswith("-abcd.toml")} == {
        f"/etc/{each}.toml" for each in own[1:5]
    }
    assert {entry.path for entry in generation.entries if entry.directory} == {
        f"/etc/{each}" for each in own[1:5]
    }


def test_a_second_pruning_merges_into_the_first(shell: Shell) -> None:
    own = [name(number) for number in range(24)]
    chain(shell, own)
    shell.output("prune", "prune_generations", **GIVEN)
    for number in (24, 25):
        before = own[-1]
        own.append(name(number))
        save(shell.state / "generations" / own[-1], before, {"/etc/new": None})
        (shell.state / "state.json").write_text(record(own[-1]))

    shell.output("prune", "prune_generations", **GIVEN)

    merged = f"{own[5]}.pruned"
    assert names(shell) == [own[0], merged, *own[6:]]
    (generation,) = read(shell, merged)
    files = {entry.path for entry in generation.entries if entry.is_file}
    assert generation.damage == ""
    assert files == {"/etc/all", STATE_FILE, *(f"/etc/{each}.toml" for each in own[1:6])}


@pytest.mark.parametrize("what", ["seal", "manifest"])
def test_a_damaged_generation_ends_the_merge(shell: Shell, what: str) -> None:
    own = [name(number) for number in range(25)]
    chain(shell, own)
    (shell.state / "generations" / own[2] / what).write_text("odd\n")

    shell.output("prune", "prune_generations || :", **GIVEN)

    assert [each for each in names(shell) if each != ".merged"] == own


def test_a_chain_with_a_hole_is_left_alone(shell: Shell) -> None:
    own = [name(number) for number in range(25)]
    chain(shell, own)
    (shell.state / "generations" / own[3]).rename(shell.state / "gone")

    shell.output("prune", "prune_generations", **GIVEN)

    assert names(shell) == [each for each in own if each != own[3]]


def test_old_generations_beside_the_chain_are_removed(shell: Shell) -> None:
    own = [name(number, NEW) for number in range(30)]
    chain(shell, own)
    beside = [f"{name(99)}-displaced", name(98), name(97, NEW)]
    for each in beside:
        save(shell.state / "generations" / each, "", {"/etc/all": "x"})

    shell.output("prune", "prune_generations", **GIVEN)

    assert names(shell) == sorted([*own, beside[2]])


def test_what_a_killed_pruning_has_left_is_removed(shell: Shell) -> None:
    own = [name(number) for number in range(25)]
    chain(shell, own)
    stop = "text_with_lines() { return 0; }"
    shell.output("prune", f"{stop}; prune_generations", **GIVEN)
    assert len(names(shell)) == 26

    shell.output("prune", "prune_generations", **GIVEN)

    assert names(shell) == [own[0], f"{own[4]}.pruned", *own[5:]]
