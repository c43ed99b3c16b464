"""The tiny registry answers as registries do, and stands where the daemon looks."""

from __future__ import annotations

import json

from fleet.core.verify.tiny_registry import digest, tiny_registry

REGISTRY = tiny_registry("1")


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
