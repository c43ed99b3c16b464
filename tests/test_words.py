"""The words of docstrings: plain terms, moods and openings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fleet

ROOT = Path(fleet.__file__).parent
PACKAGES = sorted(
    {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py") if path.parent != ROOT}
)
OPENINGS = re.compile(r"(What|Who|Where|Whose|Which|How|Why|When|Whether)\b")
MOODS = re.compile(r"(Let|Tell|Say|Hear|Know|Mind|Bear|Take no)\b")
BANNED = re.compile(
    r"\b(somebody|nobody|anybody|hands|the other side|(?:is|are) no(?! longer| more)|told|deaf|crew"
    r"|parcel|wishes|mend|mended)\b",
    re.IGNORECASE,
)


def docstrings(path: Path) -> Iterator[tuple[str, ast.AST, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
            text := ast.get_docstring(node)
        ):
            name = getattr(node, "name", "module")
            yield f"{path.relative_to(ROOT)}:{name}", node, text


def problems(path: Path) -> Iterator[str]:
    for place, node, text in docstrings(path):
        if isinstance(node, ast.Module | ast.ClassDef) and OPENINGS.match(text):
            yield f"{place}: the docstring of a module or class is a noun phrase"
        if isinstance(node, ast.FunctionDef) and MOODS.match(text):
            yield f"{place}: begin with return, read, raise, log, wait or write"
        if found := BANNED.search(text):
            yield f"{place}: {found.group()!r} is not a plain word"


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_are_plain(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))

    assert paths
    assert [problem for path in paths for problem in problems(path)] == []


def test_the_check_finds_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_words.ROOT", tmp_path)
    path = tmp_path / "a.py"
    path.write_text(
        '"""What it is."""\ndef f():\n    """Say so."""\nclass A:\n    """Is no B."""\n'
    )

    assert len(list(problems(path))) == 3
