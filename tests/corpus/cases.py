"""Real config.toml files, trimmed, and what fleet makes of each on every release."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fleet.core.plan.node_plan import NodePlan
from tests.golden.cases import VERSIONS, facts_of, planned, wishes_of
from tests.golden.inputs import CONFIG, MIRRORS

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.tsv"
INDEX = dict(line.split("\t") for line in (FOLDER / "index.tsv").read_text().splitlines())


def recorded(name: str) -> dict[str, str]:
    """Return what is written down to become of a file, by release."""
    rows = (line.split("\t") for line in RESULTS.read_text().splitlines())
    cells = next(cells for first, _, *cells in rows if first == name)
    parted = (cell.removeprefix("[").partition("] ") for cell in cells)
    return {version: text for versions, _, text in parted for version in versions.split()}


def content(name: str) -> bytes:
    """Return one file of the corpus."""
    return (FOLDER / "files" / name).read_bytes()


def plan_of(name: str, version: str, folder: Path) -> NodePlan:
    """Plan a node that has this file as its config."""
    facts = facts_of({CONFIG: content(name)}, version, folder / version, None)
    return planned(facts, wishes_of(MIRRORS["plain"], folder / "wishes"))


def outcome(plan: NodePlan) -> str:
    """Say in a line what became of it."""
    if plan.failure is not None:
        return f"refused: {plan.failure.message}".replace("\t", " ")
    if all(change.path != CONFIG for change in plan.changes):
        return f"{plan.strategy}: config.toml as it is"
    moved = "".join(f"; {note}" for note in plan.notes if note.startswith("legacy"))
    return f"{plan.strategy}: edited{moved}"


def row(name: str, folder: Path) -> str:
    """Return the line of the table: equal outcomes of several releases stand once."""
    groups: dict[str, list[str]] = {}
    for version in VERSIONS:
        text = outcome(plan_of(name, version, folder)).replace(version, "VERSION")
        groups.setdefault(text, []).append(version)
    cells = (f"[{' '.join(versions)}] {text}" for text, versions in groups.items())
    return "\t".join((name, INDEX[name], *cells))


def main() -> None:
    """Write the table anew: python3 -m tests.corpus.cases."""
    lines = []
    for name in INDEX:
        with tempfile.TemporaryDirectory() as folder:
            lines.append(row(name, Path(folder)))
    RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
