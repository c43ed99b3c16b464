"""The generated parts of the pages, which are checked in so that a code host shows them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.pages import PAGES, name

LINK = re.compile(r"\[([^]]*)\]\(([^)\s]+)\)")


def generate(docs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fleet_docs", *words],
        cwd=docs,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_generated_parts_are_fresh() -> None:
    checked = generate(ROOT / "docs", "--check")

    assert checked.stdout == "", "run: PYTHONPATH=docs .venv/bin/python -m fleet_docs"
    assert checked.returncode == 0, checked.stderr


def test_a_stale_part_is_found_and_written(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs)
    page = docs / "reference" / "exit-codes.md"
    fresh = page.read_text()
    page.write_text(fresh.replace("| 130 |", "| 131 |"))

    checked = generate(docs, "--check")
    written = generate(docs)

    assert (checked.returncode, checked.stdout) == (1, f"stale: {page}\n")
    assert (written.returncode, written.stdout) == (0, f"written: {page}\n")
    assert page.read_text() == fresh


def test_every_link_has_a_text_and_a_file() -> None:
    links = [
        (page, text, target)
        for page in PAGES
        for text, target in LINK.findall(page.read_text())
        if not re.match(r"\w+:|#", target)
    ]

    assert len(links) > 100
    assert [f"{name(page)}: {target}" for page, text, target in links if not text] == []
    assert [
        f"{name(page)}: {target}"
        for page, _, target in links
        if not (page.parent / target.partition("#")[0]).exists()
    ] == []


def test_every_page_is_in_an_index() -> None:
    docs = ROOT / "docs"
    indexes = "".join(path.read_text() for path in docs.rglob("index.md"))
    pages = {path.name for path in docs.rglob("*.md")} - {"index.md"}

    assert {page for page in pages if f"({page})" not in indexes} == set()
