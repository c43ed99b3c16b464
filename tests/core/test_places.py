"""Paths and what stands at them: one spelling, one identity."""

from __future__ import annotations

import pytest

from fleet.core.places import Kind, Place, clean_path, hosts_directories, identity_of, real_path

SPELLINGS = {
    "/etc/containerd/certs.d": "/etc/containerd/certs.d",
    "/etc/containerd/certs.d/": "/etc/containerd/certs.d",
    "//etc//containerd/./certs.d/.": "/etc/containerd/certs.d",
    "/etc/x/../containerd/certs.d": "/etc/containerd/certs.d",
    "/../../etc": "/etc",
    "etc/containerd": "/etc/containerd",
    "/": "/",
}


@pytest.mark.parametrize(("said", "clean"), SPELLINGS.items())
def test_a_path_has_one_spelling(said: str, clean: str) -> None:
    assert clean_path(said) == clean


def test_a_config_path_names_its_folders_in_order() -> None:
    assert hosts_directories("/a/:/b//c:") == ("/a", "/b/c")


def link(real: str, leads: tuple[int, int] | None) -> Place:
    return Place(kind=Kind.LINK, device=1, inode=9, real=real, leads=leads)


def test_a_link_in_any_component_is_followed() -> None:
    places = {
        "/etc/containerd": link("/srv/c", (1, 7)),
        "/etc/containerd/certs.d/quay.io": link("/srv/shared", (1, 8)),
        "/etc/containerd/certs.d/gone": link("/srv/gone", None),
    }

    assert real_path(places, "/etc/containerd/config.toml") == "/srv/c/config.toml"
    assert real_path(places, "/etc/containerd/certs.d/quay.io/hosts.toml") == (
        "/srv/shared/hosts.toml"
    )
    assert real_path(places, "/opt/other") == "/opt/other"
    assert identity_of(places, "/etc/containerd/certs.d/quay.io") == (1, 8)
    assert identity_of(places, "/etc/containerd/certs.d/gone") is None
