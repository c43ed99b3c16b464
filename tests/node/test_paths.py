"""The probe's record of places, as the script writes it and as anything may come instead."""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.config.node_root import read_root
from fleet.core.failure import Step
from fleet.core.model.owned_state import OwnedState
from fleet.core.model.paths import Kind, PathEntry
from fleet.node.paths import read_places
from fleet.node.script import Reply, parse_reply

SCRIPTS = files("fleet.node") / "scripts"
LIBRARY = "\n".join(
    (SCRIPTS / f"lib/{name}.sh").read_text()
    for name in ("environment", "text", "protocol", "report", "places")
)


def made(root: Path) -> Path:
    """Make one of each kind below a folder that is like a node's."""
    base = root / "etc/containerd/certs.d"
    (base / "docker.io").mkdir(parents=True)
    (base / "docker.io/hosts.toml").write_text("server = 'x'\n")
    (base / "docker.io/hosts.toml").chmod(0o640)
    os.link(base / "docker.io/hosts.toml", base / "docker.io/second.toml")
    (root / "srv/shared").mkdir(parents=True)
    (base / "quay.io").symlink_to("../../../srv/shared")
    (base / "dangling").symlink_to("nowhere")
    (base / "circle").symlink_to("circle")
    os.mkfifo(base / "docker.io/pipe")
    (base / "docker.io/two  words").mkdir()
    return base


def told(folder: Path, shell: str) -> dict[str, PathEntry]:
    script = f"""{LIBRARY}
    protocol_value hello 0
    places_add_with_parents "{folder}"
    for each in "{folder}"/* "{folder}"/*/*; do places_add "$each"; done
    places_note
    printf '%s' "$NOTES"
    printf 'end\\t\\n'
    """
    ran = subprocess.run([shell, "-s"], input=script, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return read_places(parse_reply(Step.PROBE, 0, ran.stdout, ""))


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_every_kind_is_told_as_it_is(tmp_path: Path, shell: str) -> None:
    base = made(tmp_path)

    found = told(base, shell)

    kinds = {path.removeprefix(f"{base}/"): each.kind for path, each in found.items()}
    hosts = found[f"{base}/docker.io/hosts.toml"]
    assert kinds["docker.io"] is Kind.DIRECTORY
    assert kinds["docker.io/pipe"] is Kind.FIFO
    assert kinds["docker.io/two  words"] is Kind.DIRECTORY
    assert (hosts.kind, hosts.links, hosts.size, hosts.mode) == (Kind.FILE, 2, 13, 0o640)
    assert hosts.identity == found[f"{base}/docker.io/second.toml"].identity
    shared = found[f"{base}/quay.io"]
    assert (shared.kind, shared.target) == (Kind.LINK, "../../../srv/shared")
    assert shared.real == str(tmp_path / "srv/shared")
    assert shared.identity == ((tmp_path / "srv/shared").stat().st_dev, _inode(tmp_path))
    assert (kinds["dangling"], found[f"{base}/dangling"].identity) == (Kind.LINK, None)
    assert (kinds["circle"], found[f"{base}/circle"].identity) == (Kind.LINK, None)
    assert found[str(tmp_path)].kind is Kind.DIRECTORY


def _inode(root: Path) -> int:
    return (root / "srv/shared").stat().st_ino


def test_a_folder_of_files_gives_the_same_places(tmp_path: Path) -> None:
    made(tmp_path)
    there = told(tmp_path / "etc/containerd/certs.d", "dash")

    here = read_root(tmp_path)

    below = f"{tmp_path}/"
    for path, each in there.items():
        if "/certs.d" not in path:
            continue
        mine = here.places["/" + path.removeprefix(below)]
        assert (mine.kind, mine.identity, mine.links, mine.size, mine.mode, mine.target) == (
            each.kind,
            each.identity,
            each.links,
            each.size,
            each.mode,
            each.target,
        )
    assert here.places["/etc/containerd/certs.d/quay.io"].real == "/srv/shared"
    assert "/etc/containerd/certs.d/quay.io" in here.folders


def test_a_link_of_a_folder_of_files_never_leads_out_of_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text("password = 1\n")
    root = tmp_path / "root"
    folder = root / "etc/containerd/certs.d/docker.io"
    folder.mkdir(parents=True)
    (folder / "hosts.toml").symlink_to(secret)
    (folder / "up.toml").symlink_to("../" * 12 + "secret.toml")
    (folder / "up").symlink_to("/etc/containerd")

    found = read_root(root)

    assert not found.files
    assert f"{found.places['/etc/containerd/certs.d/docker.io/hosts.toml'].target}" == str(secret)
    assert len(found.places) < 100


@given(st.lists(st.lists(st.text(), max_size=5), max_size=4), st.sampled_from(["places", "links"]))
def test_no_record_of_places_is_an_exception(fields: list[list[str]], key: str) -> None:
    records = tuple((key, tuple(f"={each}" for each in row)) for row in fields if row)
    texts = "".join(text for _, row in records for text in row)

    found = read_places(Reply(records))

    assert [path for path in found if path not in texts] == []


LINES = ["", "x", "41ed 1 2 3 4 5 6 7", "41ed 1 2 3 4 5 6 seven /a", "41ed 1 2 3 4 5 6 7 /a b"]


def test_lines_that_stat_does_not_write_are_left_out() -> None:
    found = read_places(Reply((("places", ("=" + "\n".join(LINES),)),)))

    assert {path: each.kind for path, each in found.items()} == {"/a b": Kind.DIRECTORY}


def test_folders_of_files_that_fleet_owns_are_looked_at_wherever_they_are(tmp_path: Path) -> None:
    owned = {"/opt/certs/docker.io/hosts.toml": "d", "/etc/containerd/config.toml": "e"}
    (tmp_path / "state.json").write_bytes(OwnedState("g", owned).render())
    code = (SCRIPTS / "probe.sh").read_text()
    function = code[code.index("probe_owned_directories() {") : code.index("probe_count_tasks() {")]

    before = f'HOSTS=; NL="\n"; STATE={tmp_path}'
    script = f'{before}\n{function}\nprobe_owned_directories; printf %s "$HOSTS"'
    ran = subprocess.run(["dash", "-s"], input=script, capture_output=True, text=True, check=True)

    assert (ran.stdout, ran.stderr) == ("/opt/certs\n", "")
