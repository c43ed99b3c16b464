"""Convergence: a node is brought to its plan and confirmed, or restored."""

from __future__ import annotations

from fleet.core.plan.rollback import plan_rollback
from fleet.node.converge import converge
from tests.contract.target import CONFIG, Target, desired, ending


def test_a_node_converges_and_a_second_plan_is_empty(target: Target) -> None:
    order = target.staged()
    outcome = converge(order)
    pid, etc = target.main_pid(), target.etc()

    again = target.plan()

    assert ending(outcome) == ("converged", "", "")
    assert (outcome.changed, outcome.restarted, outcome.generation) == (True, True, "r1")
    assert again.changes == ()
    assert not target.held()
    assert (target.main_pid(), target.etc()) == (pid, etc)


def test_a_change_that_is_read_at_every_pull_restarts_nothing(target: Target) -> None:
    target.converged()
    pid = target.main_pid()

    order = target.converged(target.plan(desired("https://other.example")), rollout="r2")

    restarts = target.suite == "bullseye"  # 1.4 has its mirrors in config.toml
    assert order.restarts == restarts
    assert (target.main_pid() != pid) == restarts


def test_a_daemon_that_reads_its_hosts_directory_is_seen_to_do_so(target: Target) -> None:
    order = target.staged()

    outcome = converge(order)

    if target.suite == "bullseye":  # 1.4 has no hosts directory
        assert outcome.liveness is None
        return
    assert outcome.liveness is not None
    assert outcome.liveness.state == "live"
    assert "fleet-probe" not in "".join(target.machine.digests("/etc/containerd"))


def test_an_edit_between_plan_and_swap_ends_as_stale(target: Target) -> None:
    order = target.staged()
    target.machine.sh(f"echo '# by hand' >>{CONFIG}")
    before = target.etc()

    outcome = converge(order)

    assert ending(outcome) == ("stale", "stale", "check")
    assert target.etc() == before
    assert not target.held()


def test_a_node_that_rebooted_after_staging_is_staged_again(target: Target) -> None:
    order = target.staged()
    target.machine.reboot()

    outcome = converge(order)

    assert ending(outcome) == ("converged", "", "")


def test_a_connection_that_breaks_at_the_restart_ends_converged(target: Target) -> None:
    order = target.staged()

    with target.acting("systemctl", "restart*", target.hang_up):
        outcome = converge(order)

    assert ending(outcome) == ("converged", "", "")
    assert target.plan().changes == ()


def test_a_rollback_restores_the_generation_before(target: Target) -> None:
    before = target.machine.digests("/etc/containerd")
    target.converged()
    changed = target.machine.digests("/etc/containerd")
    plan = plan_rollback(target.node, target.facts(walk="latest"), None)

    target.converged(plan, rollout="r2", purpose="rollback")

    assert changed != before
    assert target.machine.digests("/etc/containerd") == before
