"""Masking of secrets in text that is shown to users, by the text's structure if it has one."""

from __future__ import annotations

import functools

from fleet.core.masking.data import clean_data, without_logins
from fleet.core.masking.secret_keys import visibility_at
from fleet.core.masking.spans import Fingerprints, Mark, Span, replaced, same_length, stars
from fleet.core.masking.toml_values import toml_spans
from fleet.core.masking.unstructured import free_text, free_text_spans
from fleet.core.masking.yaml_values import yaml_spans

__all__ = [
    "Fingerprints",
    "Mark",
    "clean_data",
    "free_text",
    "masked_file",
    "replaced",
    "same_length",
    "stars",
    "visibility_at",
    "without_logins",
    "yaml_spans",
]

_TOML = (".toml", ".tmpl", ".template")
_YAML = (".yaml", ".yml", ".json")


@functools.lru_cache(maxsize=1024)  # Thousands of nodes have only a few different files.
def masked_file(path: str, text: str, mark: Mark) -> str:
    """Return a file's text with every secret replaced by its mark; the layout stays."""
    return replaced(text, _spans(path, text), mark)


def _spans(path: str, text: str) -> list[Span]:
    if path.endswith(_TOML):
        return toml_spans(text)
    if path.endswith(_YAML):
        return yaml_spans(text)
    return free_text_spans(text)
