"""Releases that no suite has, on real nodes: 1.5, 2.0, 2.2 and 2.3 in place of the suite's own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.e2e.test_conflicts import CERTS, CONFIG, CRI, IMG, MIRRORS, ONE, cri_status, plant
from tests.e2e.test_waking import check_defects
from tests.lab import Lab
from tests.lab.containerds import containerds
from tests.lab.crictl import crictl_for
from tests.support.fleet import Fleet, remember

pytestmark = pytest.mark.e2e

NODE = {"1.5.18": "bookworm1", "2.0.11": "forky1", "2.2.1": "forky1", "2.3.4": "forky1"}
HIDDEN = f"{CERTS}/quay.io/hosts.toml"


@pytest.fixture
def node_of(nodes: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a node that runs the release that the test names."""
    version = request.param
    judge = next((each for each in containerds() if each.version == version), None)
    if judge is None or judge.binary is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    name = NODE[version]
    node = nodes.nodes[name]
    node.sh("systemctl stop containerd")
    shutil.copy2(judge.binary, node.root / "usr/bin/containerd")
    if version.startswith("1.5.") and (client := crictl_for("bullseye")) is not None:
        shutil.copy2(client, node.root / "usr/local/bin/crictl")  # newer ones speak CRI v1 alone
    node.sh("rm -rf /var/lib/containerd/*; systemctl start containerd; sleep 1")
    yield name
    nodes.reset([name])
    remember(node)


def pulled_by(lab: Lab, name: str, image: str) -> bool:
    """Say whether a pull by CRI on the node reached the mirror."""
    node = lab.nodes[name]
    began = time.time()
    node.sh("images=$(ctr -n k8s.io images ls -q); ctr -n k8s.io images rm --sync $images; true")
    node.sh(f"crictl pull {image}")
    served = [each for each in lab.registry.access(began) if node.address in each.remote]
    return any("/v2/library/busybox/" in each.path for each in served)


@pytest.mark.usefixtures("crictl")
@pytest.mark.parametrize("node_of", list(NODE), indirect=True)
def test_a_rollout_and_its_way_back(nodes: Lab, fleet: Fleet, node_of: str) -> None:
    fleet.write("mirrors.yaml", ONE)
    node = nodes.nodes[node_of]
    before = node.digests("/etc")
    start = int(time.time())

    ran = fleet("rollout", "-y", "-l", node_of, "--soak", "1", "--json")

    outcome = ran.json["nodes"][node_of]
    assert (outcome["status"], outcome["strategy"]) == ("converged", "certs.d"), ran.text
    assert outcome["containerd"] in NODE
    assert outcome["liveness"]["state"] == "live", outcome
    assert pulled_by(nodes, node_of, "docker.io/library/busybox:1.36")
    log = node.sh(f"journalctl -u containerd --since @{start} --no-pager").stdout
    assert "failed to decode" not in log
    assert fleet("rollback", "-y", "-l", node_of, "--soak", "1").code == 0
    assert node.digests("/etc") == before


@pytest.mark.usefixtures("crictl")
@pytest.mark.parametrize("node_of", ["2.2.1", "2.3.4"], indirect=True)
@pytest.mark.parametrize("joined", [False, True], ids=["the default", "two directories"])
def test_a_config_path_that_is_silently_ignored_is_found_and_healed(
    nodes: Lab, fleet: Fleet, node_of: str, joined: bool
) -> None:
    fleet.write("mirrors.yaml", ONE)
    table = f'{CRI}.registry]\n  config_path = "{CERTS}:/etc/docker/certs.d"\n' if joined else ""
    mirror = '[host."https://docker.m.daocloud.io"]\n  capabilities = ["pull", "resolve"]\n'
    plant(
        nodes,
        node_of,
        {CONFIG: f"version = 2\n{table}", f"{CERTS}/docker.io/hosts.toml": mirror},
    )
    with pytest.raises(Exception, match="lookup registry-1"):
        pulled_by(nodes, node_of, "docker.io/library/busybox:1.36")

    probed = fleet("probe", "-l", node_of, "--json").json["nodes"][node_of]
    asked = fleet("verify", "-l", node_of, "--json").json["nodes"][node_of]
    ran = fleet("rollout", "-y", "-l", node_of, "--soak", "1", "--json")

    assert asked["liveness"]["state"] == "not_reading", asked
    assert ran.json["nodes"][node_of]["liveness"]["state"] == "live", ran.text
    code = "config-path-list" if joined else "config-path-default"
    assert {each["code"]: each["effect"] for each in probed["conflicts"]} == {code: "heals"}
    assert ran.json["nodes"][node_of]["status"] == "converged", ran.text
    assert pulled_by(nodes, node_of, "docker.io/library/busybox:1.36")


@pytest.mark.usefixtures("crictl")
@pytest.mark.parametrize("node_of", ["2.0.11", "2.2.1"], indirect=True)
def test_what_fleet_says_of_a_defect_is_what_these_do(
    nodes: Lab, fleet: Fleet, node_of: str, request: pytest.FixtureRequest
) -> None:
    check_defects(nodes, fleet, {node_of: request.node.callspec.params["node_of"]})


@pytest.mark.parametrize("node_of", ["2.2.1"], indirect=True)
def test_legacy_mirrors_alone_kill_cri_of_2_2_1_and_are_healed(
    nodes: Lab, fleet: Fleet, node_of: str
) -> None:
    fleet.write("mirrors.yaml", ONE)
    plant(nodes, node_of, {CONFIG: f"version = 2\n{MIRRORS}"})
    assert cri_status(nodes, node_of) == "error"

    probed = fleet("probe", "-l", node_of, "--json").json["nodes"][node_of]
    ran = fleet("rollout", "-y", "-l", node_of, "--soak", "1", "--json")

    assert probed["conflicts"][0]["stops_cri"]
    assert ran.json["nodes"][node_of]["status"] == "converged", ran.text
    assert cri_status(nodes, node_of) == "ok"


def test_a_table_of_the_wrong_version_is_told_and_the_right_one_written(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    plant(nodes, "forky1", {CONFIG: f'version = 3\n{CRI}.registry]\n  config_path = "{CERTS}"\n'})

    probed = fleet("probe", "-l", "forky1", "--json").json["nodes"]["forky1"]
    ran = fleet("rollout", "-y", "-l", "forky1", "--soak", "1", "--json")

    assert [each["code"] for each in probed["conflicts"]] == ["wrong-table"]
    assert probed["conflicts"][0]["where"] == f"{CONFIG}:2"
    assert ran.json["nodes"]["forky1"]["status"] == "converged", ran.text
    assert f"{IMG[:-1]}" in nodes.nodes["forky1"].sh(f"cat {CONFIG}").stdout.replace('"', "'")


def test_a_generated_root_gets_a_drop_in(nodes: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    root = (
        "# Generated by a program. DO NOT EDIT.\nversion = 2\n"
        'imports = ["/etc/containerd/conf.d/*.toml"]\n'
        f'{CRI}]\n  sandbox_image = "registry.k8s.io/pause:3.9"\n'
    )
    other = "version = 2\n[debug]\n  level = 'info'\n"
    plant(nodes, "forky1", {CONFIG: root, "/etc/containerd/conf.d/10-x.toml": other})
    before = nodes.nodes["forky1"].digests("/etc")

    ran = fleet("rollout", "-y", "-l", "forky1", "--soak", "1", "--json")

    assert ran.json["nodes"]["forky1"]["status"] == "converged", ran.text
    assert nodes.nodes["forky1"].sh(f"cat {CONFIG}").stdout == root
    drop_in = nodes.nodes["forky1"].sh("cat /etc/containerd/conf.d/90-fleet.toml").stdout
    assert "version = 2\n" in drop_in
    assert CERTS in nodes.nodes["forky1"].sh("containerd config dump 2>/dev/null").stdout
    assert fleet("rollback", "-y", "-l", "forky1", "--soak", "1").code == 0
    assert nodes.nodes["forky1"].digests("/etc") == before


FULL = """
version: 1
defaults: {dial_timeout: 3s}
mirrors:
  docker.io:
    endpoints:
      - {url: https://docker.m.daocloud.io, ca: ca.pem, client: [[cert.pem, key.pem]],
         header: {X-Site: [a, b]}, capabilities: [pull, resolve]}
      - {url: 'https://[2001:db8::1]:5000/v2/hub', override_path: true, skip_verify: true}
      - {url: http://10.0.0.5:5000}
    verify: docker.io/library/busybox:1.36
  harbor.example:5000: {endpoints: [https://docker.m.daocloud.io], fallback: never}
  '[2001:db8::2]:5000': {endpoints: [https://docker.m.daocloud.io]}
  '*': {endpoints: [https://docker.m.daocloud.io]}
"""


@pytest.mark.usefixtures("crictl")
def test_a_hosts_toml_with_every_key_is_read_by_every_release(nodes: Lab, fleet: Fleet) -> None:
    names = ("bookworm1", "trixie1", "forky1")
    fleet.write("mirrors.yaml", FULL)
    authority = nodes.authority.read_text()
    fleet.write("ca.pem", authority)
    _write_pair(fleet)

    start = int(time.time())

    ran = fleet("rollout", "-y", "-l", ":".join(names), "--batch", "3", "--soak", "1", "--json")

    assert ran.code == 0, ran.text
    for name in names:
        node = nodes.nodes[name]
        assert ran.json["nodes"][name]["verified"][0]["ok"]
        assert pulled_by(nodes, name, "docker.io/library/busybox:1.36")
        for image in (
            "harbor.example:5000/library/busybox:1.36",
            "any.example/library/busybox:1.36",
        ):
            began = time.time()
            node.sh(f"crictl pull {image}")
            served = [each for each in nodes.registry.access(began) if node.address in each.remote]
            assert served, f"{name}: {image} did not come through the mirror"
        log = node.sh(f"journalctl -u containerd --since @{start} --no-pager").stdout
        assert "failed to decode" not in log
        assert "2001:db8::1" not in log, f"{name}: the second host was asked before the first"
        private = node.sh(f"stat -c '%a %n' {CERTS}/docker.io/*").stdout.splitlines()
        modes = {line.split()[1].rpartition(".d/")[2]: line.split()[0] for line in private}
        assert modes["docker.io/hosts.toml"] == "600"
        assert modes["docker.io/docker.m.daocloud.io.0.client.key.pem"] == "600"


def _write_pair(fleet: Fleet) -> None:
    words = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=node -keyout key.pem -out cert.pem"
    subprocess.run(words.split(), cwd=fleet.folder, check=True, capture_output=True)
