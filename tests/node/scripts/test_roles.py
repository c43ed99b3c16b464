"""lib/roles.sh: evidence of a control plane."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

CGROUPS = {
    "of a pod": ("0::/kubepods/pod1234abcd-1234-1234-1234-123456789abc/x\n", True),
    "of a pod by systemd": ("0::/kubepods-pod1234abcd_1234_1234_1234_123456789abc.slice\n", True),
    "of a static pod": ("0::/kubepods/pod0123456789abcdef0123456789abcdef/x\n", False),
    "of a service": ("0::/system.slice/etcd.service\n", False),
}


@pytest.mark.parametrize(("cgroup", "expected"), CGROUPS.values(), ids=CGROUPS)
def test_a_process_of_an_api_pod_is_told_by_its_cgroup(
    shell: Shell, cgroup: str, *, expected: bool
) -> None:
    (shell.folder / "cgroup").write_text(cgroup)

    done = shell.run("roles", "roles_is_of_pod .", ACTIVE="")

    assert (done.code == 0) is expected


UNITS = {
    "k3s": ["unit k3s"],
    "rke2-server": ["unit rke2-server"],
    "k0scontroller": ["unit k0scontroller"],
    "k3s-agent": [],
    "": [],
}


@pytest.mark.parametrize(("unit", "expected"), UNITS.items())
def test_an_active_unit_of_a_server_is_evidence(
    shell: Shell, unit: str, expected: list[str]
) -> None:
    shell.stand_in("grep", "")

    done = shell.run("roles", "roles_control_plane", ACTIVE=unit)

    found = [text for text in done.reply.texts("control_plane") if text.startswith("unit")]
    assert found == expected


@pytest.mark.parametrize(("comm", "expected"), [("etcd", ["process etcd"]), ("k3s-agent", [])])
def test_a_process_of_a_server_is_evidence(shell: Shell, comm: str, expected: list[str]) -> None:
    (shell.folder / "7").mkdir()
    (shell.folder / "7/comm").write_text(f"{comm}\n")
    (shell.folder / "7/cgroup").write_text("0::/system.slice\n")
    shell.stand_in("grep", f"echo {shell.folder}/7/comm")

    done = shell.run("roles", "roles_control_plane", ACTIVE="k3s-agent")

    found = [text for text in done.reply.texts("control_plane") if text.startswith("process")]
    assert found == expected


def test_the_agent_of_k3s_is_not_its_server(shell: Shell) -> None:
    (shell.folder / "7").mkdir()
    (shell.folder / "7/comm").write_text("k3s-agent\n")
    shell.stand_in("grep", f"echo {shell.folder}/7/comm")

    done = shell.run("roles", "roles_control_plane", ACTIVE="k3s")

    assert "unit k3s" not in list(done.reply.texts("control_plane"))
