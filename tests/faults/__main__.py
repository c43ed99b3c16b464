"""The command of the fault suite: `python3 -m tests.faults`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.suite import CATALOGUE, Table, run
from tests.lab import Lab

_HEAD = """\
# What was tried to break it

Real rollouts and rollbacks on real nodes were broken at random instants. The nodes were Debian \
bullseye, bookworm, trixie and forky in turn, with containerd 1.4, 1.6, 1.7 and 2.1.

After each try, and after `resume` if the rollout was stopped, every file, link and folder below \
/etc was compared: mode, owner and SHA-256. They must equal the state before, or the state after \
an undisturbed rollout.

| column | counts |
|---|---|
| converged | nodes with the other state than before; containerd runs, and its CRI plugin is ok |
| old and working | nodes that are as they were; containerd runs, and its CRI plugin is ok |
| degraded | nodes where that does not hold |
| lost bytes | nodes that are in neither state |
| false reports | tries after which the status in fleet's journal or its exit code was not true of \
the node |

Where a fault is in the files of the node (odd files, two spellings, hostile text), the state \
before holds it. Half of the tries with odd files and spellings kill fleet as well.

`python3 -m tests.faults --write docs/explanation/faults.md` makes this page. A short form, a \
few tries each, is part of the tests. `--seed`, `--only WORD` and `--lanes N` repeat a part of \
it.

"""


def main() -> int:
    """Run the suite; the exit code is 1 if any try ended badly."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="where the instants come from")
    parser.add_argument("--lanes", type=int, default=8, help="nodes side by side")
    parser.add_argument("--tries", type=int, help="so many of each instead of the full number")
    parser.add_argument("--only", action="append", default=[], help="faults that hold this word")
    parser.add_argument("--write", type=Path, help="write the page to this file")
    chosen = parser.parse_args()
    plan = [
        (fault, min(chosen.tries or fault.tries, fault.tries))
        for fault in CATALOGUE
        if not chosen.only or any(word in fault.name for word in chosen.only)
    ]
    began, table = time.monotonic(), Table()
    lab = Lab.up(chosen.lanes)
    with tempfile.TemporaryDirectory(prefix="fleet-faults-") as folder:
        run(lab, Path(folder), plan, chosen.seed, table)
    minutes = (time.monotonic() - began) / 60
    tail = (
        f"\n\n{len(table.tries)} tries in {minutes:.0f} minutes, {chosen.lanes} nodes side by side,"
        f" seed {chosen.seed}.\n"
    )
    sys.stdout.write(table.markdown() + tail)
    if chosen.write and table.good:
        chosen.write.write_text(_HEAD + table.markdown() + tail)
    return 0 if table.good else 1


if __name__ == "__main__":
    sys.exit(main())
