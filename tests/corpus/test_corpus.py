"""Every real file is edited or refused with a reason: never a traceback, never a byte elsewhere,
never a file that the daemon then refuses.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.failure import FailureKind
from fleet.core.text.toml_scan import statements
from tests.corpus.cases import FOLDER, INDEX, RESULTS, content, plan_of, recorded, row
from tests.golden.cases import VERSIONS, after, facts_of, planned, wishes_of
from tests.golden.inputs import CONFIG, MIRRORS
from tests.golden.test_golden import agrees, judges

REGISTRIES = tuple(("plugins", name, "registry") for name in (CRI_1, IMAGES, "cri"))


def residue(text: str) -> list[str]:
    """Return all lines that hold something outside of registry tables, comments there included."""
    spans = [
        (each.start, each.end)
        for each in statements(text)
        if any(each.below(path) for path in REGISTRIES)
    ]
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    return [line for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("name", INDEX)
def test_what_becomes_of_it_is_as_written_down(name: str, tmp_path: Path) -> None:
    assert row(name, tmp_path) in RESULTS.read_text().splitlines()


def test_there_are_enough_and_every_file_has_an_origin() -> None:
    assert len(INDEX) >= 100
    assert {path.name for path in (FOLDER / "files").iterdir()} == set(INDEX)


PAIRS = {(name, version): text for name in INDEX for version, text in recorded(name).items()}
REFUSED = [pair for pair, text in PAIRS.items() if text.startswith("refused: ")]
EDITED = [pair for pair, text in PAIRS.items() if re.match(r"(certs\.d|legacy): edited", text)]
LEFT = [pair for pair, text in PAIRS.items() if text.endswith(": config.toml as it is")]


def sampled(number: int) -> list[tuple[str, str]]:
    """Return one release for each file that is not refused on it."""
    pairs = (
        (name, VERSIONS[(place + 3 * number) % len(VERSIONS)]) for place, name in enumerate(INDEX)
    )
    return [pair for pair in pairs if pair not in REFUSED]


JUDGED = sorted({pair for number in range(3) for pair in sampled(number)})


def test_there_are_enough_of_each_kind() -> None:
    assert {*PAIRS} == {(name, version) for name in INDEX for version in VERSIONS}
    assert len(REFUSED) + len(EDITED) + len(LEFT) == len(PAIRS)
    assert (len(REFUSED) >= 200, len(EDITED) >= 400, len(JUDGED) >= 200) == (True, True, True)


@pytest.mark.parametrize("name", sorted({name for name, _ in REFUSED}))
def test_what_is_refused_is_refused_for_a_reason_and_left_alone(name: str, tmp_path: Path) -> None:
    plans = [plan_of(name, version, tmp_path) for first, version in REFUSED if first == name]

    for plan in plans:
        assert plan.failure is not None
        assert plan.failure.kind in {FailureKind.UNSUPPORTED, FailureKind.CONFLICT}
        assert plan.failure.message
        assert plan.changes == ()


@pytest.mark.parametrize("name", sorted({name for name, _ in EDITED}))
def test_no_byte_outside_the_registry_moves(name: str, tmp_path: Path) -> None:
    text = content(name).decode()
    plans = [plan_of(name, version, tmp_path) for first, version in EDITED if first == name]

    for plan in plans:
        edited = {change.path: change.after for change in plan.changes}[CONFIG]
        assert edited is not None
        kept = residue(edited.content.decode())
        gone = [line for line in residue(text) if line not in kept]
        assert all(line.lstrip().startswith("#") for line in gone), gone


@pytest.mark.node
@pytest.mark.parametrize(("name", "version"), JUDGED)
def test_no_daemon_refuses_what_fleet_wrote(name: str, version: str, tmp_path: Path) -> None:
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    tree = {CONFIG: content(name)}
    plan = plan_of(name, version, tmp_path)
    assert plan.failure is None
    before = judge.dump(tree, CONFIG)
    assert before.code == 0, f"edited, though the daemon refused it already: {before.log}"

    said = judge.dump(after(tree, plan), plan.config.path)

    assert said.code == 0, said.log
    agrees(plan, wishes_of(MIRRORS["plain"], tmp_path / "w"), before, said)


@pytest.mark.node
@pytest.mark.parametrize("version", VERSIONS)
def test_full_defaults_of_every_release(version: str, tmp_path: Path) -> None:
    """A default config of a newer format than the release reads is refused, any other edited."""
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    newest = tomllib.loads(judge.default())["version"]
    for written in judges().values():
        text = written.default()
        folder = tmp_path / written.version
        tree = {CONFIG: text.encode()}
        wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")

        plan = planned(facts_of(tree, version, folder, None), wishes)

        assert (plan.failure is not None) == (tomllib.loads(text)["version"] > newest)
        if plan.failure is None:
            before = judge.dump(tree, CONFIG)
            assert before.code == 0
            agrees(plan, wishes, before, judge.dump(after(tree, plan), plan.config.path))
            edited = {change.path: change.after for change in plan.changes}.get(CONFIG)
            unlike = [] if edited is None else residue(edited.content.decode())
            assert unlike in ([], residue(text))
