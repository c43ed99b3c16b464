"""The view of registry files: the same for every form in which a setting may be written."""

from __future__ import annotations

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.plan.registry_view import RegistryView, View, read_view

A = "https://a.example"
FORMS = {
    "hosts.toml": ("/c/quay.io/hosts.toml", f'server = "https://quay.io"\n[host."{A}"]\n'),
    "dotted keys": ("/c/quay.io/hosts.toml", f'[host]\n"{A}".capabilities = ["pull", "resolve"]'),
    "config.toml": (
        "/etc/config.toml",
        f'[plugins."io.containerd.grpc.v1.cri".registry.mirrors."quay.io"]\nendpoint = ["{A}"]',
    ),
    "config.toml of 2.x": (
        "/etc/config.toml",
        '[plugins."io.containerd.cri.v1.images".registry.mirrors."quay.io"]\n'
        f'endpoint = ["{A}", "https://quay.io"]',
    ),
    "registries.yaml": ("/r/registries.yaml", f"mirrors: {{quay.io: {{endpoint: [{A}]}}}}"),
}


@pytest.mark.parametrize(("path", "text"), FORMS.values(), ids=FORMS)
def test_a_registry_is_the_same_in_every_form(path: str, text: str) -> None:
    found = read_view(path, ManagedFile(text.encode()))

    assert found.registries == {"quay.io": RegistryView((A,), {A: {}})}


def test_the_wildcard_has_one_name() -> None:
    text = f'[plugins."io.containerd.grpc.v1.cri".registry.mirrors."*"]\nendpoint = ["{A}"]'

    assert list(read_view("/c.toml", ManagedFile(text.encode())).registries) == ["_default"]


def test_a_folder_with_a_port_is_its_registry() -> None:
    found = read_view("/c/r.example_5000_/hosts.toml", ManagedFile(b""))

    assert list(found.registries) == ["r.example:5000"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/c/quay.io/hosts.toml", b"[[["),
        ("/c/quay.io/hosts.toml", b"\xff\xfe = 1"),
        ("/etc/config.toml", b"plugins = 1"),
        ("/r/registries.yaml", b"\t- {"),
        ("/r/registries.yaml", b"- a"),
        ("/r/registries.yaml", b"mirrors: {quay.io: 1}"),
        ("/etc/other", b"x"),
    ],
)
def test_what_cannot_be_read_is_an_empty_view(path: str, content: bytes) -> None:
    assert read_view(path, ManagedFile(content)) == View()


def test_a_missing_file_is_an_empty_view() -> None:
    assert read_view("/c/quay.io/hosts.toml", None) == View()
