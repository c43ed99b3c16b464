"""A CRI client: the few calls that a verification pull needs, over a socket to the node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

_VERSIONS = ("runtime.v1", "runtime.v1alpha2")


_TEXT = 2
"""The wire type of strings and messages."""


def available() -> bool:
    """Return whether the extra `cri` is installed."""
    return find_spec("grpc") is not None


def field(number: int, content: bytes) -> bytes:
    """Encode one field that holds text or a message."""
    return _varint(number << 3 | _TEXT) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield a message's text and message fields; raise a ValueError if it is malformed."""
    offset = 0
    while offset < len(content):
        key, offset = _read_varint(content, offset)
        size = {1: 8, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            _, offset = _read_varint(content, offset)
            continue
        if key & 7 == _TEXT:
            size, offset = _read_varint(content, offset)
        elif not size:
            raise ValueError("not a protobuf message")
        if offset + size > len(content):
            raise ValueError("an incomplete protobuf message")
        if key & 7 == _TEXT:
            yield key >> 3, content[offset : offset + size]
        offset += size


def _read_varint(content: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while offset < len(content) and shift < 64:
        byte = content[offset]
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            return value, offset
    raise ValueError("an endless protobuf number")


class CriError(Exception):
    """An error of CRI, with gRPC's name of the code and CRI's own words."""

    def __init__(self, code: str, words: str) -> None:
        self.code, self.words = code, words
        super().__init__(f"code = {code} desc = {words}")


@dataclass(slots=True)
class CriClient:
    """A CRI client over a channel; `pump` carries its bytes for a moment."""

    channel: Any
    pump: Callable[[], None]
    version: str = ""

    def pull(self, image: str, seconds: float) -> str:
        """Pull an image as kubelet does, and return CRI's name for it; raise a CriError."""
        response = self._call("ImageService", "PullImage", _image_spec(image), seconds)
        try:
            names = [content for number, content in fields(response) if number == 1]
        except ValueError as error:
            raise CriError("INTERNAL", f"the response cannot be parsed: {error}") from error
        return names[0].decode("ascii", "replace") if names else ""

    def remove(self, image: str) -> None:
        """Remove an image by all its names."""
        self._call("ImageService", "RemoveImage", _image_spec(image), 20)

    def _call(self, service: str, method: str, request: bytes, seconds: float) -> bytes:
        for version in (self.version,) if self.version else _VERSIONS:
            try:
                response = self._call_once(f"/{version}.{service}/{method}", request, seconds)
            except CriError as error:
                unknown = error.code == "UNIMPLEMENTED" and version != _VERSIONS[-1]
                if not unknown or self.version:
                    self.version = version
                    raise
            else:
                self.version = version
                return response
        raise AssertionError  # the last version returned or raised

    def _call_once(self, method: str, request: bytes, seconds: float) -> bytes:
        import grpc  # noqa: PLC0415 - an extra that is slow to import

        future = self.channel.unary_unary(method).future(request, timeout=seconds)
        while not future.done():
            self.pump()
        try:
            return bytes(future.result())
        except grpc.RpcError as error:
            raise CriError(future.code().name, str(future.details())) from error


def _image_spec(image: str) -> bytes:
    return field(1, field(1, image.encode()))


def cri_client(target: str, pump: Callable[[], None]) -> CriClient:
    """Return a client of CRI at a socket of this machine."""
    import grpc  # noqa: PLC0415

    options = (("grpc.default_authority", "localhost"), ("grpc.enable_http_proxy", 0))
    return CriClient(grpc.insecure_channel(target, options=options), pump)
