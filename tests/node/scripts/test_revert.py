"""lib/revert.sh: a change reverted, by a daemon that is a stand-in."""

from __future__ import annotations

import pytest

from tests.node.scripts.changes import FILES, SAVE, SWAP, FileChange
from tests.node.scripts.shell import Shell

GIVEN = {
    **{"ROLLOUT": "r1", "PURPOSE": "rollout", "UNIT": "containerd", "SOCKET": "/s"},
    **{"CRICTL": "1", "RESTART": "1", "RESTART_SECONDS": "5", "HEALTH_SECONDS": "1"},
    **{"WHY": "asked", "ON_FINISH": "ended"},
}
ENDED = "ended() { revert_report_held $1; protocol_value status $1; exit 0; }\n"
ACTIVE = "case $1 in show) printf 'ActiveState=active\\nSubState=running\\nMainPID=1\\n' ;; esac"
FAILED = ACTIVE.replace("=active", "=failed")
READY = """echo '{"type":"RuntimeReady","status":true}'"""


@pytest.fixture
def change(shell: Shell) -> FileChange:
    """Return a change on a node whose programs are all there."""
    for name, body in (("systemctl", ACTIVE), ("crictl", READY), ("ctr", ""), ("journalctl", "")):
        shell.stand_in(name, body)
    shell.stand_in("systemd-run", "")
    return FileChange(shell, FILES)


def test_a_reverted_change_leaves_nothing_but_its_record(shell: Shell, change: FileChange) -> None:
    done = change.run(f"{ENDED}{SAVE}{SWAP}lock_acquire; revert_change", **GIVEN)

    assert done.reply.value("status") == "rolled_back"
    assert not done.reply.has("held")
    assert change.there() == change.before
    assert (shell.state / "last/phase").read_text() == "restored\n"
    assert not (shell.state / "generations/r1").exists()
    assert [path.name for path in shell.run_folder.iterdir()] == []
    assert "systemctl restart containerd" in shell.calls


def test_at_boot_the_daemon_is_not_waited_for(shell: Shell, change: FileChange) -> None:
    done = change.run(f"{ENDED}{SAVE}{SWAP}revert_change", **{**GIVEN, "WHY": "boot"})

    assert done.reply.value("status") == "rolled_back"
    assert "systemctl restart containerd" not in shell.calls
    assert (shell.state / "generations/r1").exists()


def test_a_daemon_that_stays_ill_is_degraded(shell: Shell, change: FileChange) -> None:
    shell.stand_in("systemctl", FAILED)

    done = change.run(f"{ENDED}{SAVE}{SWAP}revert_change", **GIVEN)

    assert done.reply.value("status") == "degraded"
    assert "unit failed" in done.reply.value("revert_evidence")
    assert change.there() == change.before
    assert (shell.state / "last/phase").read_text() == "unwell\n"


def test_files_that_cannot_be_restored_stay_pending_and_are_tried_again(
    shell: Shell, change: FileChange
) -> None:
    code = f"{ENDED}{SAVE}{SWAP}lock_acquire; restore_files() {{ echo no >&2; return 1; }}\n"

    done = change.run(f"{code}revert_change", **GIVEN)

    assert done.reply.value("status") == "unsettled"
    assert done.reply.value("revert_evidence") == "no"
    assert done.reply.value("held") == "1"
    assert (shell.state / "pending/failed").read_text() == "no\n"
    assert any("fleet-guard-r1-again" in call for call in shell.calls)
