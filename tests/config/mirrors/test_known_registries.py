"""Names of registries that are probably misspelt."""

from __future__ import annotations

import pytest

from fleet.config.mirrors.known_registries import PUBLIC, doubt_about

SLIPS = {
    "dokcer.io": "docker.io",
    "quay.oi": "quay.io",
    "docker.oi": "docker.io",
    "ghr.io": "ghcr.io",
    "registry.k8.io": "registry.k8s.io",
    "registry.k8ss.io": "registry.k8s.io",
    "mcr.microsoftt.com": "mcr.microsoft.com",
    "nvcr.ioo": "nvcr.io",
    "dockerio": "docker.io",
    "docker.com": "docker.io",
    "k8s.io": "registry.k8s.io",
}


@pytest.mark.parametrize(("name", "meant"), SLIPS.items(), ids=SLIPS)
def test_a_slip_is_named_with_what_was_meant(name: str, meant: str) -> None:
    assert doubt_about(name, name) == f"{name}: did you mean {meant}?"


GOOD = (*PUBLIC, "harbor.example:5000", "10.0.0.5:5000", "registry.corp.example", "_default", "io")


@pytest.mark.parametrize("name", GOOD)
def test_other_names_raise_no_doubt(name: str) -> None:
    assert doubt_about(name, name) is None


def test_other_names_of_docker_hub_are_written_as_docker_io() -> None:
    text = doubt_about("index.docker.io", "docker.io")

    assert text is not None
    assert text.startswith("write docker.io: ")
