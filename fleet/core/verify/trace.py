"""The hosts that a pull asked, read from ctr's trace and from a daemon's log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.core.model.outcome import HostAttempt, is_success

_FIELD = re.compile(r'(?<![\w.-])([\w.-]++)=("(?:[^"\\]|\\.)*+"|\S*)')


_URL = re.compile(r"https?://([^/\"]+)(/[^?\s\"\\]*)")


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


_SIZE = re.compile("[0-9]{1,18}")


_BLOB = "/blobs/"


_SILENT = "no answer"


_IMAGES = {
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
}


_Request = tuple[str, str, str]
"""The host, path and purpose of a request: resolve, manifest or blob."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One fetch as ctr reported it: every host that it asked, in order, and the result.

    `resolved` is the host that named the digest. `content` is the host and path of each downloaded
    object, `size` their total bytes. `folder` is whether a folder of hosts was found. `media` is
    the type of the object behind the name.
    """

    hops: tuple[HostAttempt, ...] = ()
    resolved: str | None = None
    digest: str | None = None
    content: tuple[tuple[str, str], ...] = ()
    size: int = 0
    folder: bool = False
    refused: bool = False
    media: str = ""

    @property
    def no_image(self) -> bool:
        """Return whether the name resolved to something other than an image, as a login page."""
        return bool(self.media) and self.media.partition(";")[0] not in _IMAGES

    @property
    def turned_down(self) -> tuple[str, ...]:
        """Return the hosts that did not resolve the name, in order."""
        hosts = (hop.host for hop in self.hops if hop.what == "resolve" and not hop.good)
        return tuple(dict.fromkeys(hosts))

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the hosts that served blobs, in order."""
        return tuple(dict.fromkeys(host for host, path in self.content if _BLOB in path))


def read_trace(text: str) -> Trace:
    """Parse the output of `ctr --debug content fetch`."""
    reader = _Reader()
    for line in text.replace("\r", "\n").splitlines():
        if line:
            reader.read(_fields(line), line)
    return reader.trace()


def _fields(line: str) -> dict[str, str]:
    return {key: _plain(value) for key, value in _FIELD.findall(line)}


def _plain(value: str) -> str:
    return value[1:-1].replace('\\"', '"') if value.startswith('"') else value


class _Reader:
    """A parser that pairs requests with their responses, in the order of the requests."""

    def __init__(self) -> None:
        self._responses: dict[_Request, str] = {}
        self._latest: dict[tuple[str, str], _Request] = {}
        self._sizes: dict[_Request, int] = {}
        self._resolved: str | None = None
        self._digest: str | None = None
        self._folder = False
        self._refused = False
        self._media = ""

    def read(self, fields: dict[str, str], line: str) -> None:
        message = fields.get("msg", "")
        if message == "do request":
            self._read_request(fields)
        elif message == "fetch response received":
            self._read_response(fields)
        elif message in {"trying next host", "fetch failed"} and "error" in fields:
            self._read_failure(fields["error"])
        elif message == "resolved":
            self._resolved, self._digest = fields.get("host"), fields.get("desc.digest")
        elif message == "fetch" and fields.get("digest") == self._digest:
            self._media = fields.get("mediatype", "")
        elif message == "loading host directory":
            self._folder = True
        self._refused = self._refused or "failed to decode" in line

    def _read_request(self, fields: dict[str, str]) -> None:
        place = _place(fields.get("url", ""))
        if place is not None:
            what = "blob" if _BLOB in place[1] else "manifest" if self._resolved else "resolve"
            self._latest[place] = (*place, what)
            self._responses.setdefault((*place, what), _SILENT)

    def _read_response(self, fields: dict[str, str]) -> None:
        request = self._latest.get(_place(fields.get("url", "")) or ("", ""))
        if request is not None:
            self._responses[request] = fields.get("response.status", "")
            size = fields.get("response.header.content-length", "")
            self._sizes[request] = int(size) if _SIZE.fullmatch(size) else 0

    def _read_failure(self, error: str) -> None:
        request = self._latest.get(_place(error) or ("", ""))
        if request is not None and self._responses[request] == _SILENT:
            self._responses[request] = error.rpartition('": ')[2]

    def trace(self) -> Trace:
        content = tuple(
            request
            for request, response in self._responses.items()
            if request[2] != "resolve" and is_success(response)
        )
        return Trace(
            hops=tuple(
                HostAttempt(host, what, response)
                for (host, _, what), response in self._responses.items()
            ),
            resolved=self._resolved,
            digest=self._digest if self._digest and _DIGEST.fullmatch(self._digest) else None,
            content=tuple((host, path) for host, path, _ in content),
            size=sum(self._sizes.get(request, 0) for request in content),
            folder=self._folder,
            refused=self._refused,
            media=self._media,
        )


def _place(text: str) -> tuple[str, str] | None:
    match = _URL.search(text)
    return (match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class Log:
    """A daemon's own log of one pull: hosts that it passed over, and refused hosts.toml files.

    `size` is the number of bytes read; None if the release does not log it.
    """

    passed_over: tuple[str, ...] = ()
    refused: bool = False
    size: int | None = None


def read_log(text: str, image: str) -> Log:
    """Parse the lines of the log since a pull of the image began."""
    lines = [line for line in text.splitlines() if line]
    return Log(
        passed_over=tuple(dict.fromkeys(_passed_over(lines, _repository(image)))),
        refused="failed to decode" in text,
        size=_read_bytes(lines, image),
    )


def _repository(image: str) -> str:
    """Return an image's repository as it appears in the URLs of its requests."""
    path = image.partition("/")[2].partition("@")[0]
    return path.rpartition(":")[0] or path


def _passed_over(lines: Iterable[str], repository: str) -> Iterator[str]:
    for line in lines:
        place = _place(line)
        if place is not None and f"/{repository}/" not in place[1]:
            continue  # The line belongs to another pull at the same time.
        fields = _fields(line)
        message = fields.get("msg", "")
        if message.startswith("trying next host") or message == "fetch failed":
            host = fields.get("host")
            if host:
                yield host


def _read_bytes(lines: Iterable[str], image: str) -> int | None:
    size = None
    for line in lines:
        _, mark, rest = line.partition(f"stop pulling image {image}: ")
        match = re.search(r"bytes read=([0-9]{1,18})", rest) if mark else None
        if match:
            size = int(match[1])
    return size
