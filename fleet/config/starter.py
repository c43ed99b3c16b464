"""The first inventory.yaml and mirrors.yaml of a user, with placeholders for what is not known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from fleet.config.inventory.keys import KEYS
from fleet.config.inventory.yaml import node_name_problem
from fleet.config.placeholders import PLACEHOLDER
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import is_upstream, path_of, registry_problem, url_problem
from fleet.core.selection.ranges import expand
from fleet.core.text.yaml import Value
from fleet.errors import FleetError

EXAMPLE = "mirrors.example.yaml"


_NODE = f"    {PLACEHOLDER}: {{host: {PLACEHOLDER}}}"
_USER = "    # user: ops"
_ENDPOINT = f"      - https://{PLACEHOLDER}\n"
_FIRST_REGISTRY = "  docker.io:\n"


_PLAIN = re.compile(
    r"[A-Za-z_][A-Za-z0-9_.-]*(?:\[[0-9-]+\])?[A-Za-z0-9_.-]*|[0-9]+(?:\.[0-9]+){3}"
)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off"}


_HOST_AND_PORT = re.compile(r"([^:\[\]]+|\[[^\]]+\]):([0-9]{1,5})")


_IMAGES = {
    "docker.io": "docker.io/library/busybox:1.36",
    "registry.k8s.io": "registry.k8s.io/pause:3.9",
}
"""Small images that exist in these registries."""


@dataclass(frozen=True, slots=True)
class StarterNode:
    """A node of the first inventory: a name or range, and the address if it differs."""

    pattern: str
    host: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class StarterMirror:
    """A mirror of the first mirrors.yaml."""

    registry: str
    url: str


def parse_node(text: str) -> StarterNode:
    """Parse NAME, NAME=HOST or NAME=HOST:PORT; raise a FleetError for anything else."""
    pattern, mark, host = text.strip().partition("=")
    names = expand(pattern)
    problem = next(filter(None, map(node_name_problem, names)), None)
    match = _HOST_AND_PORT.fullmatch(host)
    host, port = (match[1], int(match[2])) if match else (host, None)
    if problem is None and mark:
        problem = _key_problem("host", host)
        if len(names) > 1:
            problem = f"one host for {len(names)} nodes: give each node its own"
    if problem is None and port is not None:
        problem = _key_problem("port", port)
    if problem:
        raise FleetError(problem)
    return StarterNode(pattern, host, port)


def parse_user(text: str) -> str:
    """Return a login; raise a FleetError if it cannot be one."""
    problem = _key_problem("user", text)
    if problem:
        raise FleetError(f"login: {problem}")
    return text


def parse_mirror(text: str) -> StarterMirror:
    """Parse REGISTRY=URL, or a URL for docker.io; raise a FleetError for anything else.

    A host alone is taken for one of https.
    """
    head, mark, rest = text.strip().partition("=")
    registry, url = (head, rest) if mark and "/" not in head else ("docker.io", text.strip())
    if url_problem(url) and "/" not in url and not url_problem(f"https://{url}"):
        url = f"https://{url}"
    problem = registry_problem(registry) or url_problem(url)
    if problem is None and is_upstream(url, registry):
        problem = f"{url} is {registry} itself, not a mirror of it"
    if problem:
        raise FleetError(problem)
    return StarterMirror(registry, url)


def _key_problem(key: str, data: str | int) -> str | None:
    """Return why a value of a node's key is refused; None if it is accepted."""
    reader = Reader("")
    KEYS[key].read(reader, Value(data, str(data), 1, 1), "")
    return reader.problems[0].message if reader.problems else None


def inventory_text(nodes: Sequence[StarterNode], user: str) -> str:
    """Return the first inventory.yaml; without nodes it has placeholders."""
    text = starter_text("inventory.yaml")
    if user:
        text = text.replace(_USER, f"    user: {_scalar(user)}")
    if nodes:
        start = text.index(_NODE)
        lines = (f"    {_scalar(node.pattern)}: {{{_settings(node)}}}\n" for node in nodes)
        text = text[:start] + "".join(lines)
    return text


def _settings(node: StarterNode) -> str:
    host = f"host: {_scalar(node.host)}" if node.host else ""
    port = f"port: {node.port}" if node.port else ""
    return ", ".join(filter(None, (host, port)))


def mirrors_text(mirrors: Iterable[StarterMirror]) -> str:
    """Return the first mirrors.yaml; without mirrors it has a placeholder."""
    text = starter_text("mirrors.yaml")
    registries: dict[str, list[str]] = {}
    for mirror in mirrors:
        registries.setdefault(mirror.registry, []).append(mirror.url)
    if not registries:
        return text
    parts = [text[: text.index(_FIRST_REGISTRY)]]
    for registry, urls in registries.items():
        parts += [f"  {_scalar(registry)}:\n    endpoints:\n", *map(_endpoint, dict.fromkeys(urls))]
        if image := _IMAGES.get(registry):
            parts.append(f"    verify: {image} # every node pulls this image after a change\n")
    return "".join(parts)


def _endpoint(url: str) -> str:
    scalar = json.dumps(url) if "[" in url else url
    if path_of(url.rstrip("/")):
        return f"      - {{url: {scalar}, override_path: true}}\n"
    return f"      - {scalar}\n"


def _scalar(text: str) -> str:
    """Return a text as a YAML scalar, in quotes unless it is a plain word."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def starter_text(name: str) -> str:
    """Return one of the files that ship for a start."""
    return (files("fleet") / "starter" / name).read_text(encoding="utf-8")
