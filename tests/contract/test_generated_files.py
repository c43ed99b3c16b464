"""A node whose distribution generates containerd's files at each restart: they are read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.node.converge import converge
from tests.contract.conftest import Maker
from tests.contract.target import CONFIG, Target, ending

CERTS_D = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
REGISTRIES = "/etc/rancher/k3s/registries.yaml"
_CONFIG = f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{CERTS_D}"
"""
_GENERATE = f"""
mkdir -p {CERTS_D}/docker.io
printf 'server = "https://registry-1.docker.io/v2"\\n[host."{{url}}/v2"]\\n' \
    >{CERTS_D}/docker.io/hosts.toml
"""


@pytest.fixture
def k3s(fakes: Maker) -> Target:
    """Return a fake node of k3s, whose unit is called containerd."""
    target = fakes("trixie")[0]
    target.machine.sh(
        f"mkdir -p {CERTS_D} /etc/rancher/k3s; printf %s '{_CONFIG}' >{CONFIG};"
        " systemctl restart containerd"
    )
    node = replace(
        target.node,
        distro="k3s",
        containerd_service="containerd",
        containerd_config=CONFIG,
        containerd_socket="/run/containerd/containerd.sock",
    )
    return replace(target, node=node)


def test_files_that_were_generated_as_desired_are_confirmed(k3s: Target) -> None:
    order = k3s.staged()

    with k3s.acting("systemctl", "restart*", _GENERATE.format(url="https://m.example")):
        outcome = converge(order)

    assert ending(outcome) == ("converged", "", "")
    assert "https://m.example" in k3s.read(REGISTRIES)
    assert k3s.plan().changes == ()


@pytest.mark.parametrize("action", [":", _GENERATE.format(url="https://other.example")])
def test_other_files_take_the_change_back(k3s: Target, action: str) -> None:
    order = k3s.staged()

    with k3s.acting("systemctl", "restart*", action):
        outcome = converge(order)

    assert ending(outcome) == ("rolled_back", "verify", "read_back")
    assert k3s.read(REGISTRIES) == ""
    assert not k3s.held()
