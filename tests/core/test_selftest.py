"""The tiny registry answers as registries do, and stands where the daemon looks."""

from __future__ import annotations

import json

import pytest

from fleet.core.facts import Answer, NodeFacts
from fleet.core.model import ManagedFile
from fleet.core.selftest import digest, ground_of, tiny_registry
from fleet.core.versions import parse_version

REGISTRY = tiny_registry("1")
CONFIG = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{}"\n'


def asked(line: str) -> bytes:
    said = REGISTRY.answer(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert said is not None
    return said


def test_what_the_manifest_names_is_served_by_its_digest() -> None:
    head, _, manifest = asked("GET /v2/fleet-selftest/manifests/t?ns=x").partition(b"\r\n\r\n")
    body = json.loads(manifest)

    assert f"Docker-Content-Digest: {digest(manifest)}".encode() in head
    for each in (body["config"], *body["layers"]):
        blob = asked(f"GET /v2/fleet-selftest/blobs/{each['digest']}").partition(b"\r\n\r\n")[2]
        assert (digest(blob), len(blob)) == (each["digest"], each["size"])


def test_a_head_has_no_body_and_what_is_not_there_is_404() -> None:
    assert asked("HEAD /v2/fleet-selftest/manifests/t").endswith(b"\r\n\r\n")
    assert asked("GET /v2/fleet-selftest/blobs/sha256:0").startswith(b"HTTP/1.1 404")
    assert asked("GET /etc/passwd").startswith(b"HTTP/1.1 404")


def test_half_a_request_waits_and_a_tls_hello_is_told_that_this_is_plain_http() -> None:
    assert REGISTRY.answer(b"GET /v2/ HTTP/1.1\r\nHost") is None
    assert (REGISTRY.answer(b"\x16\x03\x01") or b"").startswith(b"HTTP/1.0 400")


def test_every_run_has_an_image_of_its_own() -> None:
    assert not REGISTRY.blobs.keys() & tiny_registry("2").blobs.keys()


def facts(version: str, config_path: str, *directories: str) -> NodeFacts:
    path = "/etc/containerd/config.toml"
    text = CONFIG.format(config_path) if config_path else "version = 2\n"
    return NodeFacts(
        daemon_version=parse_version(version),
        dump=Answer(text, 0),
        files={path: ManagedFile(text.encode())},
        directories=frozenset(directories),
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
    found = ground_of(facts(version, config_path, "/c"))

    assert (found.folder, found.direct) == (folder, direct)
    assert bool(found.reason) is (folder is None)
