"""The golden cases: every start and every wish on every release, rendered and written down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet.actions.render import offline_facts
from fleet.config.load import load_mirrors
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign, MirrorConfig
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan, state_after
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from tests.golden.inputs import MIRRORS, STARTS

EXPECTED = Path(__file__).with_name("expected")
VERSIONS = ("1.4.13", "1.5.18", "1.6.20", "1.7.24", "2.0.11", "2.1.9", "2.2.1", "2.3.4")
_ALL_WISHES = (
    "nothing",
    "legacy mirrors with TLS",
    "folders of other hands",
    "config_path as wanted",
    "a legacy wildcard",
)
_REFUSAL = re.compile(r"^== (.+)\nrefused \(", re.MULTILINE)
_PEM = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
_KEY = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One start and one wish; its file holds what every release gets."""

    start: str
    wish: str

    @property
    def file(self) -> Path:
        """Return where the expected results are written down."""
        name = re.sub(r"[^a-z0-9]+", "-", f"{self.start} {self.wish}".lower()).strip("-")
        return EXPECTED / f"{name}.txt"

    @property
    def refused(self) -> frozenset[str]:
        """Return the releases on which it is refused, by what is written down."""
        blocks = _REFUSAL.findall(self.file.read_text())
        return frozenset(version for versions in blocks for version in versions.split())


CASES = tuple(
    Case(start, wish)
    for start in STARTS
    for wish in MIRRORS
    if wish == "plain" or start in _ALL_WISHES
)

PAIRS = [(case, version) for case in CASES for version in VERSIONS]
REFUSED = [(case, version) for case, version in PAIRS if version in case.refused]
EDITED = [(case, version) for case, version in PAIRS if version not in case.refused]


def facts_of(tree: dict[str, bytes], version: str, folder: Path, distro: str | None) -> NodeFacts:
    """Return the facts of a node with these files, read from a folder as render reads them."""
    for path, content in tree.items():
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    parsed = parse_version(version)
    assert parsed is not None
    folder.mkdir(parents=True, exist_ok=True)
    return offline_facts(parsed, distro, folder)


def wishes_of(text: str, folder: Path) -> MirrorConfig:
    """Read a mirrors.yaml with its certificates."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_text(_PEM)
    (folder / "cert.pem").write_text(_PEM)
    (folder / "key.pem").write_text(_KEY)
    (folder / "mirrors.yaml").write_text(text)
    return load_mirrors(folder / "mirrors.yaml")[0]


def planned(facts: NodeFacts, config: MirrorConfig) -> NodePlan:
    """Plan as render does."""
    return plan_node(Node(name="n", host="n"), facts, DesiredConfig(config.registries))


def after(tree: dict[str, bytes], plan: NodePlan) -> dict[str, bytes]:
    """Return the files once the plan is carried out, state.json included."""
    result = dict(tree)
    for change in plan.changes:
        result.pop(change.path, None)
        if change.after is not None:
            result[change.path] = change.after.content
    state = state_after(plan, "0")
    if plan.changes and state is not None:
        result[STATE_FILE] = state.content
    return result


def described(plan: NodePlan) -> str:
    """Write a plan down as text."""
    return "".join(_lines(plan))


def _lines(plan: NodePlan) -> Iterator[str]:
    if plan.failure is not None:
        yield f"refused ({plan.failure.kind}): {plan.failure.message}\n"
        yield f"remedy: {plan.failure.remedy}\n"
    else:
        yield f"{plan.strategy}, disruption {plan.restart.cost}\n"
    for note in plan.notes:
        yield f"note: {note}\n"
    for finding in plan.findings:
        mark = ", kills CRI" if finding.stops_cri else ""
        yield f"conflict: {finding.code} ({finding.effect}{mark}): {finding}\n"
    for change in plan.changes:
        if change.after is None:
            yield f"--- {change.path}: deleted\n"
            continue
        secret = ", secret" if change.after.secret else ""
        yield f"--- {change.path}: {change.action}, mode {change.after.mode:o}{secret}\n"
        text = change.after.content.decode()
        yield text.replace("\r", "<CR>").replace("\t", "<TAB>")
        yield "" if text.endswith("\n") else "<no newline>\n"


def folded(found: Iterable[tuple[str, str]]) -> str:
    """Join the results of all releases; equal ones stand once, in the words of the first."""
    groups: dict[str, list[str]] = {}
    for version, text in found:
        groups.setdefault(text.replace(version, "VERSION"), []).append(version)
    return "\n".join(f"== {' '.join(names)}\n{text}" for text, names in groups.items())


def plan_for(
    folder: Path,
    distro: str,
    wishes: MirrorConfig,
    tree: dict[str, bytes] | None = None,
    foreign: Foreign = Foreign.ADOPT,
    version: str = "2.1.5-k3s1",
) -> NodePlan:
    """Plan for a node of a distribution."""
    facts = facts_of(tree or {}, version, folder, distro)
    return plan_node(
        Node(name="n", host="n"), facts, DesiredConfig(wishes.registries, False, foreign)
    )


def text_of(plan: NodePlan, path: str) -> str:
    """Return a file that a plan writes."""
    assert plan.failure is None, plan.failure
    found = {change.path: change.after for change in plan.changes}[path]
    assert found is not None
    return found.content.decode()
