"""Write the golden results anew, to be read before they are committed: python3 -m tests.golden."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.golden.cases import (
    CASES,
    EXPECTED,
    VERSIONS,
    described,
    facts_of,
    folded,
    planned,
    wishes_of,
)
from tests.golden.inputs import MIRRORS, STARTS


def main() -> None:
    """Render every case."""
    os.environ["FLEET_TEST_SECRET"] = "s3cret"
    EXPECTED.mkdir(exist_ok=True)
    for old in EXPECTED.glob("*.txt"):
        old.unlink()
    for case in CASES:
        found = []
        for version in VERSIONS:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                tree = {path: text.encode() for path, text in STARTS[case.start].items()}
                facts = facts_of(tree, version, folder / "root", None)
                wishes = wishes_of(MIRRORS[case.wish], folder / "wishes")
                found.append((version, described(planned(facts, wishes))))
        case.file.write_text(folded(found))


if __name__ == "__main__":
    main()
