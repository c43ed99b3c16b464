"""Links in hosts directories: carried with their target, or refused with the reason."""

from __future__ import annotations

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts, PathFacts
from fleet.core.model.paths import Kind, PathEntry
from fleet.core.plan.links import with_targets
from fleet.core.plan.path_checks import refuse_odd

HOSTS = "/etc/containerd/certs.d"
PATH = f"{HOSTS}/docker.io/hosts.toml"
TWIN = "/etc/docker/certs.d"
QUAY = f"{HOSTS}/quay.io/hosts.toml"
OLD = ManagedFile(b"server = 'https://docker.io'\n", 0o640)


def link(target: str, inode: int = 2, leads: tuple[int, int] | None = (1, 9)) -> PathEntry:
    return PathEntry(kind=Kind.LINK, device=1, inode=inode, target=target, leads=leads)


@pytest.mark.parametrize(
    ("path", "target", "carried"),
    [
        (PATH, "../../mirrors/docker.io.toml", True),
        (PATH, "/etc/containerd/mirrors/docker.io.toml", True),
        (f"{HOSTS}/docker.io/ca.pem", "/etc/ssl/ca.pem", True),
        (PATH, "/srv/a b", False),
        (PATH, "/srv/$(id)", False),
        (PATH, "/srv/a\nb", False),
        (PATH, "", False),
        ("/etc/containerd/conf.d/mirrors.toml", "/srv/mirrors.toml", False),
    ],
)
def test_a_link_is_carried_if_its_target_can_be_saved(
    path: str, target: str, carried: bool
) -> None:
    files = with_targets({path: OLD}, {path}, {path: link(target)})

    assert files[path].link == (target if carried else "")
    assert files[path].content == OLD.content
    assert files[path].digest == (f"@{target}" if carried else OLD.digest)


def refusal(places: dict[str, PathEntry], **more: object) -> str:
    """Return why the file behind PATH is not replaced; empty if it is."""
    files = with_targets({PATH: OLD, QUAY: OLD}, {PATH}, places)
    facts = NodeFacts(
        files=files,
        paths=PathFacts(
            entries=places, links=frozenset({PATH}), directories=frozenset({HOSTS, TWIN})
        ),
    )
    try:
        refuse_odd(facts, [Change(PATH, files[PATH], ManagedFile(b"new"))], **more)  # type: ignore[arg-type]
    except NodeError as error:
        return error.failure.message
    return ""


def test_a_link_to_a_file_of_its_own_is_replaced() -> None:
    own = PathEntry(kind=Kind.FILE, device=1, inode=9)

    assert refusal({PATH: link("own.toml"), f"{HOSTS}/docker.io/own.toml": own}) == ""
    # The same link under a second path, as with a bind mount.
    assert refusal({PATH: link("x"), f"{TWIN}/docker.io/hosts.toml": link("x")}) == ""


@pytest.mark.parametrize("rollback", [False, True])
@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({PATH: link("/srv/a b")}, "is a symbolic link, which fleet does not follow"),
        ({PATH: link("/x"), QUAY: link("/x", inode=3)}, f"to /x, and {QUAY} is the same file"),
        (
            {PATH: link(QUAY), QUAY: PathEntry(kind=Kind.FILE, device=1, inode=9)},
            f"is a symbolic link to {QUAY}, and {QUAY} is the same file",
        ),
    ],
)
def test_a_link_that_registries_share_or_that_cannot_be_saved_is_refused(
    places: dict[str, PathEntry], told: str, rollback: bool
) -> None:
    assert told in refusal(places, rollback=rollback)
