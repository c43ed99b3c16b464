"""Where a name can be planted for the daemon to be asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, ConfigFacts, DaemonFacts, NodeFacts, PathFacts
from fleet.core.model.version import parse_version
from fleet.core.plan.hosts_directory import active_hosts_directory, folder_before

CONFIG = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{}"\n'


def facts(version: str, config_path: str, *directories: str) -> NodeFacts:
    path = "/etc/containerd/config.toml"
    text = CONFIG.format(config_path) if config_path else "version = 2\n"
    return NodeFacts(
        daemon=DaemonFacts(running_version=parse_version(version)),
        config=ConfigFacts(dump=Answer(text, 0)),
        files={path: ManagedFile(text.encode())},
        paths=PathFacts(directories=frozenset(directories)),
    )


@pytest.mark.parametrize(
    ("version", "config_path", "folder", "direct"),
    [
        pytest.param("1.4.13", "/c", None, True, id="legacy reads no folder"),
        pytest.param("1.6.20", "/c", "/c", True, id="the folder in force"),
        pytest.param("1.7.24", "/d:/c", "/c", True, id="the first that is there"),
        pytest.param("2.1.9", "/d:/c", None, True, id="a list that is not read"),
        pytest.param("2.1.9", "", None, True, id="none is set"),
        pytest.param("1.5.18", "", None, False, id="loopback wants TLS"),
    ],
)
def test_the_ground_is_the_folder_that_is_in_force(
    version: str, config_path: str, folder: str | None, direct: bool
) -> None:
    found = active_hosts_directory(facts(version, config_path, "/c"))

    assert (found.folder, found.direct) == (folder, direct)
    assert bool(found.reason) is (folder is None)


def test_what_is_in_force_before_a_change_is_no_riddle_where_it_cannot_be_told() -> None:
    known = facts("1.7.24", "/c", "/c")

    assert folder_before(known) == "/c"
    assert folder_before(facts("1.4.13", "/c", "/c")) == ""
    daemon = known.daemon
    assert folder_before(replace(known, daemon=replace(daemon, owner="k0s"))) == ""
    assert folder_before(replace(known, daemon=replace(daemon, running_version=None))) == ""
    assert folder_before(replace(known, files={known.config.path: ManagedFile(b"[")})) == ""
