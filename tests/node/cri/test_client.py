"""CRI's wire format, as far as it is written and read; the calls are tried on real nodes."""

from __future__ import annotations

import pytest

from fleet.node.cri.client import field, fields


def test_a_request_is_what_protobuf_says() -> None:
    """PullImageRequest{image: ImageSpec{image: "a/b:1"}}, as protoc encodes it."""
    assert field(1, field(1, b"a/b:1")) == b"\x0a\x07\x0a\x05a/b:1"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 300_000])
def test_fields_of_any_size_come_back(size: int) -> None:
    message = field(1, b"x" * size) + field(20, b"end")

    assert list(fields(message)) == [(1, b"x" * size), (20, b"end")]


def test_numbers_and_fixed_fields_are_passed_over() -> None:
    message = b"\x10\x96\x01" + b"\x19" + b"8" * 8 + b"\x25" + b"4" * 4 + field(5, b"text")

    assert list(fields(message)) == [(5, b"text")]


@pytest.mark.parametrize("message", [b"\x0a\x05abc", b"\x0a", b"\xff" * 11, b"\x0b", b"\x08"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="protobuf"):
        list(fields(message))
