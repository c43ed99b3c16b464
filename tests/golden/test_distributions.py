"""What distributions of Kubernetes get: their own files, never a generated one.

No k3s, RKE2, k0s or MicroK8s runs here: k3s's file is judged by its format, k0s's drop-in by the
containerd that would import it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.config.load import load_mirrors
from fleet.core.containerd.config import effective_registry
from fleet.core.failure import FailureKind
from fleet.core.masking import Fingerprints
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.mirror import Foreign, MirrorConfig
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from tests.golden.cases import after, facts_of, wishes_of
from tests.golden.inputs import MIRRORS
from tests.golden.test_golden import judges
from tests.lab.registries_yaml import k3s_reader

REGISTRIES = "/etc/rancher/k3s/registries.yaml"
TLS = """
mirrors:
  docker.io:
    endpoints: [{url: 'https://h.example:8443', ca: ca.pem, client: [[cert.pem, key.pem]]}]
  '*': {endpoints: [{url: https://w.example/v2/all, override_path: true}]}
configs:
  h.example:8443: {auth: {username: robot, password: env:FLEET_TEST_SECRET}}
  quay.io: {auth: {identity_token: env:FLEET_TEST_SECRET}}
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TEST_SECRET", "s3cret")


def plan_for(
    folder: Path,
    distro: str,
    wishes: MirrorConfig,
    tree: dict[str, bytes] | None = None,
    foreign: Foreign = Foreign.ADOPT,
    version: str = "2.1.5-k3s1",
) -> NodePlan:
    facts = facts_of(tree or {}, version, folder, distro)
    return plan_node(
        Node(name="n", host="n"), facts, DesiredConfig(wishes.registries, False, foreign)
    )


def text_of(plan: NodePlan, path: str) -> str:
    assert plan.failure is None, plan.failure
    found = {change.path: change.after for change in plan.changes}[path]
    assert found is not None
    return found.content.decode()


@pytest.mark.parametrize("distro", ["k3s", "rke2"])
def test_registries_yaml_says_what_was_meant(distro: str, tmp_path: Path) -> None:
    wishes = wishes_of(TLS, tmp_path / "w")

    plan = plan_for(tmp_path / "a", distro, wishes)

    path = f"/etc/rancher/{distro}/registries.yaml"
    found = yaml.safe_load(text_of(plan, path))
    stem = f"/etc/rancher/{distro}/fleet/h.example_8443"
    assert found["mirrors"] == {
        "docker.io": {"endpoint": ["https://h.example:8443"]},
        "*": {"endpoint": ["https://w.example/v2/all"]},
    }
    assert found["configs"]["h.example:8443"] == {
        "auth": {"username": "robot", "password": "s3cret"},
        "tls": {
            "ca_file": f"{stem}.ca.pem",
            "cert_file": f"{stem}.client.pem",
            "key_file": f"{stem}.client.key.pem",
        },
    }
    modes = {change.path: change.after.mode for change in plan.changes if change.after}
    assert modes[path] == modes[f"{stem}.client.key.pem"] == 0o600
    assert all(not change.path.startswith("/var/lib/rancher") for change in plan.changes)


def test_what_fleet_writes_for_k3s_is_read_back_as_the_same_mirrors(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    text = text_of(plan_for(tmp_path / "a", "k3s", wishes), REGISTRIES)
    (tmp_path / "registries.yaml").write_text(text)

    again, warnings = load_mirrors(tmp_path / "registries.yaml")

    assert warnings == ()
    assert [(each.name, each.mirrors) for each in again.registries] == [
        (each.name, each.mirrors) for each in wishes.registries
    ]


FOREIGN = b"""
mirrors:
  docker.io: {endpoint: ["https://old.example"], rewrite: {"^a": "b"}}
  private.example: {endpoint: ["https://p.example"]}  # theirs
configs:
  p.example: {auth: {username: u, password: p}}
"""


def test_foreign_entries_of_registries_yaml_stay_and_fleets_own_go(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    tree = {REGISTRIES: FOREIGN}

    first = plan_for(tmp_path / "a", "k3s", wishes, tree)
    found = yaml.safe_load(text_of(first, REGISTRIES))

    assert list(found["mirrors"]) == ["docker.io", "private.example", "quay.io"] or set(
        found["mirrors"]
    ) == {"docker.io", "private.example", "quay.io"}
    assert found["mirrors"]["private.example"] == {"endpoint": ["https://p.example"]}
    assert found["mirrors"]["docker.io"]["endpoint"][0] == "https://a.example"
    assert found["configs"]["p.example"]["auth"]["password"] == "p"
    assert any("adopts" in note for note in first.notes)
    tree = after(tree, first)
    assert plan_for(tmp_path / "b", "k3s", wishes, tree).changes == ()
    fewer = wishes_of("mirrors: {docker.io: {endpoints: [https://a.example]}}", tmp_path / "w")
    second = yaml.safe_load(text_of(plan_for(tmp_path / "c", "k3s", fewer, tree), REGISTRIES))
    assert set(second["mirrors"]) == {"docker.io", "private.example"}


THEIRS = """\
x-ours: &login {username: robot, password: 0123}
mirrors:
  private.example: {endpoint: ["https://p.example"]}  # theirs
configs:
  # kept: every spelling below means something else to another resolver
  p.example: {auth: *login}
  q.example:
    auth: {username: 0x1F, password: 1e3}
    tls: {insecure_skip_verify: yes}
  s.example: {auth: {username: !!str 1_000, password: !!binary aGk=}}
  r.example: {auth: {username: 3.10, password: "\N{GRINNING FACE}"}}
"""


def test_what_others_wrote_into_registries_yaml_keeps_every_byte(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")

    text = text_of(
        plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: THEIRS.encode()}), REGISTRIES
    )

    assert [line for line in text.splitlines() if line not in THEIRS.splitlines()] == [
        line for line in text.splitlines() if "docker.io" in line or "quay.io" in line
        or '"endpoint"' in line or '- "' in line
    ]  # fmt: skip
    assert [line for line in THEIRS.splitlines() if line not in text.splitlines()] == []


def test_k3s_reads_what_others_wrote_as_before(tmp_path: Path) -> None:
    reader = k3s_reader()
    if reader is None:
        pytest.skip("no Go on this machine to build k3s's YAML reader with")
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    plan = plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: THEIRS.encode()})

    found = reader.read(text_of(plan, REGISTRIES))

    assert found.error is None
    assert found.v2["configs"]["p.example"]["auth"]["password"] == "0123"
    assert found.v2["configs"]["q.example"]["tls"] == {"insecure_skip_verify": True}
    assert set(found.v2["mirrors"]) == {"private.example", "docker.io", "quay.io"}


def test_a_login_that_others_wrote_for_a_host_of_fleet_stays(tmp_path: Path) -> None:
    wishes = wishes_of(
        "mirrors: {docker.io: {endpoints: [{url: 'https://h.example', skip_verify: true}]}}",
        tmp_path / "w",
    )
    login = "configs:\n  h.example:\n    auth: {username: u, password: 0123}\n"
    tree = {REGISTRIES: login.encode()}

    first = after(tree, plan_for(tmp_path / "a", "k3s", wishes, tree))
    none = wishes_of("mirrors: {quay.io: {endpoints: [https://q.example]}}", tmp_path / "w")
    second = after(first, plan_for(tmp_path / "b", "k3s", none, first))

    assert 'auth: {username: u, password: 0123}\n    "tls":\n' in first[REGISTRIES].decode()
    assert second[REGISTRIES].decode().startswith(login)
    assert "tls" not in second[REGISTRIES].decode()


def test_keep_and_overwrite_of_registries_yaml(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    tree = {REGISTRIES: FOREIGN}

    kept = plan_for(tmp_path / "a", "k3s", wishes, tree, Foreign.KEEP)
    over = plan_for(tmp_path / "b", "k3s", wishes, tree, Foreign.OVERWRITE)

    assert (kept.failure, kept.changes) == (None, ())
    assert set(yaml.safe_load(text_of(over, REGISTRIES))["mirrors"]) == {"docker.io", "quay.io"}


def test_no_diff_of_registries_yaml_shows_a_secret(tmp_path: Path) -> None:
    wishes = wishes_of(TLS, tmp_path / "w")
    old = b"configs: {a: {auth: {username: u, password: hunter2}}}\n"
    older = b'configs:\n  a:\n    auth:\n      "password": "hunter2"\n      auth: hunter2\n'

    for number, text in enumerate((old, older)):
        plan = plan_for(tmp_path / str(number), "k3s", wishes, {REGISTRIES: text})
        shown = "".join(unified_diff(change, Fingerprints(b"k")) for change in plan.changes)
        assert "***#" in shown
        assert "robot" in shown
        for secret in ("hunter2", "s3cret", "PRIVATE KEY"):
            assert secret not in shown


K3S_REFUSED = {
    "no upstream": ("closed", b"", "--disable-default-registry-endpoint"),
    "a header": ("full", b"", "has a header"),
    "a broken file": ("plain", b"mirrors: [", "no valid YAML"),
    "forms that it does not have": ("plain", b"mirrors: {}\nconfigs: [a]", "has forms"),
    "bytes of no text": ("plain", b"mirrors: {}\n# \xe9\n", "is not UTF-8 (byte 14)"),
    "an alias in the way": ("plain", b"x: &x {a: {}}\nmirrors: *x\n", "mirrors is no mapping of"),
}


@pytest.mark.parametrize(("wish", "text", "words"), K3S_REFUSED.values(), ids=list(K3S_REFUSED))
def test_what_registries_yaml_cannot_say_is_refused(
    wish: str, text: bytes, words: str, tmp_path: Path
) -> None:
    wishes = wishes_of(MIRRORS[wish], tmp_path / "w")
    plan = plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: text} if text else None)

    assert plan.failure is not None
    assert words in plan.failure.message
    assert plan.changes == ()


def k0s_drop_in(folder: Path, version: str, tree: dict[str, bytes] | None = None) -> NodePlan:
    wishes = wishes_of(MIRRORS["plain"], folder / "w")
    return plan_for(folder / "root", "k0s", wishes, tree, version=version)


@pytest.mark.node
@pytest.mark.parametrize("version", ["1.7.24", "2.1.9", "2.3.4"])
def test_the_drop_in_of_k0s_is_read_by_the_containerd_that_imports_it(
    version: str, tmp_path: Path
) -> None:
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    plan = k0s_drop_in(tmp_path, version)
    drop_in = text_of(plan, "/etc/k0s/containerd.d/fleet.toml")
    said = 3 if version.startswith("2") else 2
    root = f'version = {said}\nimports = ["/etc/k0s/containerd.d/*.toml"]\n'
    tree = {
        "/etc/containerd/config.toml": root.encode(),
        "/etc/k0s/containerd.d/fleet.toml": drop_in.encode(),
    }

    answer = judge.dump(tree, "/etc/containerd/config.toml")

    assert answer.code == 0, answer.log
    found: dict[str, Any] = effective_registry(tomllib.loads(answer.text))
    assert found["config_path"] == "/etc/k0s/certs.d" == plan.config.hosts_directory
    assert plan.restart.by_distribution


def test_k0s_is_refused_where_its_file_is_the_users_or_a_drop_in_has_mirrors(
    tmp_path: Path,
) -> None:
    own = k0s_drop_in(tmp_path / "a", "1.7.24", {"/etc/k0s/containerd.toml": b"version = 2\n"})
    cri = b'[plugins."io.containerd.grpc.v1.cri".registry.mirrors."a"]\nendpoint = ["https://b"]\n'
    old = k0s_drop_in(tmp_path / "b", "1.7.24", {"/etc/k0s/containerd.d/m.toml": cri})

    assert own.failure is not None
    assert "k0s_managed=true" in own.failure.message
    assert old.failure is not None
    assert (old.failure.kind, "m.toml" in old.failure.message) == (FailureKind.CONFLICT, True)


@pytest.mark.parametrize(
    ("distro", "folder"),
    [
        ("microk8s", "/var/snap/microk8s/current/args/certs.d"),
        ("canonical-k8s", "/var/snap/k8s/common/etc/containerd/hosts.d"),
    ],
)
def test_snaps_get_hosts_toml_alone(distro: str, folder: str, tmp_path: Path) -> None:
    plan = plan_for(tmp_path / "a", distro, wishes_of(MIRRORS["plain"], tmp_path / "w"))

    assert {change.path for change in plan.changes} == {
        f"{folder}/docker.io/hosts.toml",
        f"{folder}/quay.io/hosts.toml",
    }
    assert str(plan.restart.cost) == "none"


def test_eks_keeps_its_two_directories_since_it_pulls_locally(tmp_path: Path) -> None:
    config = (
        "version = 3\n[plugins.'io.containerd.cri.v1.images']\ndiscard_unpacked_layers = true\n"
        "[plugins.'io.containerd.cri.v1.images'.registry]\n"
        "config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n"
    )
    tree = {"/etc/containerd/config.toml": config.encode()}

    plan = plan_for(tmp_path / "a", "eks", wishes_of(MIRRORS["plain"], tmp_path / "w"), tree)

    assert all(change.path.startswith("/etc/containerd/certs.d/") for change in plan.changes)
    assert str(plan.restart.cost) == "none"
    assert any("EKS" in note for note in plan.notes)
