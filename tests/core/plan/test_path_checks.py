"""Paths that a change cannot replace and restore whole: refused by name, with what to do."""

from __future__ import annotations

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts, PathFacts
from fleet.core.model.mirror import Foreign
from fleet.core.model.paths import Kind, PathEntry
from fleet.core.plan.path_checks import refuse_odd

HOSTS = "/etc/containerd/certs.d"
PATH = f"{HOSTS}/docker.io/hosts.toml"
NEW = Change(PATH, None, ManagedFile(b"new"))
EDIT = Change(PATH, ManagedFile(b"old"), ManagedFile(b"new"))


def place(kind: Kind, **more: object) -> PathEntry:
    return PathEntry(kind=kind, device=1, inode=2, **more)  # type: ignore[arg-type]


def refusal(change: Change, places: dict[str, PathEntry], **more: object) -> str:
    """Return why a change is refused; empty where it is not."""
    files = {change.path: change.before} if change.before else {}
    facts = NodeFacts(files=files, paths=PathFacts(entries=places, directories=frozenset({HOSTS})))
    try:
        refuse_odd(facts, [change], **more)  # type: ignore[arg-type]
    except NodeError as error:
        return error.failure.message
    return ""


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({PATH: place(Kind.DIRECTORY)}, f"{PATH} is a folder (Docker creates one"),
        ({PATH: place(Kind.FIFO)}, f"{PATH} is a FIFO, not a plain file"),
        ({PATH: place(Kind.SOCKET)}, "is a socket"),
        ({PATH: place(Kind.BLOCK)}, "is a block device"),
        ({PATH: place(Kind.LINK, target="/x")}, "is a symbolic link to /x, which does not exist"),
        ({PATH: place(Kind.LINK, target="/x", leads=(1, 3))}, "a symbolic link to /x, not a plain"),
        ({PATH: place(Kind.FILE, size=2 << 20)}, "has 2097152 bytes, but fleet reads at most"),
        ({HOSTS: place(Kind.FILE)}, f"{HOSTS} is a file, but {PATH} needs a folder there"),
        (
            {HOSTS: place(Kind.LINK, target="x")},
            "is a symbolic link to x, which does not exist, but",
        ),
        ({HOSTS: place(Kind.LINK, leads=(1, 3)), PATH: place(Kind.FIFO)}, "is a FIFO"),
        ({"/etc/containerd/config.toml": place(Kind.FIFO)}, "config.toml is a FIFO"),
        ({"/etc/containerd/conf.d/x.toml": place(Kind.FILE, size=2 << 20)}, "x.toml has 2097152"),
    ],
)
def test_what_is_no_plain_file_or_was_not_read_is_refused(
    places: dict[str, PathEntry], told: str
) -> None:
    assert told in refusal(NEW, places)


@pytest.mark.parametrize(
    "places",
    [
        {},
        {HOSTS: place(Kind.DIRECTORY)},
        {HOSTS: place(Kind.LINK, leads=(1, 3))},
        {f"{HOSTS}/quay.io/hosts.toml": place(Kind.DIRECTORY)},
        {f"{HOSTS}/docker.io/notes.toml": place(Kind.FIFO)},
    ],
)
def test_what_a_change_does_not_touch_does_not_stop_it(places: dict[str, PathEntry]) -> None:
    assert refusal(NEW, places) == ""


def test_overwrite_refuses_what_it_could_not_bring_back() -> None:
    odd = f"{HOSTS}/quay.io/hosts.toml"
    asked = {"foreign": Foreign.OVERWRITE, "hosts_directory": HOSTS}

    assert f"{odd} is a FIFO" in refusal(NEW, {odd: place(Kind.FIFO)}, **asked)


def test_a_file_with_further_names_is_refused_where_its_link_cannot_be_kept() -> None:
    shared = {PATH: place(Kind.FILE, links=2)}
    var = PathEntry(kind=Kind.DIRECTORY, device=9, inode=1)

    assert refusal(EDIT, shared) == ""
    assert refusal(EDIT, {**shared, "/var": place(Kind.DIRECTORY)}) == ""
    assert "is one of 2 hard links to a file" in refusal(EDIT, {**shared, "/var": var})
    assert refusal(EDIT, {**shared, "/var": var}, rollback=True) == ""


def test_more_files_than_are_read_are_refused() -> None:
    facts = NodeFacts(paths=PathFacts(skipped_files=3001))

    with pytest.raises(NodeError, match="the node has 3001 files in"):
        refuse_odd(facts, [])
