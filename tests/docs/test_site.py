"""The documentation site: it builds without a warning and a network, and holds every fact."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fleet import api
from fleet.cli.app import fleet
from fleet.cli.options import Exit
from fleet.cli.output.json_schema import OUTPUTS
from fleet.config.inventory.keys import KEYS
from fleet.config.mirrors.endpoint import ENDPOINT_KEYS
from fleet.core.containerd.features import Feature
from fleet.core.failure import FailureKind
from fleet.core.model.node_state import NodeState
from fleet.core.model.outcome import NodeStatus
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site; a warning of Sphinx is an error."""
    folder = tmp_path_factory.mktemp("site")
    words = ("sphinx", "-W", "--keep-going", "-q", "-E", "-d", folder / "trees", "docs")
    built = subprocess.run(
        [sys.executable, "-m", *map(str, words), str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


def text(site: Path, page: str) -> str:
    """Return the visible text of a page, in one line."""
    body = (site / f"{page}.html").read_text().partition("<article")[2].partition("</article>")[0]
    plain = re.sub(r"<[^>]+>", "", re.sub(r"</(?:p|td|dt|h\d|li)>", " ", body))
    return " ".join(html.unescape(plain).replace("¶", " ").split())


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    loaded = r'<(?:script|img|iframe|source)[^>]*\ssrc="([^"]+)|<link[^>]*\shref="([^"]+)'
    urls = [
        url
        for page in pages
        for pair in re.findall(loaded, page.read_text())
        for url in pair
        if re.match(r"(?:https?:)?//", url)
    ]
    styles = [
        path for path in site.rglob("*.css") if re.search(r"url\(.?https?:", path.read_text())
    ]

    assert len(pages) > 30
    assert (urls, styles) == ([], [])


@pytest.mark.parametrize("name", fleet.commands)
def test_every_command_and_option_is_there(site: Path, name: str) -> None:
    page = text(site, "reference/commands")
    _, found, section = page.partition(f" fleet {name} fleet {name} ")
    command = fleet.commands[name]
    inner = list(command.commands.values()) if isinstance(command, click.Group) else []

    assert found
    assert command.help
    for parameter in [option for part in (command, *inner) for option in part.params]:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help
            assert set(parameter.opts) & set(section.replace(",", " ").split()), parameter.opts


def test_both_files_are_there(site: Path) -> None:
    inventory, mirrors = text(site, "reference/inventory"), text(site, "reference/mirrors")

    assert [
        key.name for key in KEYS.values() if f"{key.name} {plain(key.meaning)}" not in inventory
    ] == []
    assert [
        key for key in ENDPOINT_KEYS if f"mirrors.REGISTRY.endpoints[].{key} (" not in mirrors
    ] == []


def plain(markdown: str) -> str:
    return markdown.replace("`", "")


def test_exit_codes_and_statuses_are_there(site: Path) -> None:
    codes, states = text(site, "reference/exit-codes"), text(site, "reference/states")
    final = [status for status in NodeStatus if status.shown is status and not status.in_flight]

    assert [code for code in Exit if f" {code.value} " not in codes] == []
    assert [status for status in final if f" {status} " not in states] == []
    assert [state for state in NodeState if f" {state} {plain(state.meaning)} " not in states] == []


def test_every_json_document_is_there(site: Path) -> None:
    page = text(site, "reference/json")

    assert [name for name in OUTPUTS if f" fleet {name} " not in page] == []
    assert "nodes.NAME.verified list: verification" in page
    assert "failure.remedy" not in page  # once, in its own section
    assert " remedy text what to do" in page


def test_releases_of_containerd_are_there(site: Path) -> None:
    page = text(site, "reference/containerd")
    rows = [feature.value for feature in Feature]

    assert [row.fact for row in rows if f"{plain(row.fact)} {plain(row.source)}" not in page] == []
    assert "1.6.32 to before 1.7.0, 1.7.17 and newer a config version" in page


def test_messages_are_there_with_their_remedies(site: Path) -> None:
    page = text(site, "troubleshooting")
    known = (
        "flock is missing on this node install util-linux",
        "the login user has no shell (nologin) give it a shell (chsh), or log in as another user",
        "no space is left (ENOSPC) free some space, see df -h",
    )

    assert [kind for kind in FailureKind if f" {kind.value} " not in page] == []
    assert [row for row in known if row not in page] == []
    assert page.count("find the reason in journalctl -u UNIT") >= 3


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_there(site: Path, name: str) -> None:
    page = (site / "reference" / "api.html").read_text()

    assert f'id="fleet.{name}"' in page
    assert getattr(api, name).__doc__
