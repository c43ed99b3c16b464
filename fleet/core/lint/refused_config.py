"""Valid TOML with which containerd refuses to start, found without a daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.imports import ConfigView, Layer
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.text.documents import table, words
from fleet.core.text.toml_edit import dig
from fleet.core.text.toml_scan import Path, dotted, statements

_URI = re.compile(r"io\.containerd\.[^.]+\.[^.]+.*")


def unreadable(view: ConfigView) -> Iterator[Finding]:
    """Yield a finding for each setting that makes this release refuse the whole file."""
    for layer in view.layers:
        yield from _table_findings(view, layer)
        yield from _plugin_name_findings(view, layer)
        for place in view.effective_tables(layer):
            registry = dig(layer.data, place)
            for path in _wrong_types(registry) if registry is not None else ():
                message = f"{dotted((*place, *path))} has a type that containerd refuses"
                where = layer.at((*place, *path))
                yield Finding("refused-config", FindingEffect.REFUSES, where, message)


def _table_findings(view: ConfigView, layer: Layer) -> Iterator[Finding]:
    for statement in statements(layer.text):
        plain = supports(view.version, Feature.BRACKETS_IN_HEADERS) or not statement.header
        if not plain and any("]" in part for part in statement.path):
            message = f"containerd {view.version} refuses a ] in a table's name"
            yield Finding(
                "refused-config", FindingEffect.REFUSES, layer.at(statement.path), message
            )
    above: Path = ()
    for statement in () if supports(view.version, Feature.DOTTED_KEYS) else statements(layer.text):
        if statement.header:
            above = statement.path
        elif len(statement.path) > len(above) + 1:
            message = f"containerd {view.version} refuses dotted keys; write a table instead"
            yield Finding(
                "refused-config", FindingEffect.REFUSES, layer.at(statement.path), message
            )


def _plugin_name_findings(view: ConfigView, layer: Layer) -> Iterator[Finding]:
    """Yield a finding for plugins without their full URI, which version 2 and newer need.

    Before containerd 2.0 the version of the merged config applies to all files.
    """
    strict = supports(view.version, Feature.STRICT_PLUGIN_NAMES)
    version = view.config.config_version if strict else view.version_of(layer)
    if version < 2:
        return
    named = [
        (key, name)
        for key in ("disabled_plugins", "required_plugins")
        for name in words(layer.data, key)
    ]
    if strict:
        named += [("plugins", name) for name in table(layer.data, "plugins")]
    for key, name in named:
        if not _URI.fullmatch(str(name)):
            message = (
                f"{key} lists {name!r}: in a file of version {version}, containerd {view.version}"
                " accepts only full plugin URIs (io.containerd.TYPE.NAME)"
            )
            yield Finding("refused-config", FindingEffect.REFUSES, layer.at((key,)), message)


def _wrong_types(registry: Any) -> Iterator[Path]:
    """Yield the paths below a registry table that have the wrong type."""
    if not isinstance(registry, Mapping):
        yield ()
        return
    if not isinstance(registry.get("config_path", ""), str):
        yield ("config_path",)
    for key in ("mirrors", "configs"):
        entries = registry.get(key, {})
        if not isinstance(entries, Mapping):
            yield (key,)
            continue
        for name, entry in entries.items():
            if not isinstance(entry, Mapping) or not _is_text_list(entry.get("endpoint", [])):
                yield (key, name)


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
