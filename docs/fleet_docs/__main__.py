"""The command that writes the generated parts of all pages; --check only names stale pages."""

from __future__ import annotations

import sys
from pathlib import Path

from fleet_docs import updated


def main(*, check: bool) -> int:
    """Write every page whose generated parts are stale, or only name it; return the exit code."""
    stale = []
    for path in sorted(Path(__file__).parents[1].rglob("*.md")):
        text = path.read_text()
        fresh = updated(text)
        if fresh != text:
            stale.append(path)
            if not check:
                path.write_text(fresh)
    for path in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {path}\n")
    return int(check and bool(stale))


sys.exit(main(check="--check" in sys.argv))
