"""The output of each command for a few nodes, for captures on terminals of several widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fleet.actions.mirrors import MirrorTestResult
from fleet.cli.output.drift import show_drift
from fleet.cli.output.explain import show_explanation
from fleet.cli.output.history import show_history
from fleet.cli.output.hostkeys import show_keys
from fleet.cli.output.inventory import show_checked, show_inventory
from fleet.cli.output.locks import show_locks, show_unlocked
from fleet.cli.output.mirrors import show_test
from fleet.cli.output.outcome import print_outcomes
from fleet.cli.output.probe import show_probed
from fleet.cli.output.run import show_results
from fleet.cli.output.tables import console
from fleet.cli.output.verify import show_verified
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.serialize_facts import facts_data
from fleet.core.lint.explain import Explanation, Folder, FolderState, HostRequest
from fleet.core.mirrors.check import Diagnosis
from fleet.core.mirrors.ranking import rankings
from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import Node, Origin
from fleet.core.model.outcome import NodeOutcome, NodeStatus, PullClient, Served, Verified
from fleet.core.plan.drift import Drift, DriftedFile
from fleet.core.selection.sample import Sample
from fleet.engine.mirrors import SiteTested
from fleet.engine.survey import NodeSurvey, examine
from fleet.errors import Excerpt, Problem
from fleet.node.change_status import ChangeStatus, SettleEnding
from fleet.node.run_command import RunResult
from fleet.ssh.hostkey_scan import HostKey
from tests.cli.output.plan_samples import (
    CONFIG,
    FOLDER,
    ROLLOUT,
    TIMED_OUT,
    WRONG_SUDO,
    plan,
    plan_of,
    stat,
    undo,
    unread_plan,
)
from tests.support.build import facts_with, healthy
from tests.support.checks import check
from tests.support.settings import TEXT, WIDE


def unlock() -> None:
    """Print which nodes were unlocked, and which not."""
    released = ChangeStatus(ending=SettleEnding.RELEASED)
    results = {"w1": released, "w2": replace(released, undone=True), "w3": TIMED_OUT}
    show_unlocked(results, {}, TEXT, rollout=ROLLOUT, resumable=True)


def checked() -> None:
    """Print a warning of `fleet check`, and what is in the files."""
    line = 'image: "dokcer.io/busybox"'
    about = "did you mean docker.io?"
    warning = Problem("mirrors.yaml", 4, 9, about, "warning", Excerpt(line, 8, 9))
    show_checked(TEXT, (warning,), {"nodes": 1, "registries": 2})


def recap() -> None:
    """Print the outcomes of a rollout that most nodes were not reached by."""
    lost = [
        NodeOutcome(node=it.node.name, status=NodeStatus.UNREACHABLE, failure=it.failure)
        for it in map(unread_plan, range(1, 193))
    ]
    done = NodeOutcome(
        node="w1", status=NodeStatus.CONVERGED, restarted=True, seconds=8.2, verified=(_pull(),)
    )
    waiting = [NodeOutcome(node=f"w{number}", status=NodeStatus.PENDING) for number in (2, 3)]
    print_outcomes([done, *waiting, *lost], console(color=False))


def _surveys() -> list[NodeSurvey]:
    path = f"{FOLDER}/docker.io/hosts.toml"
    facts = healthy(facts_with({CONFIG: "version = 2\n", path: "x"}))
    noted = replace(plan_of("w2"), notes=(f"{path} was edited since fleet wrote it",))
    unread = [NodeSurvey(it.node, None, it) for it in map(unread_plan, (1, 2, 3))]
    refused = replace(plan_of("w3", release=None), failure=WRONG_SUDO)
    return [
        NodeSurvey(Node(name="w1", host="w1"), facts, plan_of("w1")),
        NodeSurvey(Node(name="w2", host="w2"), facts, noted),
        NodeSurvey(refused.node, None, refused),
        *unread,
    ]


def probe() -> None:
    """Print the states of nodes."""
    show_probed([examine(it, facts_data) for it in _surveys()], TEXT)


def probe_wide() -> None:
    """Print the states of nodes with all columns."""
    show_probed([examine(it, facts_data) for it in _surveys()], WIDE)


def drift() -> None:
    """Print files that differ from what fleet wrote."""
    path = f"{FOLDER}/registry.jujucharms.com/hosts.toml"
    edited = DriftedFile(path, Drift.CHANGED, "a person, in fleet's file", 1_700_000_000, "")
    gone = DriftedFile(f"{FOLDER}/quay.io/hosts.toml", Drift.MISSING, "unknown", None, "")
    first, second, *others = _surveys()
    unchanged: list[tuple[NodeSurvey, tuple[DriftedFile, ...]]] = [(it, ()) for it in others]
    show_drift([(first, (edited, gone)), (second, (edited,)), *unchanged], TEXT)


def _pull(*, served: Served = Served.MIRROR, good: bool = True) -> Verified:
    return Verified(
        "docker.io/library/busybox:1.36",
        ok=good,
        via=PullClient.CRICTL,
        mirror="docker.m.daocloud.io" if served is Served.MIRROR else None,
        served=served,
        detail="" if good else "docker.m.daocloud.io, asked for the name: connection refused",
    )


def verify() -> None:
    """Print verification pulls."""
    failure = Failure(FailureKind.VERIFY, Step.VERIFY, "the verification pull failed", "look")
    show_verified(
        [
            NodeOutcome(node="w1", status=NodeStatus.UNCHANGED, verified=(_pull(),)),
            NodeOutcome(
                node="w2", status=NodeStatus.UNCHANGED, verified=(_pull(served=Served.UNKNOWN),)
            ),
            NodeOutcome(
                node="w3", status=NodeStatus.FAILED, verified=(_pull(good=False),), failure=failure
            ),
        ],
        TEXT,
        Sample(("w1", "w2", "w3"), 100),
    )


def _rollout() -> dict[str, object]:
    failure = {"kind": "connect", "step": "connect", "message": TIMED_OUT.message, "remedy": "wait"}
    nodes = {
        "w1": {"status": "converged", "at": "2026-11-27T10:16:00.5", "generation": ROLLOUT},
        "w2": {"status": "unreachable", "at": None, "failure": failure},
        "w3": {"status": "unreachable", "at": None, "failure": failure},
    }
    return {
        "rollout": ROLLOUT,
        "kind": "rollout",
        "started": "2026-11-27T10:15:00.123456",
        "ended": "2026-11-27T10:20:00",
        "operator": "a.user@workstation.example",
        "message": "OPS-12: a mirror for the Beijing site",
        "status": "finished",
        "ending": "failed",
        "reason": "",
        "files": {"/srv/fleet/inventory.yaml": "ab" * 32, "/srv/fleet/mirrors.yaml": "cd" * 32},
        "nodes": nodes,
    }


def history() -> None:
    """Print all rollouts, then one of them, then those of one node."""
    show_history([_rollout()], None, None, TEXT)
    show_history([_rollout()], ROLLOUT, None, TEXT)
    show_history([_rollout()], None, "w1", WIDE)


def locks() -> None:
    """Print the locks of nodes."""
    held = (ROLLOUT, "a.user@workstation.example", "rollout", "2026-11-27 10:15:02")
    show_locks(
        {
            "w1": ChangeStatus(ending=SettleEnding.LOOKED, lock=held),
            "w2": ChangeStatus(ending=SettleEnding.LOOKED),
            "w3": TIMED_OUT,
            "w4": TIMED_OUT,
        },
        TEXT,
    )


def hostkeys() -> None:
    """Print host keys."""
    print_of = "SHA256:cZPpUzS7QAPowe/EvzMyBXtP1On7wuI73659Ie13tDA"
    key = HostKey("10.0.0.1", "ssh-ed25519", print_of, "known", "line", "")
    changed = replace(key, state="changed", before="/home/a.user/.ssh/known_hosts:7")
    show_keys({"w1": key, "w2": changed, "w3": TIMED_OUT}, TEXT)


def inventory() -> None:
    """Print the nodes of an inventory."""
    origin = Origin("inventory.yaml", 12, 27, "control_plane.beijing-worker-1")
    node = Node(
        name="beijing-worker-1", host="10.0.0.1", port=22, groups=("workers", "all"),
        origins={"host": origin, "site": origin}, site="\u5317\u4eac",
    )  # fmt: skip
    groups = {"all": Group("all", (node.name,), ("workers",))}
    show_inventory(Inventory((node,), groups), [node], TEXT, full=False, graph=False)


def explain() -> None:
    """Print the explanation of one registry."""
    at = f"{FOLDER}/docker.io/hosts.toml"
    hosts = [
        HostRequest(url, ("pull", "resolve"), f"{at}:{line}", "dial_timeout 3s", f"{url}/v2/")
        for line, url in ((4, "https://docker.m.daocloud.io"), (8, "https://b.example"))
    ]
    explanation = Explanation(
        registry="docker.io",
        version="2.1.5",
        way="certs.d",
        decides=f"{CONFIG}:12: config_path = {FOLDER}",
        folders=(Folder(f"{FOLDER}/docker.io", FolderState.USED),),
        hosts=tuple(hosts),
        failures=(("says 404", "asks the next host; if all say so, the pull fails with NotFound"),),
    )
    show_explanation("w1", explanation, TEXT)


def run() -> None:
    """Print the results of a command."""
    results = {"w1": RunResult(0, "up 3 days", 0.5), "w2": RunResult(0, "up 3 days", 0.5)}
    show_results("uptime", {**results, "w3": TIMED_OUT, "w4": WRONG_SUDO}, TEXT)


def mirrors() -> None:
    """Print a mirror test of two sites."""
    urls = ("https://registry-mirror.beijing.example", "https://docker.m.daocloud.io")
    lost = {"diagnosis": Diagnosis.REFUSED, "message": "nothing listens on 10.0.0.9:443"}
    tested = [
        SiteTested("w1", "beijing", (check(urls[0], seconds=0.3), check(urls[1], seconds=0.1))),
        SiteTested("w2", "shanghai", (check(urls[0], **lost), check(urls[1], seconds=0.2))),
        SiteTested("w3", "", failure=TIMED_OUT),
    ]
    ranked = rankings(it.results for it in tested if it.failure is None)
    show_test(MirrorTestResult(tested, ranked, ()), TEXT, write=False)


SAMPLES: dict[str, Callable[[], None]] = {
    command.__name__: command
    for command in (
        plan, stat, undo, recap, probe, probe_wide, drift, verify, history, locks, unlock, hostkeys,
        inventory, checked, explain, run, mirrors,
    )
}  # fmt: skip
