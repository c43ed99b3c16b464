"""A rollout on real nodes: what becomes of the settings that stand in config.toml."""

from __future__ import annotations

import re

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = pytest.mark.e2e


def test_a_joined_config_path_is_mended_where_it_is_broken_and_kept_where_it_works(
    nodes: Lab, fleet: Fleet
) -> None:
    joined = "/etc/containerd/certs.d:/etc/docker/certs.d"
    table = '[plugins."io.containerd.grpc.v1.cri".registry]'
    for name in ("bookworm1", "forky1"):
        nodes.nodes[name].sh(
            f"printf '%s\\n' '{table}' '  config_path = \"{joined}\" # ours'"
            " >>/etc/containerd/config.toml; systemctl restart containerd; sleep 1"
        )
    pids = {name: main_pid(nodes, name) for name in ("bookworm1", "forky1")}

    probe = fleet("probe", "-l", "forky1", "--json").json["nodes"]["forky1"]
    ran = fleet("rollout", "-y", "--batch", "2", "-l", "bookworm1:forky1", "--json")

    assert probe["registry_config"] == joined
    assert "reads none of them" in probe["conflicts"][0]["message"]
    assert ran.code == 0, ran.text
    texts = {name: nodes.nodes[name].sh("cat /etc/containerd/config.toml").stdout for name in pids}
    assert f'config_path = "{joined}" # ours' in texts["bookworm1"]
    assert 'config_path = "/etc/containerd/certs.d" # ours' in texts["forky1"]
    assert main_pid(nodes, "bookworm1") == pids["bookworm1"]
    assert main_pid(nodes, "forky1") != pids["forky1"]


def test_credentials_reach_the_node_masked_and_for_root_alone(nodes: Lab, fleet: Fleet) -> None:
    fleet.edit("mirrors.yaml", "version: 1\n", "version: 1\nconfigs:\n  dockerproxy.com:\n"
               "    auth: {username: robot, password: env:LAB_SECRET}\n")  # fmt: skip
    fleet.edit("mirrors.yaml", "      - https://docker.m.daocloud.io\n",
               "      - {url: https://docker.m.daocloud.io, skip_verify: true}\n")  # fmt: skip

    ran = fleet("rollout", "-y", "--batch", "4", env={"LAB_SECRET": "hunter2-hunter2"})

    assert ran.code == 0, ran.text
    assert "hunter2" not in ran.text
    assert "password = ***#" in ran.stdout
    for name, node in nodes.nodes.items():
        config = node.sh("cat /etc/containerd/config.toml; stat -c %a /etc/containerd/config.toml")
        assert 'password = "hunter2-hunter2"' in config.stdout
        assert config.stdout.endswith("600\n"), name
    assert (
        "insecure_skip_verify = true"
        in nodes.nodes["bullseye1"].sh("cat /etc/containerd/config.toml").stdout
    )
    assert "hunter2" not in fleet("diff").text
    fleet.edit("mirrors.yaml", "configs:\n  dockerproxy.com:\n"
               "    auth: {username: robot, password: env:LAB_SECRET}\n", "")  # fmt: skip
    shown = [fleet("diff", "--engine", engine).stdout for engine in ("threads", "processes")]
    assert "-  password = ***#" in shown[0]
    assert shown[0] == shown[1]
    back = fleet("rollout", "-y", "--batch", "4")
    assert back.code == 0, back.text
    assert "hunter2" not in back.text
    assert shown[0].count("***#") == len(re.findall(r"[*]{3}#[0-9a-f]{12}\b", shown[0]))
    left = nodes.nodes["trixie1"].sh("grep -c hunter2 /etc/containerd/config.toml", check=False)
    assert left.stdout == "0\n"


@pytest.mark.usefixtures("crictl")
def test_a_wildcard_is_proven_with_and_without_a_folder_of_hosts(nodes: Lab, fleet: Fleet) -> None:
    """Legacy nodes have no folder, so ctr goes by one of ours: in what its own release reads."""
    endpoint = "{url: https://docker.m.daocloud.io}"
    verify = "verify: any.example/library/busybox:1.36"
    fleet.write("mirrors.yaml", f"mirrors: {{'*': {{endpoints: [{endpoint}], {verify}}}}}\n")
    names = ("bullseye1", "bookworm1", "forky1")

    ran = fleet("rollout", "-y", "-l", ":".join(names), "--batch", "3", "--soak", "1", "--json")
    again = fleet("verify", "-l", ":".join(names), "--json")

    assert ran.code == 0, ran.text
    for name in names:
        (verdict,) = ran.json["nodes"][name]["verified"]
        assert (verdict["ok"], verdict["mirror"]) == (True, "docker.m.daocloud.io"), verdict
    assert again.code == 0, again.text
