"""lib/saved.sh: the saved generations that a probe reports."""

from __future__ import annotations

import pytest

from fleet.core.model.owned_state import OwnedState
from tests.node.scripts.shell import Shell

REPORT = (
    'saved_report\nprintf "%s" "$FILES" | while read -r name; do protocol_value name "$name"; done'
)


def keep(shell: Shell, *names: str) -> None:
    """Save a chain of generations, the oldest first, and fleet's record of the newest."""
    record = ""
    for name in names:
        base = shell.state / "generations" / name
        (base / "files").mkdir(parents=True)
        (base / "manifest").write_text("absent\t-\t-\t-\t-\t-\t/etc/a\n")
        if record:
            (base / "state.json").write_text(record)
        record = OwnedState(name).render().decode()
    (shell.state / "state.json").write_text(record)


def reported(shell: Shell, walk: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the generations of the chain and beside it that a walk reports."""
    reply = shell.run("saved", REPORT, STATE=str(shell.state), WALK=walk).reply
    names = list(reply.texts("name"))
    chain, beside = tuple(reply.texts("chain")), tuple(reply.texts("beside"))
    for name in (*chain, *beside):
        assert f"{shell.state}/generations/{name}/manifest" in names
    assert len([name for name in names if name.endswith("/manifest")]) == len(chain + beside)
    return chain, beside


@pytest.mark.parametrize(
    ("walk", "chain"),
    [("latest", ("g3",)), ("g2", ("g3", "g2")), ("all", ("g3", "g2", "g1"))],
)
def test_the_chain_is_reported_as_far_back_as_asked(
    shell: Shell, walk: str, chain: tuple[str, ...]
) -> None:
    keep(shell, "g1", "g2", "g3")

    assert reported(shell, walk) == (chain, ())


def test_a_long_chain_is_reported_to_its_end(shell: Shell) -> None:
    names = [f"g{number:04d}" for number in range(520)]
    keep(shell, *names)

    assert reported(shell, "all") == (tuple(reversed(names)), ())


def test_a_record_that_names_a_newer_generation_ends_the_walk(shell: Shell) -> None:
    keep(shell, "g1", "g2")
    record = OwnedState("g2").render().decode()
    (shell.state / "generations" / "g1" / "state.json").write_text(record)

    assert reported(shell, "all") == (("g2", "g1"), ())


def test_a_generation_beside_the_chain_is_reported_on_request(shell: Shell) -> None:
    keep(shell, "g1", "g2")
    beside = shell.state / "generations" / "g3"
    beside.mkdir()
    (beside / "manifest").write_text("")

    assert reported(shell, "g3") == (("g2", "g1"), ("g3",))
    assert reported(shell, "all") == (("g2", "g1"), ())


def test_the_newest_generation_is_reported_if_the_record_is_gone(shell: Shell) -> None:
    keep(shell, "g1", "g2")
    (shell.state / "state.json").unlink()

    assert reported(shell, "all") == ((), ("g2",))
    assert reported(shell, "latest") == ((), ())


@pytest.mark.parametrize(
    ("change", "phase", "before", "beside"),
    [
        ("g1", "restored", "absent", ()),
        ("g1", "swapped active", "absent", ("g1",)),  # in force: the record was deleted
        ("g1", "restored", "file", ("g1",)),  # the record was gone before already
        ("g0", "restored", "absent", ("g1",)),
    ],
)
def test_a_first_change_that_was_undone_is_not_taken_for_one_in_force(
    shell: Shell, change: str, phase: str, before: str, beside: tuple[str, ...]
) -> None:
    keep(shell, "g1")
    (shell.state / "state.json").unlink()
    manifest = shell.state / "generations/g1/manifest"
    manifest.write_text(f"{before}\t-\t-\t-\t-\t-\t{shell.state}/state.json\n")
    (shell.state / "last").mkdir()
    (shell.state / "last/id").write_text(f"{change}\n")
    (shell.state / "last/phase").write_text(f"{phase}\n")

    assert reported(shell, "all") == ((), beside)


def test_a_saved_edit_is_not_taken_for_the_state_before_a_change(shell: Shell) -> None:
    keep(shell, "g1")
    (shell.state / "state.json").unlink()
    generations = shell.state / "generations"
    (generations / "g2-displaced").mkdir()

    assert reported(shell, "all") == ((), ("g1",))
    (generations / "g1").rename(generations / "g0-displaced")
    assert reported(shell, "all") == ((), ())


def copies(shell: Shell, walk: str) -> list[str]:
    """Return the copies that a walk reports of three generations that saved the same two paths."""
    keep(shell, "g1", "g2", "g3")
    for name in ("g1", "g2", "g3"):
        base = shell.state / "generations" / name
        lines = [f"file\t{number}\t644\t0\t0\tx\t/etc/{number}\n" for number in range(2)]
        (base / "manifest").write_text("".join(lines if name != "g1" else lines[:1]))
        for number in range(2 if name != "g1" else 1):
            (base / "files" / str(number)).write_text("x")
    reply = shell.run("saved", REPORT, STATE=str(shell.state), WALK=walk).reply
    top = f"{shell.state}/generations/"
    return sorted(name.removeprefix(top) for name in reply.texts("name") if "/files/" in name)


@pytest.mark.parametrize(
    ("walk", "read"),
    [
        ("latest", ["g3/files/0", "g3/files/1"]),
        ("g2", ["g2/files/0", "g2/files/1"]),
        ("all", ["g1/files/0", "g2/files/1"]),
        ("g0", ["g1/files/0", "g2/files/0", "g2/files/1", "g3/files/0", "g3/files/1"]),
    ],
)
def test_only_the_oldest_copy_of_a_path_is_read(shell: Shell, walk: str, read: list[str]) -> None:
    """A generation that is not in the chain may lie above any of it, so then all are read."""
    assert copies(shell, walk) == read


def test_a_manifest_names_no_copy_outside_its_generation(shell: Shell) -> None:
    keep(shell, "g1")
    manifest = shell.state / "generations" / "g1" / "manifest"
    manifest.write_text("file\t../../../secret\t644\t0\t0\tx\t/etc/a\n")
    (shell.state.parent / "secret").write_text("x")
    (shell.state / "secret").write_text("x")

    reply = shell.run("saved", REPORT, STATE=str(shell.state), WALK="all").reply

    assert not [name for name in reply.texts("name") if "secret" in name]


def test_saved_edits_are_reported_for_a_removal_alone(shell: Shell) -> None:
    keep(shell, "g1")
    edits = shell.state / "generations" / "g1-displaced"
    edits.mkdir()
    (edits / "manifest").write_text(
        "file\t0\t644\t0\t0\tabc\t/etc/a b\n"
        "symlink\t1\t777\t0\t0\t@x\t/etc/b.pem\n"
        "odd\t2\t-\t-\t-\t-\t/etc/c\n"
    )

    told = [
        list(
            shell.run("saved", "saved_report", STATE=str(shell.state), WALK=walk).reply.texts(
                "edit"
            )
        )
        for walk in ("all", "latest")
    ]

    assert told == [
        [
            f"abc {edits}/files/0 /etc/a b",
            f"@x {edits}/links/1 /etc/b.pem",
            f"- {edits}/files/2 /etc/c",
        ],
        [],
    ]
