"""Saved generations as the probe sends them: read whole, or named for what of them is damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.generation import (
    TOO_MANY,
    Generation,
    ManifestEntry,
    SavedEdit,
    SavedKind,
    find_unusable,
)
from fleet.core.model.owned_state import OwnedState
from fleet.node.generations import GENERATIONS, read_generations, read_saved_edits

BASE = f"{GENERATIONS}g1/"
STATE = "/var/lib/fleet/state.json"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def saved() -> dict[str, bytes]:
    """Return a generation as a node saves it."""
    manifest = (
        f"file\t0\t640\t1000\t0\t{digest(b'old')}\t/etc/a/hosts.toml\n"
        f"absent\t-\t-\t-\t-\t-\t{STATE}\n"
        "newdir\t-\t-\t-\t-\t-\t/etc/b\n"
        "folder\t-\t-\t-\t-\t-\t/etc/a\n"
        "link\t0\t-\t-\t-\t-\t/etc/a/hosts.toml\n"
    ).encode()
    files = {"manifest": manifest, "after": b"", "state.json": b"{}\n"}
    sums = "".join(f"{digest(content)}  {name}\n" for name, content in files.items()).encode()
    return {**files, "files/0": b"old", "seal": sums + b"# " + digest(sums).encode() + b"\n"}


def read(files: dict[str, bytes]) -> Generation:
    (found,) = read_generations(
        ["g1"], {f"{BASE}{name}": ManagedFile(content) for name, content in files.items()}
    )
    return found


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("symlink\t3\t777\t0\t5\t@../x.toml\t/etc/a/hosts.toml\n", True),
        ("symlink\t3\t777\t0\t5\t../x.toml\t/etc/a/hosts.toml\n", False),
        ("symlink\t3\t777\t0\t5\t@a b\t/etc/a/hosts.toml\n", False),
        ("symlink\t3\t-\t0\t5\t@../x.toml\t/etc/a/hosts.toml\n", False),
    ],
)
def test_a_saved_link_is_read_with_its_target(line: str, known: bool) -> None:
    found = read({"manifest": line.encode()})

    link = ManagedFile(b"", 0o777, 0, 5, link="../x.toml")
    kept = (ManifestEntry("/etc/a/hosts.toml", link, saved=f"{BASE}links/3"),)
    assert (found.entries, found.damage) == ((kept, "") if known else ((), "manifest"))


def test_a_generation_is_read_line_by_line() -> None:
    path = "/etc/a/hosts.toml"

    assert read(saved()).entries == (
        ManifestEntry(path, ManagedFile(b"old", 0o640, 1000, 0), saved=f"{BASE}files/0"),
        ManifestEntry(STATE, None),
        ManifestEntry("/etc/b", None, directory=True),
        ManifestEntry("/etc/a", None, copied=SavedKind.FOLDER, saved=f"{BASE}folders/etc/a"),
        ManifestEntry(path, None, copied=SavedKind.LINK, saved=f"{BASE}links/0"),
    )


HARMS: dict[str, Callable[[bytes], bytes | None]] = {
    "empty": lambda _: b"",
    "cut": lambda content: content[:-1],
    "changed": lambda content: content[:-1] + b"?",
    "missing": lambda _: None,
}
DAMAGE = [
    (name, harm)
    for name in ("manifest", "after", "state.json", "files/0", "seal")
    for harm in HARMS
    # An empty file cannot be harmed so; older releases saved no seal.
    if (name, harm) not in {("after", "empty"), ("after", "cut"), ("seal", "missing")}
]


@pytest.mark.parametrize(("name", "harm"), DAMAGE)
def test_damage_is_named_and_nothing_of_it_is_relied_on(name: str, harm: str) -> None:
    files = saved()
    harmed = HARMS[harm](files.pop(name))
    if harmed is not None:
        files[name] = harmed

    found = read(files)

    assert (found.damage, found.entries) == (name, ())


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"file\n",
        b"file\t0\t8\t0\t0\tx\t/etc/a\n",
        b"file\t0\t\xff\t0\t0\t" + digest(b"old").encode() + b"\t/etc/a\n",
        b"file\t0\t640\t" + b"9" * 5000 + b"\t0\t" + digest(b"old").encode() + b"\t/etc/a\n",
        b"absent\t-\t-\t-\t-\t-\t/etc/a",
        b"strange\t-\t-\t-\t-\t-\t/etc/a\n",
        b"absent\t-\t-\t-\t-\t-\tetc/a\n",
    ],
)
def test_a_generation_of_an_older_release_has_no_seal_and_is_read_with_care(
    manifest: bytes,
) -> None:
    whole = {name: content for name, content in saved().items() if name != "seal"}

    assert read(whole).damage == ""
    assert read({**whole, "manifest": manifest}).damage != ""


def sent(**generations: dict[str, bytes]) -> dict[str, ManagedFile]:
    """Return the files of generations as the probe sends them."""
    return {
        f"{GENERATIONS}{name}/{path}": ManagedFile(content)
        for name, files in generations.items()
        for path, content in files.items()
    }


def test_only_the_oldest_copy_of_a_path_has_to_be_read() -> None:
    newer = {name: content for name, content in saved().items() if name != "files/0"}

    g2, g1 = read_generations(["g2", "g1"], sent(g2=newer, g1=saved()))
    (alone,) = read_generations(["g2"], sent(g2=newer))

    assert (g2.damage, g1.damage, alone.damage) == ("", "", "files/0")
    path = "/etc/a/hosts.toml"
    copy = f"{GENERATIONS}g2/files/0"
    assert g2.entries[0] == ManifestEntry(path, None, saved=copy, unread=True)
    assert g1.entries == read(saved()).entries
    assert find_unusable([g2, g1]) is None
    needless = find_unusable([g2])
    assert needless is not None
    assert (needless.id, needless.damage) == ("g2", copy)


def test_a_node_with_too_many_saved_files_is_not_called_damaged() -> None:
    cut = {name: content for name, content in saved().items() if name != "files/0"}

    found = read_generations(["g3", "g2", "g1"], sent(g3=saved(), g2=cut), crowded=True)

    assert [one.damage for one in found] == ["", TOO_MANY, TOO_MANY]


def test_a_generation_names_the_one_before() -> None:
    """Older releases wrote no seal, so their record can stand alone here."""
    whole = {name: content for name, content in saved().items() if name != "seal"}

    assert read(whole).previous == ""
    assert read({**whole, "state.json": OwnedState("g0").render()}).previous == "g0"


def test_the_generation_before_is_known_though_the_link_to_it_is_lost() -> None:
    record = OwnedState("g0").render()
    manifest = f"file\t0\t600\t0\t0\t{digest(record)}\t{STATE}\n".encode()

    assert read({"manifest": manifest, "files/0": record}).previous == "g0"


def test_a_generation_of_the_chain_that_is_gone_is_damaged() -> None:
    (gone,) = read_generations(["g1"], {})

    assert (gone.missing, gone.entries) == (True, ())
    assert read_generations(["g1"], {}, beside=True) == ()


def test_saved_edits_are_read_with_their_copies() -> None:
    lines = ["d /copy/0 /etc/a b", "@x /copy/1 /etc/c", "cut", "d /copy/2"]

    assert list(read_saved_edits(lines)) == [
        SavedEdit("/etc/a b", "/copy/0", "d"),
        SavedEdit("/etc/c", "/copy/1", "@x"),
    ]
