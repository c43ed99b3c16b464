"""The tiny registry answers as registries do, and stands where the daemon looks."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

import pytest

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


def body(line: str) -> bytes:
    return asked(line).partition(b"\r\n\r\n")[2]


MANIFEST = json.loads(body("GET /v2/fleet-selftest/manifests/t"))
STATUSES = {
    "the version check": ("GET /v2/", 200),
    "the version check without a slash": ("GET /v2", 200),
    "a manifest by any tag": ("GET /v2/a/b/manifests/latest", 200),
    "a manifest by its digest": (f"GET /v2/a/manifests/{digest(REGISTRY.manifest)}", 200),
    "a manifest by another digest": ("GET /v2/a/manifests/sha256:0", 404),
    "a blob": (f"GET /v2/a/blobs/{MANIFEST['config']['digest']}", 200),
    "a blob with a query": (f"GET /v2/a/blobs/{MANIFEST['config']['digest']}?ns=b", 200),
    "a blob that is not there": ("GET /v2/a/blobs/x", 404),
    "another path": ("GET /v2/a/tags/list", 404),
    "the root": ("GET /", 404),
}


@pytest.mark.parametrize(("line", "status"), STATUSES.values(), ids=list(STATUSES))
def test_the_status_of_a_request(line: str, status: int) -> None:
    assert asked(line).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_length_is_that_of_the_whole_content(method: str) -> None:
    length = f"Content-Length: {len(REGISTRY.manifest)}\r\n".encode()

    assert length in asked(f"{method} /v2/a/manifests/t")


def test_a_manifest_has_the_media_type_that_it_names() -> None:
    kind = f"Content-Type: {MANIFEST['mediaType']}\r\n".encode()

    assert kind in asked("GET /v2/a/manifests/t")


def test_the_layer_is_an_archive_of_one_file_with_the_nonce() -> None:
    (layer,) = MANIFEST["layers"]
    archive = gzip.decompress(body(f"GET /v2/a/blobs/{layer['digest']}"))

    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (member,) = tar.getmembers()
        content = tar.extractfile(member)
        assert content is not None
        assert (member.name, content.read()) == ("fleet-selftest", b"fleet self-test 1\n")


def test_the_config_names_the_unpacked_layer() -> None:
    (layer,) = MANIFEST["layers"]
    config = json.loads(body(f"GET /v2/a/blobs/{MANIFEST['config']['digest']}"))

    unpacked = gzip.decompress(body(f"GET /v2/a/blobs/{layer['digest']}"))
    assert config["rootfs"]["diff_ids"] == [digest(unpacked)]


def test_one_nonce_makes_one_image() -> None:
    assert tiny_registry("1") == REGISTRY
