"""One file under two paths on real nodes: spellings, links and folders that registries share."""

from __future__ import annotations

import pytest

from tests.e2e.test_conflicts import CERTS, CONFIG, CRI, ONE, plant
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
THEIRS = 'server = "https://quay.io"\n'
SPELLINGS = {
    "bookworm1": f"{CERTS}/",
    "trixie1": "//etc/./containerd/x/../certs.d//",
    "forky1": CERTS,
}
NODES = ":".join(SPELLINGS)
# forky's folder is reached by a link, and what is mounted over the other is the same folder.
LINKED = f"""
mv /etc/containerd /srv/containerd
ln -s ../srv/containerd /etc/containerd
mkdir -p {CERTS} /etc/docker/certs.d
mount --bind {CERTS} /etc/docker/certs.d
"""
UNLINKED = """
umount /etc/docker/certs.d
rm -rf /etc/docker /etc/containerd
mv /srv/containerd /etc/containerd
"""


def test_a_second_overwrite_leaves_what_the_first_has_written(nodes: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    nodes.nodes["forky1"].sh(LINKED)
    for name, spelling in SPELLINGS.items():
        table = f'{CRI}.registry]\n  config_path = "{spelling}"\n'
        files = {CONFIG: f"version = 2\n{table}", f"{CERTS}/quay.io/hosts.toml": THEIRS}
        plant(nodes, name, files)
    words = ("-y", "-l", NODES, "--batch", "3", "--soak", "1", "--overwrite", "--json")

    first = fleet("rollout", *words)
    again = fleet("rollout", *words)
    drift = fleet("drift", "-l", NODES, "--exit-code", "--json")
    back = fleet("rollback", "-y", "-l", NODES, "--batch", "3", "--soak", "1")
    theirs = {name: nodes.nodes[name].sh(f"cat {CERTS}/*/hosts.toml").stdout for name in SPELLINGS}
    nodes.nodes["forky1"].sh(UNLINKED)

    assert first.code == 0, first.text
    assert {each["liveness"]["state"] for each in first.json["nodes"].values()} == {"live"}
    assert {each["status"] for each in again.json["nodes"].values()} == {"unchanged"}, again.text
    assert drift.code == 0, drift.text
    assert back.code == 0, back.text
    assert set(theirs.values()) == {THEIRS}


def test_a_folder_of_several_registries_is_refused_until_each_has_its_own(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    for name in SPELLINGS:
        table = f'{CRI}.registry]\n  config_path = "{CERTS}"\n'
        plant(nodes, name, {CONFIG: f"version = 2\n{table}", "/srv/shared/hosts.toml": THEIRS})
        nodes.nodes[name].sh(
            f"mkdir -p {CERTS}; cd {CERTS}; for each in docker.io quay.io ghcr.io; do"
            ' ln -s /srv/shared "$each"; done'
        )
    before = {name: nodes.nodes[name].digests("/etc", "/srv") for name in SPELLINGS}

    probed = fleet("probe", "-l", NODES, "--json")
    refused = fleet("rollout", "-y", "-l", NODES, "--overwrite", "--json")
    now = {name: nodes.nodes[name].digests("/etc", "/srv") for name in SPELLINGS}
    for name in SPELLINGS:
        nodes.nodes[name].sh(f"rm {CERTS}/docker.io; mkdir {CERTS}/docker.io")
    ran = fleet("rollout", "-y", "-l", NODES, "--batch", "3", "--soak", "1", "--json")
    shared = {name: nodes.nodes[name].sh("cat /srv/shared/hosts.toml").stdout for name in SPELLINGS}
    nodes.each(lambda node: node.sh("rm -rf /srv/shared"))

    for each in probed.json["nodes"].values():
        assert "shared-folder" in [found["code"] for found in each["conflicts"]]
    assert refused.code != 0
    for each in refused.json["nodes"].values():
        assert "are one folder (/srv/shared)" in each["failure"]["message"]
    assert now == before
    assert ran.code == 0, ran.text
    assert set(shared.values()) == {THEIRS}
