"""Conflicts planted on real nodes: the probe finds them, a rollout heals them or refuses."""

from __future__ import annotations

import shlex

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = pytest.mark.e2e

CONFIG = "/etc/containerd/config.toml"
CERTS = "/etc/containerd/certs.d"
CRI = '[plugins."io.containerd.grpc.v1.cri"'
IMG = "[plugins.'io.containerd.cri.v1.images'"
MIRRORS = f'{CRI}.registry.mirrors."quay.io"]\n  endpoint = ["https://quay.m.daocloud.io"]\n'
PATH = f'{CRI}.registry]\n  config_path = "{CERTS}"\n'
ONE = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
"""

HEALED = {
    "mirrors beside config_path, 1.6": ("bookworm1", f"version = 2\n{PATH}{MIRRORS}", True),
    "mirrors beside config_path, 1.7": ("trixie1", f"version = 2\n{MIRRORS}{PATH}", True),
    "mirrors beside config_path, 2.1": ("forky1", f"version = 2\n{PATH}{MIRRORS}", True),
    "a tls table beside config_path, 1.7": (
        "trixie1",
        f'version = 2\n{PATH}{CRI}.registry.configs."quay.io".tls]\n'
        "  insecure_skip_verify = true\n",
        True,
    ),
    "legacy mirrors alone, 2.1": ("forky1", f"version = 2\n{MIRRORS}", False),
    "legacy mirrors of version 3": (
        "forky1",
        f"version = 3\n{IMG}.registry.mirrors.'quay.io']\n  endpoint = ['https://quay.m.daocloud.io']\n",
        False,
    ),
}


def plant(lab: Lab, name: str, files: dict[str, str]) -> None:
    """Put files on a node and restart its containerd, whatever comes of that."""
    lines = []
    for path, text in files.items():
        folder = shlex.quote(path.rpartition("/")[0])
        lines.append(f"mkdir -p {folder}; printf %s {shlex.quote(text)} >{shlex.quote(path)}")
    lines.append("systemctl restart containerd; sleep 1; true")
    lab.nodes[name].sh("\n".join(lines))


def cri_status(lab: Lab, name: str) -> str:
    return lab.nodes[name].sh("ctr plugins ls id==cri").stdout.split()[-1]


@pytest.mark.parametrize(("name", "config", "dead"), HEALED.values(), ids=HEALED)
def test_what_kills_cri_is_found_and_healed(
    nodes: Lab, fleet: Fleet, name: str, config: str, dead: bool
) -> None:
    fleet.write("mirrors.yaml", ONE)
    plant(nodes, name, {CONFIG: config})
    assert cri_status(nodes, name) == ("error" if dead else "ok")

    probed = fleet("probe", "-l", name, "--json").json["nodes"][name]
    ran = fleet("rollout", "-y", "-l", name, "--soak", "1", "--json")

    assert probed["state"] == ("conflict" if dead else "unmanaged")
    assert [each["effect"] for each in probed["conflicts"]] == ["heals"]
    assert probed["conflicts"][0]["stops_cri"] is dead
    assert ran.code == 0, ran.text
    assert ran.json["nodes"][name]["status"] == "converged"
    assert cri_status(nodes, name) == "ok"
    healed = nodes.nodes[name].sh(f"cat {CONFIG}").stdout
    assert "mirrors" not in healed
    assert "tls" not in healed
    assert "quay.io" in nodes.nodes[name].sh(f"cat {CERTS}/quay.io/hosts.toml").stdout

    again = fleet("rollout", "-y", "-l", name, "--json")
    assert again.json["nodes"][name]["status"] == "unchanged"


REFUSED = {
    "CRI switched off": (
        "trixie1",
        'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
        "cri-disabled",
        "disabled_plugins lists",
    ),
    "Docker's package": ("bookworm1", 'disabled_plugins = ["cri"]\n', "cri-disabled", "Docker"),
    "a file that the daemon refuses": (
        "trixie1",
        'version = 2\nrequired_plugins = ["cri"]\n',
        "refused-config",
        "accepts only full plugin URIs",
    ),
}


@pytest.mark.parametrize(("name", "config", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_what_fleet_cannot_heal_is_refused_untouched(
    nodes: Lab, fleet: Fleet, name: str, config: str, code: str | None, words: str
) -> None:
    plant(nodes, name, {CONFIG: config})
    before = nodes.nodes[name].digests("/etc", "/var/lib/fleet")

    probed = fleet("probe", "-l", name, "--json").json["nodes"][name]
    ran = fleet("rollout", "-y", "-l", name, "--json")

    assert probed["state"] == "conflict"
    assert code is None or code in {each["code"] for each in probed["conflicts"]}
    assert ran.code in {1, 3}
    assert words in ran.json["nodes"][name]["failure"]["message"]
    assert nodes.nodes[name].digests("/etc", "/var/lib/fleet") == before


def test_foreign_folders_are_judged_adopted_kept_or_overwritten(nodes: Lab, fleet: Fleet) -> None:
    name = "trixie1"
    files = {
        CONFIG: f"version = 2\n{PATH}",
        f"{CERTS}/docker.io/hosts.toml": "server = 'https://registry-1.docker.io'\n",
        f"{CERTS}/a.example:5000/hosts.toml": "[host.'https://x']\n",
        f"{CERTS}/a.example_5000_/hosts.toml": "[host.'https://y']\n",
        f"{CERTS}/broken.example/hosts.toml": "[host.'https://b']\n[host.'https://b']\n",
        f"{CERTS}/words.example/hosts.toml": "[host.'https://c']\ncapabilities = ['referrers']\n",
    }
    fleet.write(
        "mirrors.yaml", f"{ONE}  a.example:5000: {{endpoints: [https://docker.m.daocloud.io]}}\n"
    )
    plant(nodes, name, files)
    node = nodes.nodes[name]

    probed = fleet("probe", "-l", name, "--json").json["nodes"][name]
    kept = fleet("diff", "-l", name, "--keep", "--json").json["nodes"][name]
    adopted = fleet("rollout", "-y", "-l", name, "--json")

    codes = {each["code"]: each["where"] for each in probed["conflicts"]}
    assert codes["shadowed-folder"] == f"{CERTS}/a.example:5000"
    assert codes["duplicate-host"].startswith(f"{CERTS}/broken.example/hosts.toml")
    assert codes["hosts-refused"] == f"{CERTS}/words.example/hosts.toml"
    assert kept["changes"] == []
    assert any("keeps" in note for note in kept["notes"])
    assert adopted.json["nodes"][name]["status"] == "converged", adopted.text
    assert "daocloud" in node.sh(f"cat {CERTS}/a.example_5000_/hosts.toml").stdout
    assert "https://x" in node.sh(f"cat {CERTS}/a.example:5000/hosts.toml").stdout
    assert fleet("rollback", "-y", "-l", name).code == 0
    for path, text in files.items():
        assert node.sh(f"cat {shlex.quote(path)}").stdout == text

    over = fleet("rollout", "-y", "-l", name, "--overwrite", "--json")

    assert over.json["nodes"][name]["status"] == "converged", over.text
    left = node.sh(f"find {CERTS} -name hosts.toml | sort").stdout.split()
    assert left == [f"{CERTS}/a.example_5000_/hosts.toml", f"{CERTS}/docker.io/hosts.toml"]
    assert fleet("rollback", "-y", "-l", name).code == 0
    for path, text in files.items():
        assert node.sh(f"cat {shlex.quote(path)}").stdout == text


IMPORTS = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'


@pytest.mark.parametrize("name", ["bookworm1", "forky1"])
def test_an_import_is_edited_where_its_word_counts(nodes: Lab, fleet: Fleet, name: str) -> None:
    """What nvidia-ctk leaves: a drop-in with a copy of CRI's whole table."""
    fleet.write("mirrors.yaml", ONE)
    drop_in = "/etc/containerd/conf.d/99-nvidia.toml"
    copy = f"version = 2\n{CRI}]\n  sandbox_image = 'registry.k8s.io/pause:3.9'\n{MIRRORS}"
    plant(nodes, name, {CONFIG: f"{IMPORTS}{CRI}]\n  max_conf_num = 1\n", drop_in: copy})
    before = nodes.nodes[name].digests("/etc")

    ran = fleet("rollout", "-y", "-l", name, "--soak", "1", "--json")

    assert ran.json["nodes"][name]["status"] == "converged", ran.text
    after = nodes.nodes[name].sh(f"cat {drop_in} {CONFIG}").stdout
    assert "mirrors" not in after
    assert "sandbox_image = 'registry.k8s.io/pause:3.9'" in after
    dump = nodes.nodes[name].sh(f"containerd -c {CONFIG} config dump 2>/dev/null").stdout
    assert CERTS in dump
    assert "pause:3.9" in dump
    assert fleet("rollback", "-y", "-l", name, "--soak", "1").code == 0
    assert nodes.nodes[name].digests("/etc") == before


def test_a_config_below_usr_is_copied_and_the_unit_points_to_the_copy(
    nodes: Lab, fleet: Fleet
) -> None:
    """What Flatcar has: a read-only config of its own, named on the command line."""
    fleet.write("mirrors.yaml", ONE)
    node = nodes.nodes["trixie1"]
    own = "/usr/share/containerd/config.toml"
    unit = "/etc/systemd/system/containerd.service.d/own.conf"
    text = f"[Service]\nExecStart=\nExecStart=/usr/bin/containerd --config {own}\n"
    try:
        node.sh(f"mkdir -p {own.rpartition('/')[0]}; mv {CONFIG} {own}")
        plant(nodes, "trixie1", {unit: text})
        node.sh("systemctl daemon-reload; systemctl restart containerd; sleep 1")
        before = node.digests("/etc", "/usr/share/containerd")

        ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "1", "--json")

        assert ran.json["nodes"]["trixie1"]["status"] == "converged", ran.text
        command = node.sh(f"tr '\\0' ' ' </proc/{main_pid(nodes, 'trixie1')}/cmdline").stdout
        assert command.strip() == f"/usr/bin/containerd --config {CONFIG}"
        again = fleet("rollout", "-y", "-l", "trixie1", "--json")
        assert again.json["nodes"]["trixie1"]["status"] == "unchanged"
        assert fleet("rollback", "-y", "-l", "trixie1", "--soak", "1").code == 0
        assert node.digests("/etc", "/usr/share/containerd") == before
        command = node.sh(f"tr '\\0' ' ' </proc/{main_pid(nodes, 'trixie1')}/cmdline").stdout
        assert own in command
    finally:
        node.sh(f"rm -rf {own.rpartition('/')[0]}")
