"""README and the pages of the site: commands that exist, links that lead somewhere, known facts."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
import pytest

from fleet.cli.app import fleet
from tests.conftest import ROOT
from tests.docs.pages import FENCE, PAGES, TOP, command_lines, name, parse
from tests.faults.suite import CATALOGUE
from tests.support.fleet import Fleet

README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
FILE = {"all": "inventory", "version": "mirrors"}
NAMED_FILES = [
    (name(page), (FILE[word], inspect.cleandoc("\n" + body)))
    for page in PAGES
    for language, body in FENCE.findall(page.read_text())
    if language == "yaml" and (word := body.split(":")[0].strip()) in FILE
]
FILES = [file for _, file in NAMED_FILES]
LINES = [(name(page), words) for page in PAGES for words in command_lines(page.read_text())]


@pytest.mark.parametrize(("page", "words"), LINES, ids=[f"{p}: {' '.join(w)}" for p, w in LINES])
def test_every_command_line_is_one_that_fleet_takes(page: str, words: list[str]) -> None:
    del page
    parse(words)


def test_a_command_line_with_a_mistake_is_found() -> None:
    wrong = ["rollout --bath 1", "rolout", "explain w1"]
    lines = [words for line in wrong for words in command_lines(f"```sh\nfleet {line} | cat\n```")]

    assert len(lines) == len(wrong)
    for words in lines:
        with pytest.raises(click.UsageError):
            parse(words)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_in_a_sentence_exists(page: Path) -> None:
    words = re.findall(r"`fleet ([a-z]+)", page.read_text())

    assert [word for word in words if word not in fleet.commands] == []


@pytest.mark.parametrize(
    ("kind", "text"), FILES, ids=[f"{page}-{kind}" for page, (kind, _) in NAMED_FILES]
)
def test_every_file_in_a_page_is_valid(offline: Fleet, kind: str, text: str) -> None:
    offline.write(f"{kind}.yaml", text)
    (offline.folder / "certs").mkdir()
    offline.write("certs/harbor-ca.crt", CERTIFICATE)

    checked = offline("check", env={"HARBOR_PASSWORD": "x"})

    assert checked.code == 0, checked.text


def test_readme_is_one_screen_and_names_what_a_clone_needs() -> None:
    lines = README.splitlines()

    assert len(lines) <= 80
    assert sum(len(line) for line in lines) <= 4000
    for command in ("scripts/demo.sh", "scripts/test.sh", "scripts/test.sh --quick"):
        assert re.search(rf"^{re.escape(command)}( |$)", README, re.MULTILINE)


@pytest.mark.parametrize("page", TOP)
def test_the_links_of_the_top_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text())

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_picture_is_used() -> None:
    text = "".join(page.read_text() for page in PAGES)
    pictures = [path.name for path in (DOCS / "pictures").iterdir()]

    assert pictures
    assert [picture for picture in pictures if f"pictures/{picture}" not in text] == []


def test_every_conflict_is_documented() -> None:
    text = (DOCS / "reference" / "conflicts.md").read_text()
    sources = (ROOT / "fleet" / "core").rglob("*.py")
    code = "".join(path.read_text() for path in sources if "indings" in path.read_text())
    codes = set(re.findall(r'(?:Finding\(|code = |yield )"([a-z-]+)"', code))

    assert len(codes) >= 8
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_the_page_of_faults_has_those_of_the_suite() -> None:
    text = (DOCS / "explanation" / "faults.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \| \d+ \|", text, re.MULTILINE)

    assert rows == [fault.name for fault in CATALOGUE]
