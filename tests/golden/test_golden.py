"""Every start, every wish, every release: the files are as written down, and the real daemon of
that release takes them as they were meant, with all the rest of its config as before.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.imports import config_view
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.lint.config import reads_lists
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan
from tests.golden.cases import (
    CASES,
    EDITED,
    EXPECTED,
    REFUSED,
    VERSIONS,
    Case,
    after,
    described,
    facts_of,
    folded,
    planned,
    wishes_of,
)
from tests.golden.inputs import CONFIG, MIRRORS, STARTS
from tests.lab.containerds import BUILT, Answer, Containerd, containerds
from tests.lab.crictl import compiler

_UNKNOWN_KEY = re.compile(r'Ignoring unknown key .*? key=(?:"([^"]*)"|(\S+))')


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TEST_SECRET", "s3cret")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.start}, {case.wish}")
def test_files_are_as_written_down(case: Case, tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS[case.wish], tmp_path / "wishes")
    tree = {path: text.encode() for path, text in STARTS[case.start].items()}
    found = [
        (version, described(planned(facts_of(tree, version, tmp_path / version, None), wishes)))
        for version in VERSIONS
    ]

    assert folded(found) == case.file.read_text()


def test_there_are_enough_cases_and_no_stray_results() -> None:
    assert len(EDITED) >= 400
    assert len(REFUSED) >= 100
    assert {case.file for case in CASES} == set(EXPECTED.glob("*.txt"))


def judges() -> dict[str, Containerd]:
    return {each.version: each for each in containerds()}


@pytest.mark.node
def test_the_suites_and_one_built_release_are_among_the_judges() -> None:
    found = set(judges())

    assert {"1.4.13", "1.6.20", "1.7.24", "2.1.9"} <= found
    if compiler() is None:
        pytest.skip("no Go on this machine: only the releases of the four suites are judges")
    assert found & set(BUILT), "Go is here, and it built none of them"


def named(pairs: list[tuple[Case, str]]) -> list[str]:
    return [f"{case.start}, {case.wish}, {version}" for case, version in pairs]


@pytest.mark.parametrize(("case", "version"), REFUSED, ids=named(REFUSED))
def test_what_is_refused_is_left_alone(case: Case, version: str, tmp_path: Path) -> None:
    tree = {path: text.encode() for path, text in STARTS[case.start].items()}
    wishes = wishes_of(MIRRORS[case.wish], tmp_path / "wishes")

    plan = planned(facts_of(tree, version, tmp_path / "root", None), wishes)

    assert plan.failure is not None
    assert plan.changes == ()


@pytest.mark.node
@pytest.mark.parametrize(("case", "version"), EDITED, ids=named(EDITED))
def test_the_daemon_agrees(case: Case, version: str, tmp_path: Path) -> None:
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    tree = {path: text.encode() for path, text in STARTS[case.start].items()}
    wishes = wishes_of(MIRRORS[case.wish], tmp_path / "wishes")
    facts = facts_of(tree, version, tmp_path / "root", None)
    plan = planned(facts, wishes)
    before = judge.dump(tree, CONFIG if CONFIG in tree else "-")

    assert plan.failure is None
    assert before.code == 0, f"the daemon refuses what we would edit: {before.log}"
    said = judge.dump(after(tree, plan), plan.config.path)

    assert said.code == 0, said.log
    agrees(plan, wishes, before, said)
    view = config_view(facts, parse_version(version), "version = 2\n")  # type: ignore[arg-type]
    ours = view.merged().get("config_path") or None
    theirs = effective_registry(tomllib.loads(before.text)).get("config_path") or None
    if version != "1.4.13" and (version, ours) != ("2.2.1", None):  # has none; has a default
        assert ours == theirs
    again = planned(facts_of(after(tree, plan), version, tmp_path / "again", None), wishes)
    assert again.failure is None
    moved = [each for each in again.changes if each.before and each.after]
    assert len(moved) == len(again.changes)
    assert all(each.before.content == each.after.content for each in moved), "not idempotent"


def agrees(plan: NodePlan, wishes: MirrorConfig, before: Answer, said: Answer) -> None:
    """Compare two dumps: the registry as meant, everything else as it was."""
    old, new = tomllib.loads(before.text), tomllib.loads(said.text)
    registry = effective_registry(new)
    if plan.strategy == "legacy":
        for each in wishes.registries:
            name = "*" if each.name == "_default" else each.name
            urls = [mirror.url for mirror in each.mirrors]
            assert registry["mirrors"][name]["endpoint"][: len(urls)] == urls
    else:
        assert str(registry["config_path"]).split(":")[0].rstrip("/") == plan.config.hosts_directory
        assert not registry.get("mirrors")
        assert not any(each.get("tls") for each in (registry.get("configs") or {}).values())
    for host, each in (effective_registry(old).get("configs") or {}).items():
        if each.get("auth"):
            assert registry["configs"][host]["auth"] == each["auth"]
    assert outside(old) == outside(new)
    assert newly_ignored(before.log, said.log) == []


def newly_ignored(before: str, after: str) -> list[str]:
    """Return the keys that containerd ignores after an edit and did not ignore before.

    A key is a path of tables, separated by spaces. Of a table that containerd 2.x does not know it
    names all tables below, or from run to run a few: those are no news.
    """
    known, keys = (
        {quoted or bare for quoted, bare in _UNKNOWN_KEY.findall(log)} for log in (before, after)
    )
    return sorted(key for key in keys if not any(f"{key} ".startswith(f"{k} ") for k in known))


def outside(dump: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dump less CRI's registry tables and its imports."""
    result = {key: value for key, value in dump.items() if key != "imports"}
    result["plugins"] = {
        name: {k: v for k, v in body.items() if k != "registry"}
        if name in {CRI_1, IMAGES, "cri"}
        else body
        for name, body in dump.get("plugins", {}).items()
    }
    return result


def test_lists_are_read_where_the_table_says_so(tmp_path: Path) -> None:
    version = parse_version("2.1.9")
    assert version is not None
    read = []
    for start in ("two directories, local pulls", "two directories, local pulls and runtimes"):
        tree = {path: text.encode() for path, text in STARTS[start].items()}
        facts = facts_of(tree, "2.1.9", tmp_path / start, None)
        read.append(reads_lists(config_view(facts, version, "")))

    assert read == [False, True], "2.1 drops the setting of a file that names no runtime"


def test_keys_below_an_ignored_table_are_no_news() -> None:
    line = (
        'level=warning msg="Ignoring unknown key in TOML for plugin" error="a b" key={} plugin=p\n'
    )
    before = line.format("containerd") + line.format('"containerd runtimes"')
    below = line.format('"containerd runtimes runc"')

    assert newly_ignored(before, before + below) == []
    assert newly_ignored(before, below + line.format("registry")) == ["registry"]
    assert newly_ignored("", below) == ["containerd runtimes runc"]
    assert newly_ignored(before, line.format("containerdx")) == ["containerdx"]
