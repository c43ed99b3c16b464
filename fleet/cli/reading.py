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
from fleet.core.plan.planner import NodePlan, daemon_fields
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
    crew: WorkerPool,
    taste: RenderOptions | None = None,
) -> list[Surveyed]:
    """Probe and plan the chosen nodes, with progress; return surveys in inventory order."""
    nodes = settings.select(loaded.inventory)
    access = ready(access, nodes)
    wishes = desired_config_of(loaded.inventory, loaded.mirrors, taste or RenderOptions())
    found = survey(nodes, wishes, access, crew=crew)
    return in_order(with_progress(found, len(nodes), settings), [node.name for node in nodes])


def with_progress(found: Iterable[Surveyed], total: int, settings: Settings) -> Iterator[Surveyed]:
    """Print the progress of a survey; yield its results without secrets."""
    for number, raw in enumerate(found, 1):
        each = _clean(raw)
        if each.plan.failure is not None and each.facts is None:
            failure = each.plan.failure
            settings.say(f"probe {number}/{total}: {each.node.name}: {failure.message}")
        elif number == total or number % 50 == 0:
            settings.say(f"probe {number}/{total}")
        yield each


def _clean(each: Surveyed) -> Surveyed:
    """Return the survey of a node without the secrets that fleet knows."""
    failure = each.plan.failure
    if failure is None:
        return each
    plan = replace(each.plan, failure=clean_failure(failure, KNOWN))
    return replace(each, plan=plan)


def in_order(found: Iterable[Surveyed], names: list[str]) -> list[Surveyed]:
    """Sort surveys into inventory order; fail the nodes that are the same machine."""
    place = {name: number for number, name in enumerate(names)}
    return refuse_duplicate_nodes(sorted(found, key=lambda each: place[each.node.name]))


def probe(settings: Settings, access: Access, *, crew: WorkerPool) -> Exit:
    """Print the facts of every node, and its state compared with mirrors.yaml."""
    read = surveyed(settings, settings.load(), access, crew=crew)
    told = [examine(each, facts_data) for each in read]
    found = [each for each, _ in told]
    if settings.as_json:
        print_json({"nodes": {each.node.name: _probe_data(each, data) for each, data in told}})
    else:
        _print_probe(told, settings)
    return Exit.FAILED if any(each.facts is None for each in found) else Exit.OK


def _probe_data(each: Surveyed, data: dict[str, Any] | None) -> dict[str, Any]:
    failure = each.plan.failure
    return data or {"state": unread_state(failure), "failure": failure_data(failure)}


def _print_probe(
    told: Sequence[tuple[Surveyed, dict[str, Any] | None]], settings: Settings
) -> None:
    out = console(color=settings.color)
    columns = ("NODE", "STATE", "CONTAINERD", "STRATEGY", "REGISTRY CONFIG", "CRI", "CRICTL", "OS")
    table(columns, (_probe_row(*each) for each in told), out)
    for each, _ in told:
        for note in each.plan.notes:
            out.print(f"{each.node.name}: note: {printable(note)}", style="yellow")
        for finding in each.plan.findings:
            text = f"{each.node.name}: {finding_line(finding)}"
            out.print(text, style=finding_style(finding))
        if each.plan.failure is not None:
            failure = each.plan.failure
            text = f"{each.node.name}: {failure.kind}: {printable(failure.message)}"
            out.print(text, style="red")


def _probe_row(each: Surveyed, data: dict[str, Any] | None) -> tuple[str, ...]:
    if each.facts is None or data is None:
        return (each.node.name, unread_state(each.plan.failure), "", "", "", "", "", "")
    return (
        each.node.name,
        str(data["state"]),
        _versions(each.facts),
        str(data["strategy"] or "-"),
        str(data["registry_config"] or "none"),
        f"{each.facts.cri} ({each.facts.unit.active})",
        str(data["crictl"] or "-"),
        each.facts.distribution,
    )


def _versions(facts: NodeFacts) -> str:
    running, installed = facts.daemon_version, facts.binary_version
    if running is None:
        return f"{installed or '-'} (not running)"
    same = installed is None or installed.release == running.release
    return str(running) if same else f"{running} (installed: {installed})"


def diff(settings: Settings, access: Access, *, crew: WorkerPool, taste: RenderOptions) -> Exit:
    """Print what a rollout would change."""
    loaded = settings.load()
    found = surveyed(settings, loaded, access, crew=crew, taste=taste)
    plans = [each.plan for each in found]
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


def verify(settings: Settings, access: Access, *, crew: WorkerPool, flags: ProofFlags) -> Exit:
    """Pull the verification images on every chosen node, with its present config."""
    size = parse_size(flags.sample, "--sample") if flags.sample else Size(100, percent=True)
    loaded = settings.load()
    among = settings.select(loaded.inventory)
    chosen = sample([node.name for node in among], size.of(len(among)))
    nodes = tuple(node for node in among if node.name in set(chosen.names))
    access = ready(access, nodes)
    wishes = desired_config_of(loaded.inventory, loaded.mirrors, RenderOptions())
    found = survey(nodes, wishes, access, crew=crew)
    names = [node.name for node in nodes]
    deadlines = Deadlines(pull=flags.pull_seconds, guard=0, per_mirror=flags.per_mirror)

    def order(each: Surveyed) -> VerifyOrder:
        plan, tests = as_it_is(each, lambda it: tests_of(it, wishes(it.node)))
        return VerifyOrder(plan, access, tests, deadlines, flags.liveness)

    orders = [order(each) for each in in_order(with_progress(found, len(nodes), settings), names)]
    ended = (clean_outcome(each, KNOWN) for each in verify_all(orders, crew=crew))
    outcomes = {each.node: each for each in ended}
    ordered = [outcomes[name] for name in names]
    show_verified(ordered, settings, chosen if flags.sample else None)
    bad = any(each.status is not NodeStatus.UNCHANGED for each in ordered)
    return Exit.FAILED if bad else Exit.OK


def tests_of(found: Surveyed, wished: DesiredConfig) -> tuple[PullTest, ...]:
    """Return the verification pulls of a node, as its containerd release reads the config."""
    version = found.facts.version if found.facts is not None else None
    return tuple(pull_tests(wished.registries, found.plan.hosts_directory, version))


def as_it_is(
    each: Surveyed, tests: Callable[[Surveyed], Iterable[PullTest]]
) -> tuple[NodePlan, tuple[PullTest, ...]]:
    """Return the plan and the pulls that verify a node as it is, also if planning failed."""
    found, plan = examine(each, _in_force)
    pulls = isolate_bugs(lambda: tuple(tests(each)), each.node.name)
    if isinstance(pulls, Failure):
        return NodePlan(node=each.node, failure=pulls), ()
    return plan or found.plan, pulls


def _in_force(facts: NodeFacts, plan: NodePlan) -> NodePlan:
    return NodePlan(
        node=plan.node,
        strategy=plan.strategy,
        containerd=plan.containerd,
        hosts_directory=plan.hosts_directory,
        in_force=not plan.changes and not facts.edited_not_loaded,
        **daemon_fields(facts),
    )


def show_verified(
    outcomes: list[NodeOutcome], settings: Settings, chosen: Sample | None = None
) -> None:
    """Print the results of pulls, and for a sample what can be concluded from it."""
    if settings.as_json:
        nodes = {"nodes": {each.node: outcome_data(each) for each in outcomes}}
        print_json({**nodes, "sample": _sample_data(chosen)} if chosen else nodes)
        return
    out = console(color=settings.color)
    rows = [
        (each.node, verdict.image, verdict_words(verdict) if verdict.ok else "FAILED",
         verdict.via, f"{verdict.seconds:.2f} s", f"{verdict.size} B", verdict.detail)
        for each in outcomes
        for verdict in each.verified
    ]  # fmt: skip
    table(("NODE", "IMAGE", "VERDICT", "BY", "TIME", "SIZE", "NOTE"), rows, out)
    for each in outcomes:
        if each.liveness is not None and each.liveness.state != "live":
            text = (
                f"{each.node}: the daemon's folder: {each.liveness.state}: {each.liveness.output}"
            )
            out.print(printable(text), style="red")
    print_outcomes([each for each in outcomes if each.failure is not None], out)
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
