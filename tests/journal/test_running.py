"""The process that runs a rollout: found while it lives, and by its own ID alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fleet.journal import running_process

CODE = """
import sys
from pathlib import Path
from fleet.journal import Journal
with Journal(Path(sys.argv[1])).held("rollout r-4711 of eve@there since now"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_rollout_runs_as_long_as_its_process_has_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(tmp_path / "journal.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        found, other = running_process("r-4711"), running_process("r-47")
        process.kill()
    left = (tmp_path / "journal.db.lock").read_text()

    assert found == (process.pid, "rollout r-4711 of eve@there since now")
    assert other is None
    assert "r-4711" in left
    assert running_process("r-4711") is None
