"""Two paths of one file: by another spelling, a link in any component, or a shared folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.actions.render import offline_facts
from fleet.core.containerd.imports import config_view
from fleet.core.lint.config import lint
from fleet.core.lint.explain import explain
from fleet.core.lint.shared_folders import registry_of
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.version import parse_version
from fleet.core.plan.drift import find_drift
from fleet.core.plan.hosts_directory import active_hosts_directory
from fleet.core.plan.node_plan import NodePlan, state_after
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig

CERTS = "/etc/containerd/certs.d"
THEIRS = 'server = "https://quay.io"\n'
VERSION = parse_version("1.7.24")


def registry(name: str) -> Registry:
    return Registry(name=name, server=f"https://{name}", mirrors=(Mirror(url="https://m.test"),))


def node_root(root: Path, config_path: str, *names: str) -> Path:
    """Make a node's files: a config, and a hosts.toml of another hand for each name."""
    folder = root / "etc/containerd"
    folder.mkdir(parents=True)
    table = '[plugins."io.containerd.grpc.v1.cri".registry]'
    (folder / "config.toml").write_text(f'version = 2\n{table}\n  config_path = "{config_path}"\n')
    for name in names:
        (folder / "certs.d" / name).mkdir(parents=True)
        (folder / "certs.d" / name / "hosts.toml").write_text(THEIRS)
    return folder / "certs.d"


def facts_in(root: Path) -> NodeFacts:
    assert VERSION is not None
    return offline_facts(VERSION, None, root)


def planned(root: Path, foreign: Foreign, *names: str) -> NodePlan:
    wishes = DesiredConfig(tuple(map(registry, names)), False, foreign)
    return plan_node(Node(name="n", host="n"), facts_in(root), wishes)


def carry_out(root: Path, plan: NodePlan) -> None:
    """Change the folder as the node would be changed, in the plan's order."""
    assert plan.failure is None, plan.failure
    state = state_after(plan, "g1")
    assert state is not None
    files: list[tuple[str, ManagedFile | None]] = [(c.path, c.after) for c in plan.changes]
    for path, after in (*files, (STATE_FILE, state)):
        target = root / path.lstrip("/")
        if after is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(after.content)


SPELLINGS = (f"{CERTS}/", "/etc/containerd/./certs.d", "/etc//containerd/x/../certs.d//")


@pytest.mark.parametrize("config_path", SPELLINGS)
def test_another_spelling_of_config_path_is_the_same_folder(
    config_path: str, tmp_path: Path
) -> None:
    node_root(tmp_path, config_path, "quay.io")
    first = planned(tmp_path, Foreign.OVERWRITE, "docker.io")
    carry_out(tmp_path, first)

    facts = facts_in(tmp_path)
    again = planned(tmp_path, Foreign.OVERWRITE, "docker.io")

    assert {c.path: str(c.action) for c in first.changes} == {
        f"{CERTS}/docker.io/hosts.toml": "create",
        f"{CERTS}/quay.io/hosts.toml": "delete",
    }
    assert (again.failure, again.changes) == (None, ())
    assert find_drift(facts, again, str) == ()
    assert active_hosts_directory(facts).folder == CERTS == again.config.hosts_directory
    assert explain(facts, "docker.io").folders[0].state == "used"


def test_a_state_with_another_spelling_owns_the_same_files(tmp_path: Path) -> None:
    node_root(tmp_path, CERTS, "quay.io")
    carry_out(tmp_path, planned(tmp_path, Foreign.ADOPT, "docker.io"))
    state = tmp_path / STATE_FILE.lstrip("/")
    state.write_text(state.read_text().replace(f"{CERTS}/docker.io", f"{CERTS}//./docker.io"))

    kept = planned(tmp_path, Foreign.KEEP, "docker.io")

    assert (kept.failure, kept.changes) == (None, ())
    assert not any("keeps" in note for note in kept.notes)


def test_a_folder_reached_by_a_link_now_is_still_the_one_that_fleet_wrote(tmp_path: Path) -> None:
    """config_path names a link to the old folder: what is there is neither foreign nor gone."""
    certs = node_root(tmp_path, CERTS)
    carry_out(tmp_path, planned(tmp_path, Foreign.ADOPT, "docker.io"))
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/mirrors").symlink_to(CERTS)
    config = certs.parent / "config.toml"
    config.write_text(config.read_text().replace(CERTS, "/opt/mirrors"))

    plans = [planned(tmp_path, each, "docker.io") for each in Foreign]

    for plan in plans:
        assert plan.failure is None
        assert plan.config.hosts_directory == "/opt/mirrors"
        assert [c.path for c in plan.changes] == []
        assert find_drift(facts_in(tmp_path), plan, str) == ()


def test_a_linked_etc_containerd_is_followed(tmp_path: Path) -> None:
    node_root(tmp_path / "x", CERTS, "quay.io")
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/srv").mkdir()
    (tmp_path / "x/etc/containerd").rename(tmp_path / "root/srv/c")
    (tmp_path / "root/etc/containerd").symlink_to("../srv/c")
    root = tmp_path / "root"

    carry_out(root, planned(root, Foreign.OVERWRITE, "docker.io"))
    again = planned(root, Foreign.OVERWRITE, "docker.io")

    assert (again.failure, again.changes) == (None, ())
    assert sorted(each.name for each in (root / "srv/c/certs.d/docker.io").iterdir()) == [
        "hosts.toml"
    ]


def test_a_config_that_is_a_link_is_edited_where_it_is(tmp_path: Path) -> None:
    folder = node_root(tmp_path, CERTS).parent
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/real.toml").write_text("version = 2\n")
    (folder / "config.toml").unlink()
    (folder / "config.toml").symlink_to("/srv/real.toml")

    plan = planned(tmp_path, Foreign.ADOPT, "docker.io")

    assert plan.failure is None
    assert [c.path for c in plan.changes] == [f"{CERTS}/docker.io/hosts.toml", "/srv/real.toml"]


def test_an_import_under_two_spellings_is_one_file(tmp_path: Path) -> None:
    folder = node_root(tmp_path, CERTS).parent
    names = ["/etc/containerd/conf.d/a.toml", "/etc/containerd/x/..//conf.d/./a.toml"]
    (folder / "conf.d").mkdir()
    (folder / "conf.d/a.toml").write_text("version = 2\n")
    (folder / "config.toml").write_text(f"version = 2\nimports = {names}\n".replace("'", '"'))
    facts = facts_in(tmp_path)

    assert VERSION is not None
    layers = config_view(facts, VERSION, "").layers
    assert [each.path for each in layers] == [facts.config.path, names[0]]


SHARED = {
    "a link to a folder elsewhere": ("docker.io", "quay.io"),
    "the wildcard, too": ("docker.io", "_default"),
    "a port": ("reg.test:5000", "quay.io"),
}


@pytest.mark.parametrize(("named", "other"), SHARED.values(), ids=list(SHARED))
@pytest.mark.parametrize("foreign", [Foreign.ADOPT, Foreign.OVERWRITE])
def test_a_folder_of_several_registries_is_not_written_for_one(
    named: str, other: str, foreign: Foreign, tmp_path: Path
) -> None:
    certs = node_root(tmp_path, CERTS)
    (tmp_path / "srv/shared").mkdir(parents=True)
    (tmp_path / "srv/shared/hosts.toml").write_text(THEIRS)
    certs.mkdir(exist_ok=True)
    for name in (named, other):
        (certs / name).symlink_to("/srv/shared")

    plan = planned(tmp_path, foreign, named)
    kept = planned(tmp_path, Foreign.KEEP, named)

    assert plan.failure is not None
    assert f"{CERTS}/{named} and {CERTS}/{other} are one folder (/srv/shared)" in (
        plan.failure.message
    )
    assert plan.failure.remedy == "replace the link by a folder of its own for each registry"
    assert (kept.failure, kept.changes) == (None, ())
    facts = facts_in(tmp_path)
    assert VERSION is not None
    found = list(lint(config_view(facts, VERSION, ""), facts))
    assert [each.code for each in found] == ["shared-folder"]


def test_overwrite_does_not_empty_a_folder_that_others_share(tmp_path: Path) -> None:
    certs = node_root(tmp_path, CERTS, "quay.io")
    (certs / "ghcr.io").symlink_to("quay.io")

    over = planned(tmp_path, Foreign.OVERWRITE, "docker.io")
    plain = planned(tmp_path, Foreign.ADOPT, "docker.io")

    assert over.failure is not None
    assert "a change for" in over.failure.message
    assert [c.path for c in plain.changes] == [f"{CERTS}/docker.io/hosts.toml"]


def test_both_names_of_a_registry_with_a_port_may_be_one_folder(tmp_path: Path) -> None:
    certs = node_root(tmp_path, CERTS, "reg.test:5000")
    (certs / "reg.test_5000_").symlink_to("reg.test:5000")

    carry_out(tmp_path, planned(tmp_path, Foreign.OVERWRITE, "reg.test:5000"))
    again = planned(tmp_path, Foreign.OVERWRITE, "reg.test:5000")

    assert (again.failure, again.changes) == (None, ())
    assert "m.test" in (certs / "reg.test:5000/hosts.toml").read_text()
    assert registry_of("/x/reg.test_5000_") == "reg.test:5000"


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    certs = node_root(tmp_path, CERTS, "quay.io")
    (certs / "docker.io").mkdir()
    (certs / "docker.io/hosts.toml").hardlink_to(certs / "quay.io/hosts.toml")

    plan = planned(tmp_path, Foreign.ADOPT, "docker.io")

    assert plan.failure is None
    assert [c.path for c in plan.changes] == [f"{CERTS}/docker.io/hosts.toml"]


def test_a_bind_mount_is_known_by_device_and_inode(tmp_path: Path) -> None:
    node_root(tmp_path, CERTS, "docker.io", "quay.io")
    facts = facts_in(tmp_path)
    one = facts.paths.entries[f"{CERTS}/docker.io"]
    entries = {**facts.paths.entries, f"{CERTS}/quay.io": one}
    facts = replace(facts, paths=replace(facts.paths, entries=entries))

    plan = plan_node(Node(name="n", host="n"), facts, DesiredConfig((registry("docker.io"),)))

    assert plan.failure is not None
    assert "are one folder" in plan.failure.message
