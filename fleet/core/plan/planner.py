"""The planner: from facts and the desired config to the plan of a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.containerd.dump import ignored_registries, outside_registry
from fleet.core.containerd.features import NEWEST, OLDEST
from fleet.core.containerd.imports import config_view
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import foreign_hosts, lint
from fleet.core.lint.shared_folders import refuse_shared
from fleet.core.model.change import Action, Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding
from fleet.core.model.health import health_problem, refuse_unhealthy, upgrade_pending
from fleet.core.model.mirror import Foreign
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import file_key
from fleet.core.model.pending import pending_findings
from fleet.core.plan.diff import diff_files, order_changes
from fleet.core.plan.hosts_directory import folder_before
from fleet.core.plan.node_plan import (
    DaemonAccess,
    NodePlan,
    PlannedConfig,
    PlannedFiles,
    PlannedPulls,
)
from fleet.core.plan.ownership import owned_after
from fleet.core.plan.path_checks import refuse_odd, refuse_unsafe
from fleet.core.plan.pull_tests import pull_tests, unproven
from fleet.core.plan.restart_cost import restart_cost
from fleet.core.plan.restart_risk import cgroup_warnings, planned_restart
from fleet.core.render.base import DesiredConfig, parsed_dump
from fleet.core.render.dormant_folders import folder_check
from fleet.core.render.strategies import STRATEGIES, Strategy
from fleet.core.text.documents import table
from fleet.core.text.toml_edit import dig


def plan_node(node: Node, facts: NodeFacts, desired: DesiredConfig) -> NodePlan:
    """Return the plan of one node; a NodeError becomes a plan with a failure."""
    try:
        return _plan(node, facts, desired)
    except NodeError as error:
        version = str(facts.daemon.version) if facts.daemon.version else None
        return NodePlan(
            node=node,
            containerd=version,
            failure=error.failure,
            notes=tuple(observations(facts)),
            findings=(*pending_findings(facts.pending), *_conflicts(facts)),
        )


def _conflicts(facts: NodeFacts) -> tuple[Finding, ...]:
    """Return the findings for a node that cannot be planned."""
    if facts.daemon.version is None or facts.daemon.owner is not None:
        return ()
    try:
        view = config_view(facts, facts.daemon.version, "")
        folders = folder_check(view, facts, frozenset(), Foreign.ADOPT)
        hosts = foreign_hosts(facts, facts.daemon.version, frozenset())
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
    cost = restart_cost(changes, facts.config.path)
    if changes and not facts.offline:
        refuse_unhealthy(facts, cost, rendered.findings)
    restart = planned_restart(facts, cost)
    notes = (*rendered.notes, *_foreign_notes(facts, changes), *observations(facts))
    return NodePlan(
        node=node,
        strategy=strategy.name,
        containerd=str(facts.daemon.version),
        changes=changes,
        files=PlannedFiles(
            unchanged=_unchanged_files(facts, changes),
            needed=tuple(dict.fromkeys(_needed_files(desired))) if changes else (),
            emptied_folders=_emptied_folders(changes),
            state=owned_after(facts, rendered, changes),
            state_before=facts.files.get(STATE_FILE),
        ),
        findings=(*pending_findings(facts.pending), *rendered.findings),
        notes=tuple(dict.fromkeys((*notes, *([restart.risk.message] if restart.risk else [])))),
        restart=restart,
        daemon=daemon_access(facts),
        config=replace(
            config_before(facts),
            path=rendered.config or facts.config.path,
            hosts_directory=rendered.hosts_directory,
            folder_before=folder_before(facts) if changes else "",
            intended_registry=rendered.intended_registry,
            generated=rendered.generated,
        ),
        pulls=PlannedPulls(
            tests=tuple(
                pull_tests(desired.registries, rendered.hosts_directory, facts.daemon.version)
            ),
            unproven=unproven(changes, desired.registries),
        ),
    )


def daemon_access(facts: NodeFacts) -> DaemonAccess:
    """Return how the daemon of a node is reached and restarted."""
    return DaemonAccess(
        binary=facts.daemon.binary,
        unit=facts.daemon.unit_name,
        socket=facts.daemon.socket,
        crictl=facts.cri.crictl_answers,
        unhealthy=health_problem(facts),
        start_seconds=facts.daemon.unit.start_seconds,
        tools=facts.daemon.rancher.tools,
        credentials=_credentials(facts),
    )


def config_before(facts: NodeFacts) -> PlannedConfig:
    """Return a node's present config, before any change."""
    return PlannedConfig(
        path=facts.config.path,
        outside_digest=outside_registry(facts.config.dump.text),
        ignored_tables=ignored_registries(facts.config.dump.text),
    )


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
    """Return the first strategy that fits the node; each release from the oldest on has one."""
    version = facts.daemon.version
    if facts.daemon.rancher.docker:
        message = f"{facts.daemon.owner} runs containers with Docker, not with its containerd"
        remedy = "set the mirrors in Docker's daemon.json"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    if version is None:
        message = f"containerd does not answer on this node (unit {facts.daemon.unit.load})"
        remedy = "check that it is installed and running"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    if version.release < OLDEST:
        message = f"containerd {version} is older than 1.2, the oldest that fleet supports"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, "upgrade it to 1.2 or newer")
    if facts.machine.distribution_id == "cos":
        message = "the files of Container-Optimized OS are read-only"
        remedy = "set the registry hosts on its node pool"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    return next(strategy for strategy in STRATEGIES if strategy.supports(facts))


def _unchanged_files(
    facts: NodeFacts, changes: tuple[Change, ...]
) -> tuple[tuple[str, str | None], ...]:
    """Return the files that the plan depends on but does not change, with their digests."""
    changed = {change.path for change in changes}
    files = ((path, facts.files.get(path)) for path in (facts.config.path, *facts.config.imports))
    linked = {change.path: change.before for change in changes if _is_link(change.before)}
    pairs = (*((path, file) for path, file in files if path not in changed), *linked.items())
    return tuple((path, replace(file, link="").digest if file else None) for path, file in pairs)


def _needed_files(desired: DesiredConfig) -> Iterator[str]:
    """Yield the certificates of the nodes' own that the desired config names."""
    for host in (host for registry in desired.registries for host in registry.hosts):
        yield from host.ca_paths
        yield from (path for pair in host.client_paths for path in pair)


def _is_link(file: ManagedFile | None) -> bool:
    return file is not None and bool(file.link)


def _emptied_folders(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the folders of deleted files: an empty one would switch _default off."""
    gone = {change.path.rpartition("/")[0] for change in changes if change.action is Action.DELETE}
    return tuple(sorted(gone))


def _foreign_notes(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    digests = facts.owned_by_key()
    for change in changes:
        owned = digests.get(file_key(facts.paths.entries, change.path))
        if not change.path.endswith(("/hosts.toml", "/registries.yaml")) or change.before is None:
            continue
        if change.before.link:
            verb = "removes" if change.after is None else "replaces"
            yield (
                f"{verb} {change.path}, a symbolic link to {change.before.link}; the target stays,"
                " and a rollback restores the link"
            )
        elif change.action is Action.DELETE and owned is None:
            yield f"removes {change.path}, which fleet did not write (backup kept)"
        elif change.action is Action.UPDATE and owned is None:
            yield f"overwrites {change.path}, which fleet did not write (backup kept)"
        elif change.action is Action.UPDATE and owned != change.before.digest:
            yield f"overwrites {change.path}, edited since fleet wrote it (backup kept)"


def observations(facts: NodeFacts) -> Iterator[str]:
    """Yield notes on a node that matter for every plan."""
    daemon = facts.daemon
    for path in facts.edited_not_loaded:
        yield f"{path} was edited after {daemon.program} started; not active until a restart"
    yield from cgroup_warnings(facts)
    if daemon.rancher.replaced:
        yield f"{daemon.rancher.program} was replaced after {daemon.unit_name} started"
    if upgrade_pending(facts):
        yield (
            f"containerd {daemon.running_version} is running, but {daemon.installed_version} is"
            " installed"
        )
    if daemon.version and daemon.version.release[:2] > NEWEST[:2]:
        yield f"containerd {daemon.version} is unknown to this fleet, which treats it like 2.3"
    if "/etc/eks" in facts.machine.marks:
        yield "EKS generates config.toml at every boot; files below certs.d are not affected"
