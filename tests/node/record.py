"""Record what the probe answers on the lab's nodes: python3 -m tests.node.record, with a fresh lab.

The unit tests read these answers; a test on real nodes says whether they still hold.
"""

from __future__ import annotations

from pathlib import Path

from fleet.core.model.node import Node
from fleet.node.probe import question
from tests.lab import Lab, LabNode

ANSWERS = Path(__file__).with_name("answers")


def answer_of(node: LabNode) -> str:
    """Return what the probe's script prints on a node."""
    return node.sh(question(Node(name=node.name, host=node.address)).text()).stdout


def main() -> None:
    """Record one answer for every suite."""
    for node in Lab.load().nodes.values():
        (ANSWERS / f"{node.suite}.txt").write_text(answer_of(node))


if __name__ == "__main__":
    main()
