"""Paths and what stands at them: one spelling, one identity."""

from __future__ import annotations

import time

import pytest

from fleet.core.model.paths import (
    PATH_MAX,
    Kind,
    PathEntry,
    clean_path,
    file_key,
    folders_above,
    hosts_directories,
    identity_of,
    plain_path,
    real_path,
)

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


def link(real: str, leads: tuple[int, int] | None) -> PathEntry:
    return PathEntry(kind=Kind.LINK, device=1, inode=9, real=real, leads=leads)


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


def test_one_file_under_two_paths_has_one_key() -> None:
    folder = PathEntry(kind=Kind.DIRECTORY, device=1, inode=7)
    places = {
        "/a": folder,
        "/b": link("/a", (1, 7)),
        "/c": PathEntry(kind=Kind.DIRECTORY, device=1, inode=8),
    }

    assert file_key(places, "/a/hosts.toml") == file_key(places, "/b/hosts.toml")
    assert file_key(places, "/a/hosts.toml") != file_key(places, "/c/hosts.toml")
    assert file_key(places, "/a/hosts.toml") != file_key(places, "/a/ca.pem")


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/etc/containerd/certs.d/host_5000_/hosts.toml", True),
        ("/etc/containerd/certs.d/[fd00::1]:5000/hosts.toml", True),
        ("etc/containerd", False),
        ("/etc/a b", False),
        ("/etc/a\tb", False),
        ("/etc/a\nb", False),
        ("/etc/*", False),
        ("/etc/$(id)", False),
        ("/etc/../x", False),
        ("/etc/\u00e4", False),
    ],
)
def test_a_path_with_special_characters_is_not_plain(path: str, *, plain: bool) -> None:
    assert plain_path(path) is plain


def test_a_path_longer_than_linux_takes_has_no_folders_above_it() -> None:
    longest, claimed = "/a" * (PATH_MAX // 2), "/a" * 100_000

    began = time.process_time()
    assert len(list(folders_above(longest))) == PATH_MAX // 2 - 1
    assert list(folders_above(claimed)) == []
    assert real_path({"/a": link("/b", (1, 2))}, claimed) == claimed
    assert time.process_time() - began < 1


def test_a_long_path_is_cleaned_in_linear_time() -> None:
    began = time.process_time()
    assert clean_path("/a" * 64_000 + "/.." * 63_999) == "/a"
    assert time.process_time() - began < 1
