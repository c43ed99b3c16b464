"""Writer of a new order of endpoints into mirrors.yaml, without any other change."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleet.config.files import read_text
from fleet.core.mirrors.ranking import Ranking
from fleet.core.mirrors.yaml_order import endpoint_lists, reordered
from fleet.core.text.yaml import parse_yaml
from fleet.errors import FleetError

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ReorderResult:
    """The result for one list: the new order with the old numbers, or the reason it stays."""

    place: str
    order: tuple[tuple[int, str], ...]
    written: bool
    reason: str = ""


def write_endpoint_order(path: Path, rankings: Iterable[Ranking]) -> tuple[ReorderResult, ...]:
    """Write the proposed orders into the file, by rename; all comments and endpoints stay."""
    moving = {(ranking.registry, ranking.written): ranking for ranking in rankings if ranking.moves}
    text = before = read_text(path, "-m")
    results = []
    for registry, urls, place in list(endpoint_lists(parse_yaml(text, str(path)))):
        ranking = moving.get((registry, urls))
        if ranking is None:
            continue
        order = tuple(urls.index(url) for url in ranking.proposed)
        new = reordered(text, place, order)
        name = ".".join(str(part) for part in place)
        moved = tuple((number + 1, urls[number]) for number in order)
        reason = "" if new else "aliases, or comments in brackets, that are not ours to move"
        results.append(ReorderResult(name, moved, new is not None, reason))
        text = new or text
    if text != before:
        _replace(path, text)
    return tuple(results)


def _replace(path: Path, text: str) -> None:
    target = path.resolve()
    try:
        mark = _BOM if target.read_bytes().startswith(_BOM) else b""
        mode = target.stat().st_mode & 0o7777
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_bytes(mark + text.encode())
        draft.chmod(mode)
        draft.replace(target)
    except OSError as error:
        raise FleetError(f"{path} cannot be written: {error.strerror}") from error
