"""The planner: from facts and the desired config to the plan of a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.core.containerd.config import effective_registry
from fleet.core.containerd.dump import ignored_registries, outside_registry
from fleet.core.containerd.features import NEWEST, OLDEST
from fleet.core.containerd.imports import config_view
from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.lint.config import foreign_hosts, lint
from fleet.core.lint.shared_folders import refuse_shared
from fleet.core.model.change import Action, Change, ManagedFile, RestartCost
from fleet.core.model.facts import STATE_FILE, NodeFacts, OwnedState
from fleet.core.model.finding import Finding
from fleet.core.model.health import health_problem, refuse_unhealthy, upgrade_pending
from fleet.core.model.mirror import Foreign
from fleet.core.model.node import Node
from fleet.core.model.paths import file_key
from fleet.core.model.pending import pending_findings
from fleet.core.plan.diff import diff_files, order_changes
from fleet.core.plan.hosts_directory import folder_before
from fleet.core.plan.ownership import owned_after
from fleet.core.plan.path_checks import refuse_odd, refuse_unsafe
from fleet.core.plan.pull_tests import PullTest, pull_tests, unproven
from fleet.core.plan.restart_cost import restart_cost
from fleet.core.plan.restart_risk import cgroup_warnings, restart_risk
from fleet.core.render.base import DesiredConfig, parsed_dump
from fleet.core.render.dormant_folders import folder_check
from fleet.core.render.strategies import STRATEGIES, Strategy
from fleet.core.rollout.control_plane import Availability
from fleet.core.text.documents import table
from fleet.core.text.toml_edit import dig


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """The plan of one node: ordered changes, their restart cost, and the facts they rest on."""

    node: Node
    strategy: str | None = None
    containerd: str | None = None
    changes: tuple[Change, ...] = ()
    state: OwnedState = field(default_factory=OwnedState)
    state_before: ManagedFile | None = None
    state_restored: ManagedFile | None = None
    rollback: bool = False
    made_directories: tuple[str, ...] = ()
    unchanged: tuple[tuple[str, str | None], ...] = ()
    findings: tuple[Finding, ...] = ()
    restarts_itself: bool = False
    restart_cost: RestartCost = RestartCost.NONE
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    restart_risk: Failure | None = None
    """The reason why the change would end containers; it is made only if the user allows that."""
    tests: tuple[PullTest, ...] = ()
    unproven: tuple[str, ...] = ()
    """Registries that the plan changes and that no verification pull proves."""
    hosts_directory: str | None = None
    folder_before: str = ""
    """The folder that the daemon reads before the plan, judging by its files; empty if none."""
    restores: str = ""
    """The generation that a rollback goes back to."""
    saved: tuple[tuple[str, str], ...] = ()
    """Saved copies on the node, each with the path to which a rollback gives its attributes."""
    links: tuple[tuple[str, str], ...] = ()
    """Saved hard links to files that had further names, each with the path to link again."""
    was_unhealthy: str = ""
    """The reason why the node was unhealthy before the change; a rollback does not halt for it."""
    restores_ill: str = ""
    """The reason why the node was unhealthy in the state that a rollback restores, if it was."""
    config: str = "/etc/containerd/config.toml"
    outside: str = ""
    """The SHA-256 of the present `config dump` without its registry tables: it must not change."""
    intended_registry: Mapping[str, Any] | None = field(default=None, repr=False)
    """The registry settings that the daemon must read once the plan is in force, if known."""
    ignored: int = 0
    """The number of warnings in the present dump about ignored registry tables."""
    binary: str = "/usr/bin/containerd"
    unit: str = "containerd"
    socket: str = "/run/containerd/containerd.sock"
    crictl: bool = False
    in_force: bool = True
    """Whether the running daemon will use this plan's settings after it, judging by the files."""
    availability: Availability = field(default_factory=Availability)
    """The survey's evidence on taking the node down: its role and its health."""
    credentials: frozenset[str] = frozenset()
    """Hosts for which the daemon's config holds credentials, which ctr lacks; * for all hosts."""

    @property
    def asked_folder(self) -> str:
        """Return the folder that the daemon must read once the plan is in force; empty if none.

        It is empty if a distribution restarts its containerd by itself, since the time of that is
        not known.
        """
        return "" if self.restarts_itself else self.hosts_directory or ""


def plan_node(node: Node, facts: NodeFacts, desired: DesiredConfig) -> NodePlan:
    """Return the plan of one node; a NodeError becomes a plan with a failure."""
    try:
        return _plan(node, facts, desired)
    except NodeError as error:
        version = str(facts.version) if facts.version else None
        return NodePlan(
            node=node,
            containerd=version,
            failure=error.failure,
            notes=tuple(observations(facts)),
            findings=(*pending_findings(facts.pending), *_conflicts(facts)),
        )


def _conflicts(facts: NodeFacts) -> tuple[Finding, ...]:
    """Return the findings for a node that cannot be planned."""
    if facts.version is None or facts.owner is not None:
        return ()
    try:
        view = config_view(facts, facts.version, "")
        folders = folder_check(view, facts, frozenset(), Foreign.ADOPT)
        hosts = foreign_hosts(facts, facts.version, frozenset())
        return (*lint(view, facts), *hosts, *folders.findings())
    except NodeError:
        return ()


def _plan(node: Node, facts: NodeFacts, desired: DesiredConfig) -> NodePlan:
    strategy = _strategy(facts)
    rendered = strategy.render(facts, desired)
    changes = order_changes(diff_files(facts, rendered, desired.foreign))
    refuse_unsafe(changes)
    refuse_odd(facts, changes, desired.foreign, rendered.hosts_directory)
    refuse_shared(changes, facts)
    cost = restart_cost(changes, facts.config)
    if changes and not facts.offline:
        refuse_unhealthy(facts, cost, rendered.findings)
    risk = restart_risk(facts, cost)
    notes = (*rendered.notes, *_foreign_notes(facts, changes), *observations(facts))
    return NodePlan(
        node=node,
        strategy=strategy.name,
        containerd=str(facts.version),
        changes=changes,
        state=owned_after(facts, rendered, changes),
        state_before=facts.files.get(STATE_FILE),
        made_directories=_emptied_folders(changes),
        unchanged=_unchanged_files(facts, changes),
        restart_cost=cost,
        restart_risk=risk,
        notes=tuple(dict.fromkeys((*notes, *([risk.message] if risk else [])))),
        findings=(*pending_findings(facts.pending), *rendered.findings),
        tests=tuple(pull_tests(desired.registries, rendered.hosts_directory, facts.version)),
        unproven=unproven(changes, desired.registries),
        hosts_directory=rendered.hosts_directory,
        folder_before=folder_before(facts) if changes else "",
        config=rendered.config or facts.config,
        restarts_itself=rendered.restarts_itself,
        intended_registry=rendered.intended_registry,
        **daemon_fields(facts),
    )


def daemon_fields(facts: NodeFacts) -> dict[str, Any]:
    """Return the fields of a plan that describe the daemon: how to reach and restart it."""
    return {
        "outside": outside_registry(facts.dump.text),
        "ignored": ignored_registries(facts.dump.text),
        "binary": facts.binary,
        "crictl": facts.crictl_answers,
        "was_unhealthy": health_problem(facts),
        "credentials": _credentials(facts),
        "unit": facts.unit_name,
        "socket": facts.socket,
    }


def _credentials(facts: NodeFacts) -> frozenset[str]:
    """Return the hosts for which the config on the node holds credentials; * is all hosts."""
    try:
        registry = effective_registry(parsed_dump(facts))
    except NodeError:
        return frozenset({"*"})
    if registry.get("auths") or registry.get("headers"):
        return frozenset({"*"})
    hosts = table(registry, "configs")
    return frozenset(host for host in hosts if dig(hosts, (host, "auth")))


def _strategy(facts: NodeFacts) -> Strategy:
    if facts.version is None:
        message = f"no containerd answers here (unit {facts.unit.load}); is it installed?"
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    if facts.version.release < OLDEST:
        message = f"containerd {facts.version} is older than all that fleet knows; upgrade to 1.2"
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    if facts.distribution_id == "cos":
        message = "Container-Optimized OS is read-only; set registry hosts on its node pool"
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    strategy = next((strategy for strategy in STRATEGIES if strategy.supports(facts)), None)
    if strategy is None:
        message = (
            f"fleet knows no way to write mirrors for containerd {facts.version}"
            f"{f' of {facts.owner}' if facts.owner else ''}; leave the node out with --exclude"
        )
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    return strategy


def _unchanged_files(
    facts: NodeFacts, changes: tuple[Change, ...]
) -> tuple[tuple[str, str | None], ...]:
    """Return the files that the plan rests on without changing them, with their digests."""
    changed = {change.path for change in changes}
    files = ((path, facts.files.get(path)) for path in (facts.config, *facts.imports))
    linked = {change.path: change.before for change in changes if _is_link(change.before)}
    pairs = (*((path, file) for path, file in files if path not in changed), *linked.items())
    return tuple((path, replace(file, link="").digest if file else None) for path, file in pairs)


def _is_link(file: ManagedFile | None) -> bool:
    return file is not None and bool(file.link)


def _emptied_folders(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the folders of deleted files: an empty one would switch _default off."""
    gone = {change.path.rpartition("/")[0] for change in changes if change.action is Action.DELETE}
    return tuple(sorted(gone))


def _foreign_notes(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    digests = facts.owned_by_key()
    for change in changes:
        owned = digests.get(file_key(facts.paths, change.path))
        if not change.path.endswith(("/hosts.toml", "/registries.yaml")) or change.before is None:
            continue
        if change.before.link:
            verb = "removes" if change.after is None else "replaces"
            yield (
                f"{verb} {change.path}, a symbolic link to {change.before.link}, which stays as it"
                " is; a rollback restores the link"
            )
        elif change.action is Action.DELETE and owned is None:
            yield f"removes {change.path}, which fleet did not write; its bytes are kept"
        elif change.action is Action.UPDATE and owned is None:
            yield f"adopts {change.path}, which fleet did not write; its bytes are kept"
        elif change.action is Action.UPDATE and owned != change.before.digest:
            yield f"{change.path} was edited since fleet wrote it; its bytes are kept"


def observations(facts: NodeFacts) -> Iterator[str]:
    """Yield notes on a node that matter for every plan."""
    for path in facts.edited_not_loaded:
        yield f"{path} was edited after containerd had started: edited, not loaded"
    yield from cgroup_warnings(facts)
    if upgrade_pending(facts):
        yield f"containerd {facts.daemon_version} runs, {facts.binary_version} is installed"
    if facts.version and facts.version.release[:2] > NEWEST[:2]:
        yield f"containerd {facts.version} is newer than all that fleet knows; taken for 2.3"
    if "/etc/eks" in facts.marks:
        yield "EKS writes config.toml anew at boot; what stands below certs.d stays"


def state_after(plan: NodePlan, generation: str) -> ManagedFile | None:
    """Return state.json as it must stand once the plan is carried out under that generation."""
    if plan.rollback:
        return plan.state_restored
    content = replace(plan.state, generation=generation).render()
    return ManagedFile(content, 0o600)
