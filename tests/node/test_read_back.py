"""The files that a Kubernetes distribution has generated, read back after its restart."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.plan.node_plan import PlannedConfig
from fleet.core.render.generated_hosts import GeneratedFiles, meant_files
from fleet.node.read_back import refuse_other_files
from fleet.node.script import Privilege
from fleet.ssh import connect
from tests.support.build import release
from tests.support.orders import plan_of
from tests.support.ssh_server import Answer, in_turn, ssh_server

MEANT = meant_files(
    GeneratedFiles(
        owner="k3s",
        config="/c/config.toml",
        folder="/c/certs.d",
        version=release("2.1.9"),
        registries=(),
    ),
    ["docker.io"],
    {"mirrors": {"docker.io": {"endpoint": ["https://m.test"]}}},
    (),
)
CONFIG = "[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/c/certs.d'\n"
HOSTS = 'server = "https://registry-1.docker.io/v2"\n[host."https://m.test/v2"]\n'


def report(files: Mapping[str, str]) -> Answer:
    """Return the answer of a node that has these files."""

    def coded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    names = "".join(f"{path}\n" for path in files)
    stats = "".join(f"644 0 0 1 {len(text)}\n" for text in files.values())
    contents = f"contents\t{coded(''.join(files.values()))}\n"
    listed = f"files\t{coded('f' * len(files))}\t{coded(names)}\t{coded(stats)}\n"
    return Answer(f"begun\t=plain\nhello\t=0\n{contents}{listed}end\t=\n")


def read_back(folder: Path, files: Mapping[str, str], meant: GeneratedFiles | None) -> list[str]:
    """Compare what a node reports with what is meant; return the inputs of its commands."""
    with ssh_server(folder, in_turn(report(files))) as server:
        plan = plan_of(config=PlannedConfig(generated=meant))
        with connect(plan.node, server.settings) as remote:
            refuse_other_files(remote, plan, Privilege(sudo=False))
        return server.inputs


def test_all_files_are_read_back(tmp_path: Path) -> None:
    files = {"/c/config.toml": CONFIG, "/c/certs.d/docker.io/hosts.toml": HOSTS}

    (script,) = read_back(tmp_path, files, MEANT)

    assert "PATHS='/c/config.toml\n/c/certs.d/docker.io/hosts.toml'\n" in script


def test_files_that_mean_something_else_are_a_failure(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="k3s generated other settings than desired") as raised:
        read_back(tmp_path, {"/c/config.toml": CONFIG}, MEANT)

    failure = raised.value.failure
    assert (failure.kind, failure.step) == (FailureKind.VERIFY, Step.READ_BACK)
    assert failure.evidence == "k3s wrote no hosts.toml for docker.io below /c/certs.d"


def test_a_node_that_generates_nothing_is_not_asked(tmp_path: Path) -> None:
    assert read_back(tmp_path, {}, None) == []
