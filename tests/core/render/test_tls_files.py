"""The TLS files of a host: those of fleet's own, and those that are on the node already."""

from __future__ import annotations

from fleet.core.model.mirror import ClientPair, Mirror
from fleet.core.render.tls_files import tls_contents, tls_paths

URL = "https://a.example"


def test_files_of_this_machine_are_written_below_the_stem() -> None:
    mirror = Mirror(url=URL, ca=(b"1", b"2"), client=(ClientPair(b"c", b"k"),))

    assert dict(tls_paths(mirror, "/s")) == {
        "ca_file": "/s.ca.pem",
        "cert_file": "/s.client.pem",
        "key_file": "/s.client.key.pem",
    }
    assert list(tls_contents(mirror, "/s")) == [
        ("/s.ca.pem", b"12", False),
        ("/s.client.pem", b"c", False),
        ("/s.client.key.pem", b"k", True),
    ]


def test_one_file_with_certificate_and_key_is_private_in_both_places() -> None:
    mirror = Mirror(url=URL, client=(ClientPair(b"both", None),))

    assert list(tls_contents(mirror, "/s")) == [
        ("/s.client.pem", b"both", True),
        ("/s.client.key.pem", b"both", True),
    ]


def test_files_of_the_node_are_named_and_not_written() -> None:
    mirror = Mirror(url=URL, ca_paths=("/ca",), client_paths=(("/cert", "/key"),))

    assert dict(tls_paths(mirror, "/s")) == {
        "ca_file": "/ca",
        "cert_file": "/cert",
        "key_file": "/key",
    }
    assert list(tls_contents(mirror, "/s")) == []


def test_a_host_without_tls_has_no_files() -> None:
    assert list(tls_paths(Mirror(url=URL, skip_verify=True), "/s")) == []
