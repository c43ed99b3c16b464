"""The paths of k3s and RKE2 on a node, and the files that they should generate there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign
from fleet.core.render.base import DesiredConfig
from fleet.core.render.k3s import K3s
from fleet.core.render.k3s_paths import generated_files, registries_path, templates
from tests.support.build import facts_with, healthy, owned_by, registry

HUB = registry("docker.io", "https://m.test")
BASE = "/data/agent/etc/containerd"
HOSTS = 'server = "https://registry-1.docker.io/v2"\n[host."{url}/v2"]\n'


def node(files: dict[str, str] | None = None, **settings: Any) -> NodeFacts:
    """Return a node of k3s with these settings."""
    facts = owned_by(facts_with(files or {}), "k3s")
    rancher = replace(facts.daemon.rancher, **settings)
    config = replace(facts.config, path=f"{BASE}/config.toml")
    return replace(facts, daemon=replace(facts.daemon, rancher=rancher), config=config)


def test_the_file_that_private_registry_names_is_written() -> None:
    facts = node(registries="/etc/r.yaml", data_dir="/data")

    desired = K3s().render(facts, DesiredConfig((HUB,)))

    assert list(desired.files) == ["/etc/r.yaml"]
    assert desired.generated is not None
    assert desired.generated.paths == (
        f"{BASE}/config.toml",
        f"{BASE}/certs.d/docker.io/hosts.toml",
    )


def test_a_node_that_is_not_asked_has_the_usual_paths() -> None:
    assert registries_path(node(registries="")) == "/etc/rancher/k3s/registries.yaml"
    usual = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl"
    assert list(templates(node({usual: ""}, data_dir=""))) == [usual]


ODD = {
    "a relative path": {"registries": "r.yaml"},
    "a text of several lines": {"registries": ">-"},
    "a home": {"data_dir": "~/data"},
    "a way out": {"data_dir": "/data/../x"},
}


@pytest.mark.parametrize("settings", ODD.values(), ids=ODD)
def test_odd_paths_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(NodeError, match="fleet cannot use ") as raised:
        registries_path(node(**settings))

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED


def test_logins_of_fleet_are_expected_in_config_toml() -> None:
    paths = [("mirrors", "docker.io"), ("configs", "m.test", "auth"), ("configs", "m.test", "tls")]

    generated = generated_files(node(), (HUB,), {}, dict.fromkeys(paths))

    assert generated.logins == ("m.test",)


def in_force(url: str) -> NodeFacts:
    """Return a node whose registries.yaml is as desired, and what k3s has generated."""
    path = "/etc/rancher/k3s/registries.yaml"
    facts = node(data_dir="/data")
    written = K3s().render(facts, DesiredConfig((HUB,))).files[path]
    texts = {
        f"{BASE}/config.toml": "[plugins.'io.containerd.grpc.v1.cri'.registry]\n"
        f"config_path = '{BASE}/certs.d'\n",
        f"{BASE}/certs.d/docker.io/hosts.toml": HOSTS.format(url=url),
    }
    files = {name: ManagedFile(text.encode()) for name, text in texts.items()}
    return healthy(replace(facts, files={path: written, **files}))


def test_nothing_to_change_where_other_mirrors_are_in_force_is_refused() -> None:
    with pytest.raises(NodeError, match="k3s generated other settings") as raised:
        K3s().render(in_force("https://old.test"), DesiredConfig((HUB,)))

    assert raised.value.failure.kind is FailureKind.CONFLICT
    assert "systemctl restart" in raised.value.failure.remedy


OTHERS = {
    "what is in force is as desired": (in_force("https://m.test"), HUB),
    "a change is due, with a restart": (
        in_force("https://old.test"),
        registry("docker.io", "https://new.test"),
    ),
    "a node that is read from a folder": (
        replace(in_force("https://old.test"), offline=True),
        HUB,
    ),
}


@pytest.mark.parametrize(("facts", "item"), OTHERS.values(), ids=OTHERS)
def test_other_nodes_are_planned(facts: NodeFacts, item: Any) -> None:
    desired = K3s().render(facts, DesiredConfig((item,), False, Foreign.ADOPT))

    assert desired.generated is not None
