"""Registry folders that make every pull of their registry fail, before any host is asked.

This was observed on running daemons of 1.5 to 2.3, which agree. A hosts.toml that does not decode
fails no pull: it is ignored, and the certificates beside it count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.lint.hosts_toml import read_hosts
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import Kind, Places, clean_path
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import strings_in, tables
from fleet.core.text.pem import holds_certificate, key_problem

_UNREADABLE = {
    Kind.DIRECTORY: "is a folder, but containerd needs a file",
    Kind.FIFO: "is a FIFO, so a pull waits forever for its writer",
    Kind.SOCKET: "is a socket, but containerd needs a file",
}


_MOST_STEPS = 40


def pull_failures(
    facts: NodeFacts, version: ContainerdVersion, folder: str
) -> Iterator[tuple[str, str]]:
    """Yield the path and reason of everything in a folder that makes every pull fail."""
    if (place := facts.paths.entries.get(folder)) is not None and place.kind is Kind.FILE:
        yield folder, "is a file, but containerd needs a folder"
        return
    path = f"{folder}/hosts.toml"
    for link in (folder, path):
        if _is_circular(facts.paths.entries, link):
            yield link, "is a symbolic link to itself"
            return
    kind = facts.paths.entries[path].kind if path in facts.paths.entries else None
    if kind in _UNREADABLE:
        yield path, _UNREADABLE[kind]
        return
    data = hosts_data(facts, version, path)
    if data is None:
        yield from _unusable_beside(facts, folder)
        return
    for host in (data, *tables(data, "host").values()):
        for name in strings_in(host.get("ca")):
            yield from _unusable_certificate(facts, folder, name, _certificate_problem)
        for certificate, key in _client_pairs(host.get("client")):
            problems = tuple(
                _unusable_certificate(facts, folder, certificate, _certificate_problem)
            )
            yield from problems
            if certificate != key or not problems:
                yield from _unusable_certificate(facts, folder, key, _key_problem)


def hosts_data(facts: NodeFacts, version: ContainerdVersion, path: str) -> Mapping[str, Any] | None:
    """Return the data of a hosts.toml; None if it is absent, empty or ignored completely."""
    file = facts.files.get(path)
    if file is None or not file.content:
        return None
    return read_hosts(decode_hosts(file.content), version).data


def _client_pairs(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the files of certificate and key; a single file holds both."""
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, str):
            yield item, item
        elif isinstance(item, list) and len(item) == 2:
            yield str(item[0]), str(item[1])


def _certificate_problem(content: bytes) -> str:
    if holds_certificate(content):
        return ""
    return "is used as a certificate but contains none in PEM form"


def _key_problem(content: bytes) -> str:
    problem = key_problem(content)
    return f"is used as a client's key but {problem}" if problem else ""


def _is_circular(places: Places, path: str) -> bool:
    """Return whether a link is circular, as far as the probe looked at links."""
    here = path
    for _ in range(_MOST_STEPS):
        place = places.get(here)
        if place is None or place.kind is not Kind.LINK or place.leads is not None:
            return False
        base = "" if place.target.startswith("/") else here.rpartition("/")[0]
        here = clean_path(f"{base}/{place.target}")
        if here == path:
            return True
    return True


def _unusable_certificate(
    facts: NodeFacts, folder: str, name: str, problem: Callable[[bytes], str]
) -> Iterator[tuple[str, str]]:
    """Yield the path and reason if a certificate that hosts.toml names cannot be used."""
    path = clean_path(name if name.startswith("/") else f"{folder}/{name}")
    place, file = facts.paths.entries.get(path), facts.files.get(path)
    missing = place.identity is None if place is not None else _was_looked_at(facts, folder, name)
    if path == folder or (place is not None and place.kind is Kind.DIRECTORY):
        yield path, "is used as a certificate but is a folder"
    elif file is None and missing:
        yield path, "is used as a certificate but does not exist"
    elif file is not None and (reason := problem(file.content)):
        yield path, reason


def _was_looked_at(facts: NodeFacts, folder: str, name: str) -> bool:
    """Return whether the probe would have seen a file if it were there.

    The probe lists the folders of registries, and looks at the absolute paths in hosts.toml as they
    are written. It does not see a path that is written with escapes.
    """
    if not facts.paths.entries:
        return not name.startswith("/") and "/" not in name
    if name.startswith("/"):
        text = facts.files[f"{folder}/hosts.toml"].content.decode("utf-8", "surrogateescape")
        return facts.paths.complete and name in text
    listed = clean_path(f"{folder}/{name}").rpartition("/")[0] in facts.paths.directories
    return facts.paths.complete and listed


def _unusable_beside(facts: NodeFacts, folder: str) -> Iterator[tuple[str, str]]:
    """Yield unusable certificates, which count by Docker's rules if no hosts.toml exists."""
    for path, file in sorted(facts.files.items()):
        if path.rpartition("/")[0] != folder:
            continue
        if path.endswith(".crt") and not holds_certificate(file.content):
            yield path, "counts as a certificate here but contains none in PEM form"
        elif path.endswith(".cert"):
            key = facts.files.get(f"{path.removesuffix('.cert')}.key", file)
            if not holds_certificate(file.content) or key_problem(key.content):
                yield (
                    path,
                    "counts as a client certificate here but it or its key is unusable",
                )
