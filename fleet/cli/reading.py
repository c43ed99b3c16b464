"""The commands `fleet probe`, `fleet diff` and `fleet verify`, which change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.cli.flags import fingerprints
from fleet.cli.log_file import KNOWN
from fleet.cli.options import Exit, RenderOptions, Settings, desired_config_of
from fleet.cli.output.outcome import print_outcomes, verdict_words
from fleet.cli.output.plan import finding_line, finding_style, print_plans
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.prompts import ready
from fleet.config.load import Loaded
from fleet.core.failure import Failure
from fleet.core.history.serialize import (
    facts_data,
    failure_data,
    outcome_data,
    plan_data,
    unread_state,
)
from fleet.core.masking import Mark
from fleet.core.masking.known import clean_failure, clean_outcome
from fleet.core.model.facts import NodeFacts
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import config_before, daemon_access
from fleet.core.plan.pull_tests import PullTest, pull_tests
from fleet.core.render.base import DesiredConfig
from fleet.core.rollout.batches import Size, parse_size
from fleet.core.selection.sample import CONFIDENCE, Sample, sample
from fleet.engine.bugs import isolate_bugs
from fleet.engine.duplicate_nodes import refuse_duplicate_nodes
from fleet.engine.survey import Surveyed, examine, survey, verify_all
from fleet.engine.workers.base import WorkerPool
from fleet.errors import printable
from fleet.node.verify.run import VerifyOrder
from fleet.node.work_order import Access, Deadlines


def surveyed(
    settings: Settings,
    loaded: Loaded,
    access: Access,
    *,
    pool: WorkerPool,
    taste: RenderOptions | None = None,
) -> list[Surveyed]:
    """Probe and plan the chosen nodes, with progress; return surveys in inventory order."""
    nodes = settings.select(loaded.inventory)
    access = ready(access, nodes)
    desired = desired_config_of(loaded.inventory, loaded.mirrors, taste or RenderOptions())
    surveys = survey(nodes, desired, access, pool=pool)
    return in_order(with_progress(surveys, len(nodes), settings), [node.name for node in nodes])


def with_progress(
    results: Iterable[Surveyed], total: int, settings: Settings
) -> Iterator[Surveyed]:
    """Print the progress of a survey; yield its results without secrets."""
    for number, unmasked in enumerate(results, 1):
        result = _without_secrets(unmasked)
        if result.plan.failure is not None and result.facts is None:
            failure = result.plan.failure
            settings.say(f"probe {number}/{total}: {result.node.name}: {failure.message}")
        elif number == total or number % 50 == 0:
            settings.say(f"probe {number}/{total}")
        yield result


def _without_secrets(result: Surveyed) -> Surveyed:
    """Return the survey of a node without the secrets that fleet knows."""
    failure = result.plan.failure
    if failure is None:
        return result
    plan = replace(result.plan, failure=clean_failure(failure, KNOWN))
    return replace(result, plan=plan)


def in_order(results: Iterable[Surveyed], names: list[str]) -> list[Surveyed]:
    """Sort surveys into inventory order; fail the nodes that are the same machine."""
    positions = {name: number for number, name in enumerate(names)}
    return refuse_duplicate_nodes(sorted(results, key=lambda result: positions[result.node.name]))


def probe(settings: Settings, access: Access, *, pool: WorkerPool) -> Exit:
    """Print the facts of every node, and its state compared with mirrors.yaml."""
    surveys = surveyed(settings, settings.load(), access, pool=pool)
    examined = [examine(result, facts_data) for result in surveys]
    read_nodes = [result for result, _ in examined]
    if settings.as_json:
        print_json(
            {"nodes": {result.node.name: _probe_data(result, data) for result, data in examined}}
        )
    else:
        _print_probe(examined, settings)
    return Exit.FAILED if any(result.facts is None for result in read_nodes) else Exit.OK


def _probe_data(result: Surveyed, data: dict[str, Any] | None) -> dict[str, Any]:
    failure = result.plan.failure
    return data or {"state": unread_state(failure), "failure": failure_data(failure)}


def _print_probe(
    examined: Sequence[tuple[Surveyed, dict[str, Any] | None]], settings: Settings
) -> None:
    out = console(color=settings.color)
    columns = ("NODE", "STATE", "CONTAINERD", "STRATEGY", "REGISTRY CONFIG", "CRI", "CRICTL", "OS")
    table(columns, (_probe_row(*result) for result in examined), out)
    for result, _ in examined:
        for note in result.plan.notes:
            out.print(f"{result.node.name}: note: {printable(note)}", style="yellow")
        for finding in result.plan.findings:
            text = f"{result.node.name}: {finding_line(finding)}"
            out.print(text, style=finding_style(finding))
        if result.plan.failure is not None:
            failure = result.plan.failure
            text = f"{result.node.name}: {failure.kind}: {printable(failure.message)}"
            out.print(text, style="red")


def _probe_row(result: Surveyed, data: dict[str, Any] | None) -> tuple[str, ...]:
    if result.facts is None or data is None:
        return (
            result.node.name,
            unread_state(result.plan.failure),
            "",
            "",
            "",
            "",
            "",
            "",
        )
    return (
        result.node.name,
        str(data["state"]),
        _versions(result.facts),
        str(data["strategy"] or "-"),
        str(data["registry_config"] or "none"),
        f"{result.facts.cri.state} ({result.facts.daemon.unit.active})",
        str(data["crictl"] or "-"),
        result.facts.machine.distribution,
    )


def _versions(facts: NodeFacts) -> str:
    running, installed = facts.daemon.running_version, facts.daemon.installed_version
    if running is None:
        return f"{installed or '-'} (not running)"
    same = installed is None or installed.release == running.release
    return str(running) if same else f"{running} (installed: {installed})"


def diff(settings: Settings, access: Access, *, pool: WorkerPool, taste: RenderOptions) -> Exit:
    """Print what a rollout would change."""
    loaded = settings.load()
    surveys = surveyed(settings, loaded, access, pool=pool, taste=taste)
    plans = [result.plan for result in surveys]
    show_plans(plans, settings, fingerprints(settings))
    return plan_exit_code(plans)


def show_plans(plans: list[NodePlan], settings: Settings, mark: Mark) -> None:
    """Print plans as text or as JSON."""
    if settings.as_json:
        print_json({"nodes": {plan.node.name: plan_data(plan, mark) for plan in plans}})
    else:
        print_plans(plans, console(color=settings.color), mark)


def plan_exit_code(plans: list[NodePlan]) -> Exit:
    """Return the exit code for plans: failed, different or ok."""
    if any(plan.failure is not None for plan in plans):
        return Exit.FAILED
    return Exit.DIFFERENT if any(plan.changes for plan in plans) else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFlags:
    """The flags of `fleet verify`."""

    pull_seconds: int = 120
    liveness: bool = True
    sample: str | None = None
    per_mirror: int = 16


def verify(settings: Settings, access: Access, *, pool: WorkerPool, flags: ProofFlags) -> Exit:
    """Pull the verification images on every chosen node, with its present config."""
    size = parse_size(flags.sample, "--sample") if flags.sample else Size(100, percent=True)
    loaded = settings.load()
    selected = settings.select(loaded.inventory)
    chosen = sample([node.name for node in selected], size.of(len(selected)))
    nodes = tuple(node for node in selected if node.name in set(chosen.names))
    access = ready(access, nodes)
    desired = desired_config_of(loaded.inventory, loaded.mirrors, RenderOptions())
    surveys = survey(nodes, desired, access, pool=pool)
    names = [node.name for node in nodes]
    deadlines = Deadlines(pull=flags.pull_seconds, guard=0, per_mirror=flags.per_mirror)

    def order(result: Surveyed) -> VerifyOrder:
        plan, tests = as_it_is(result, lambda result: tests_of(result, desired(result.node)))
        return VerifyOrder(plan, access, tests, deadlines, flags.liveness)

    orders = [
        order(result) for result in in_order(with_progress(surveys, len(nodes), settings), names)
    ]
    cleaned = (clean_outcome(outcome, KNOWN) for outcome in verify_all(orders, pool=pool))
    outcomes = {outcome.node: outcome for outcome in cleaned}
    ordered = [outcomes[name] for name in names]
    show_verified(ordered, settings, chosen if flags.sample else None)
    bad = any(outcome.status is not NodeStatus.UNCHANGED for outcome in ordered)
    return Exit.FAILED if bad else Exit.OK


def tests_of(result: Surveyed, desired: DesiredConfig) -> tuple[PullTest, ...]:
    """Return the verification pulls of a node, as its containerd release reads the config."""
    version = result.facts.daemon.version if result.facts is not None else None
    return tuple(pull_tests(desired.registries, result.plan.config.hosts_directory, version))


def as_it_is(
    result: Surveyed, tests: Callable[[Surveyed], Iterable[PullTest]]
) -> tuple[NodePlan, tuple[PullTest, ...]]:
    """Return the plan and the pulls that verify a node as it is, also if planning failed."""
    examined, plan = examine(result, _plan_as_is)
    pulls = isolate_bugs(lambda: tuple(tests(result)), result.node.name)
    if isinstance(pulls, Failure):
        return NodePlan(node=result.node, failure=pulls), ()
    return plan or examined.plan, pulls


def _plan_as_is(facts: NodeFacts, plan: NodePlan) -> NodePlan:
    return NodePlan(
        node=plan.node,
        strategy=plan.strategy,
        containerd=plan.containerd,
        daemon=daemon_access(facts),
        config=replace(
            config_before(facts),
            hosts_directory=plan.config.hosts_directory,
            in_force=not plan.changes and not facts.edited_not_loaded,
        ),
    )


def show_verified(
    outcomes: list[NodeOutcome], settings: Settings, chosen: Sample | None = None
) -> None:
    """Print the results of pulls, and for a sample what can be concluded from it."""
    if settings.as_json:
        nodes = {"nodes": {outcome.node: outcome_data(outcome) for outcome in outcomes}}
        print_json({**nodes, "sample": _sample_data(chosen)} if chosen else nodes)
        return
    out = console(color=settings.color)
    rows = [
        (outcome.node, verdict.image, verdict_words(verdict) if verdict.ok else "FAILED",
         verdict.via, f"{verdict.seconds:.2f} s", f"{verdict.size} B", verdict.detail)
        for outcome in outcomes
        for verdict in outcome.verified
    ]  # fmt: skip
    table(("NODE", "IMAGE", "VERDICT", "BY", "TIME", "SIZE", "NOTE"), rows, out)
    for outcome in outcomes:
        if outcome.liveness is not None and outcome.liveness.state != "live":
            state, output = outcome.liveness.state, outcome.liveness.output
            text = f"{outcome.node}: the daemon's folder: {state}: {output}"
            out.print(printable(text), style="red")
    print_outcomes([outcome for outcome in outcomes if outcome.failure is not None], out)
    if chosen is not None:
        out.print(_sample_line(chosen))


def _sample_data(chosen: Sample) -> dict[str, object]:
    about = {"nodes": len(chosen.names), "of": chosen.total, "confidence": CONFIDENCE}
    return {**about, "at_most_ill": chosen.at_most}


def _sample_line(chosen: Sample) -> str:
    """Return a line on what can be concluded from a sample without a failure."""
    return (
        f"A sample of {len(chosen.names)} of {chosen.total} nodes: if all of these are well,"
        f" at most {chosen.at_most} of all are not ({CONFIDENCE:.0%} confidence)."
    )
