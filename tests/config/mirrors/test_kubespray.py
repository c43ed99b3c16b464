"""kubespray's own variables as a mirrors file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.load import load_mirrors
from fleet.errors import ConfigErrors

GROUP_VARS = """
---
containerd_storage_dir: /var/lib/containerd
containerd_default_runtime: runc
containerd_registries_mirrors:
  - prefix: docker.io
    server: https://docker.io
    mirrors:
      - host: https://a.example
        capabilities: ["pull", "resolve"]
        skip_verify: false
      - host: http://b.example:5000
        capabilities: pull
      - {host: https://h.example/v2/hub, override_path: true, skip_verify: true,
         auth: {username: u, password: p}}
  - prefix: quay.io
    mirrors: [{host: https://a.example, capabilities: [pull]}]
containerd_registry_auth:
  - {registry: a.example, username: robot, password: secret}
"""


def load(tmp_path: Path, text: str):
    (tmp_path / "containerd.yml").write_text(text)
    return load_mirrors(tmp_path / "containerd.yml")


def test_mirrors_and_credentials_load(tmp_path: Path) -> None:
    config, _ = load(tmp_path, GROUP_VARS)

    hub, quay = config.registries
    assert (hub.name, hub.server) == ("docker.io", "https://registry-1.docker.io")
    assert [mirror.url for mirror in hub.mirrors] == [
        "https://a.example",
        "http://b.example:5000",
        "https://h.example/v2/hub",
    ]
    assert hub.mirrors[1].capabilities == ("pull",)
    assert (hub.mirrors[2].override_path, hub.mirrors[2].skip_verify) == (True, True)
    assert hub.mirrors[2].auth is not None
    assert (quay.name, quay.server) == ("quay.io", "https://quay.io")
    assert quay.mirrors[0].auth is not None
    assert quay.mirrors[0].auth.username == "robot"


def test_mistakes_have_their_place(tmp_path: Path) -> None:
    text = (
        "containerd_registries_mirrors:\n  - prefix: quay.io\n    mirrors:\n"
        "      - {host: a.example, capabilites: [pull]}\n  - {prefix: ../x, mirrors: []}\n"
    )

    with pytest.raises(ConfigErrors) as raised:
        load(tmp_path, text)

    said = str(raised.value)
    assert "containerd.yml:4:16: mirrors.quay.io.endpoint[0]" in said
    assert 'unknown key "capabilites" (did you mean "capabilities"?)' in said
    assert "'../x' is not a registry" in said
