"""From facts and wishes to a plan: what changes on a node, in which order, at what cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from fleet.core.config_toml import drop_table, parse_config, registry_table
from fleet.core.facts import STATE_FILE, Generation, NodeFacts, OwnedState
from fleet.core.hosts_toml import hosts_files
from fleet.core.model import Action, Change, Disruption, ManagedFile, Node, Registry, Tree
from fleet.core.outcome import Failure, FailureKind, NodeError
from fleet.core.strategies import STRATEGIES, DesiredState, Strategy
from fleet.core.strategies.base import Wishes
from fleet.core.versions import parse_version

_SAFE_PATH = re.compile(r"/[A-Za-z0-9_.:/@%+\[\]-]*")
_HOSTS_REFERENCE = parse_version("1.6.0")
_PER_PULL = re.compile(r".*/(hosts\.toml|[^/]+\.pem)")


@dataclass(frozen=True, slots=True)
class PullTest:
    """An image to pull for proof; `hosts` is the registry's hosts.toml, for ctr to go by."""

    image: str
    registry: str
    hosts: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """All that one node's pass needs: ordered changes, their cost, and what they rest on."""

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
    disruption: Disruption = Disruption.NONE
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    tests: tuple[PullTest, ...] = ()
    hosts_directory: str | None = None
    config: str = "/etc/containerd/config.toml"
    binary: str = "/usr/bin/containerd"
    crictl: bool = False


def plan_node(node: Node, facts: NodeFacts, wishes: Wishes) -> NodePlan:
    """Plan one node; what cannot be planned is a plan with a failure, never an exception."""
    try:
        return _planned(node, facts, wishes)
    except NodeError as error:
        version = str(facts.version) if facts.version else None
        notes = tuple(_observations(facts))
        return NodePlan(node=node, containerd=version, failure=error.failure, notes=notes)


def _planned(node: Node, facts: NodeFacts, wishes: Wishes) -> NodePlan:
    refuse_foreign_owner(node, facts)
    strategy = _strategy(facts)
    desired = strategy.render(facts, wishes)
    desired, dropped = _without_orphans(facts, desired)
    changes = ordered(differences(facts.files, desired, facts.state))
    _refuse_unsafe(changes, facts)
    cost = disruption(changes, facts.config)
    if changes:
        refuse_unhealthy(facts, cost)
    return NodePlan(
        node=node,
        strategy=strategy.name,
        containerd=str(facts.version),
        changes=changes,
        state=_owned(facts, desired, changes),
        state_before=facts.files.get(STATE_FILE),
        made_directories=_emptied(changes),
        unchanged=_unchanged(facts, changes),
        disruption=cost,
        notes=(*desired.notes, *dropped, *_adoptions(facts, changes), *_observations(facts)),
        tests=tuple(pull_tests(wishes.registries, desired.hosts_directory)),
        hosts_directory=desired.hosts_directory,
        config=facts.config,
        binary=facts.binary,
        crictl=facts.crictl_answers,
    )


def refuse_foreign_owner(node: Node, facts: NodeFacts) -> None:
    """Refuse a node whose containerd belongs to a distribution that rewrites its files."""
    owners = (node.distro,) if node.distro not in {None, "containerd"} else facts.owners
    if owners:
        message = (
            f"{', '.join(str(each) for each in owners)} runs a containerd of its own here, whose"
            " files it generates; fleet does not write those"
        )
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)


def refuse_unhealthy(facts: NodeFacts, cost: Disruption) -> None:
    """Refuse to change a node whose health could not tell a good change from a bad one."""
    if facts.cri != "ok" or not facts.unit.running:
        state = f"unit {facts.unit.active}/{facts.unit.sub}, CRI plugin {facts.cri}"
        message = f"containerd is not healthy before any change ({state}); mend the node first"
        raise NodeError(FailureKind.HEALTH, "plan", message, facts.cri_detail)
    if cost is Disruption.RESTART and _upgrade_pending(facts):
        message = (
            f"containerd {facts.daemon_version} runs but {facts.binary_version} is installed: a"
            " restart would also be an upgrade; restart it yourself first"
        )
        raise NodeError(FailureKind.CONFLICT, "plan", message)


def _upgrade_pending(facts: NodeFacts) -> bool:
    running, installed = facts.daemon_version, facts.binary_version
    return bool(running and installed and running.release != installed.release)


def _strategy(facts: NodeFacts) -> Strategy:
    if facts.version is None:
        message = f"no containerd answers here (unit {facts.unit.load}); is it installed?"
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    found = next((each for each in STRATEGIES if each.supports(facts)), None)
    if found is None:
        message = f"fleet knows no way to write mirrors for containerd {facts.version}"
        raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
    return found


def differences(current: Tree, desired: DesiredState, owned: OwnedState) -> Iterator[Change]:
    """Yield what must change; only files that fleet owns and nobody edited are deleted."""
    for path, wanted in desired.files.items():
        before = current.get(path)
        after = wanted if before is None else _kept_owner(before, wanted)
        if before is None or (before.content, before.mode) != (after.content, after.mode):
            yield Change(path, before, after)
    for path, digest in owned.files.items():
        before = current.get(path)
        gone = path not in desired.files and _PER_PULL.fullmatch(path)
        if gone and before is not None and before.digest == digest:
            yield Change(path, before, None)


def _kept_owner(before: ManagedFile, wanted: ManagedFile) -> ManagedFile:
    """Keep mode and owner as they were; a credential is for root's eyes only."""
    mode = wanted.mode if wanted.secret else before.mode
    return ManagedFile(wanted.content, mode, before.uid, before.gid, wanted.secret)


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Order changes so that nothing ever points at a file that is not there."""

    def rank(change: Change) -> tuple[int, str]:
        if change.action is Action.DELETE:
            return (3, change.path)
        if change.path.endswith("/hosts.toml"):
            return (1, change.path)
        return (0 if change.path.endswith(".pem") else 2, change.path)

    return tuple(sorted(changes, key=rank))


def disruption(changes: Iterable[Change], config: str) -> Disruption:
    """Return what `changes` cost the node; a file that we do not know costs the most.

    hosts.toml and certificates are read at every pull, config.toml only at start; what legacy
    nodes keep beside config.toml changes together with it.
    """
    folder = config.rpartition("/")[0] + "/fleet/"
    costs = [
        change.path.startswith(folder) or not _PER_PULL.fullmatch(change.path) for change in changes
    ]
    return Disruption.RESTART if any(costs) else Disruption.NONE


def _refuse_unsafe(changes: Iterable[Change], facts: NodeFacts) -> None:
    for change in changes:
        if not _SAFE_PATH.fullmatch(change.path) or "/../" in change.path:
            message = f"{change.path!r} is no path that fleet would write to"
            raise NodeError(FailureKind.UNSUPPORTED, "plan", message)
        if change.path in facts.links:
            message = f"{change.path} is a symbolic link; fleet does not write through links"
            raise NodeError(FailureKind.CONFLICT, "plan", message)


def _without_orphans(
    facts: NodeFacts, desired: DesiredState
) -> tuple[DesiredState, tuple[str, ...]]:
    """Drop from config.toml what fleet once wrote there and mirrors.yaml no longer names."""
    gone = tuple(name for name in facts.state.legacy if name not in desired.legacy)
    kept = desired.files.get(facts.config) or facts.files.get(facts.config)
    if not gone or kept is None or facts.version is None:
        return desired, ()
    text = kept.content.decode("utf-8", "surrogateescape")
    data = parse_config(text, facts.config)
    table = registry_table(data, facts.version, facts.config)
    for name in gone:
        text = drop_table(text, (*table, *_split(name)))
    content = text.encode("utf-8", "surrogateescape")
    file = ManagedFile(content, kept.mode, kept.uid, kept.gid, kept.secret)
    files = {**desired.files, facts.config: file}
    note = f"{', '.join(gone)}: no longer in mirrors.yaml, removed from {facts.config}"
    return DesiredState(files, desired.hosts_directory, desired.legacy, desired.notes), (note,)


def _split(name: str) -> tuple[str, ...]:
    """Part a dotted TOML name with quoted keys, as `dotted` wrote it."""
    return tuple(bare or quoted for quoted, bare in re.findall(r'"([^"]*)"|([^."]+)', name))


def _owned(facts: NodeFacts, desired: DesiredState, changes: tuple[Change, ...]) -> OwnedState:
    """Return what fleet owns once the changes are made; the generation is the driver's to add."""
    files = {path: kept.digest for path, kept in desired.files.items()}
    if not changes:
        return facts.state
    return OwnedState(facts.state.generation, files, desired.legacy)


def _unchanged(facts: NodeFacts, changes: tuple[Change, ...]) -> tuple[tuple[str, str | None], ...]:
    """Return the files that the plan rests on without changing them, with their digests."""
    if any(change.path == facts.config for change in changes):
        return ()
    kept = facts.files.get(facts.config)
    return ((facts.config, kept.digest if kept else None),)


def _emptied(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the folders of deleted files: an empty one would switch _default off."""
    gone = {each.path.rpartition("/")[0] for each in changes if each.action is Action.DELETE}
    return tuple(sorted(gone))


def _adoptions(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    for change in changes:
        foreign = change.path not in facts.state.files and change.action is Action.UPDATE
        if foreign and change.path.endswith("/hosts.toml"):
            yield f"adopts {change.path}, which fleet did not write; its bytes are kept"


def _observations(facts: NodeFacts) -> Iterator[str]:
    for path in facts.edited_not_loaded:
        yield f"{path} was edited after containerd had started: edited, not loaded"
    if _upgrade_pending(facts):
        yield f"containerd {facts.daemon_version} runs, {facts.binary_version} is installed"


def pull_tests(registries: Iterable[Registry], directory: str | None) -> Iterator[PullTest]:
    """Yield the verification pulls that the registries ask for."""
    for registry in registries:
        if registry.verify and _HOSTS_REFERENCE:
            folder = f"{directory or '/nowhere'}/{registry.name}"
            files = dict(hosts_files(registry, folder, _HOSTS_REFERENCE))
            yield PullTest(registry.verify, registry.name, files[f"{folder}/hosts.toml"].content)


def plan_rollback(node: Node, facts: NodeFacts, to: str | None = None) -> NodePlan:
    """Plan the way back over the generations that the probe walked, the newest first."""
    version = str(facts.version) if facts.version else None
    base = NodePlan(node=node, containerd=version, strategy="rollback", rollback=True)
    if not facts.generations or (to and facts.generations[-1].id != to):
        wanted = f"generation {to}" if to else "generation"
        message = f"fleet has kept no {wanted} on this node: there is nothing to go back to"
        return replace(base, failure=Failure(FailureKind.NO_GENERATION, "plan", message))
    before: dict[str, ManagedFile | None] = {}
    for generation in facts.generations:
        before.update({kept.path: kept.before for kept in generation.kept if not kept.directory})
    restored = before.pop(STATE_FILE, None)
    pairs = ((path, facts.files.get(path), kept) for path, kept in before.items())
    changes = ordered(Change(*each) for each in pairs if each[1] != each[2])
    return replace(
        base,
        changes=changes,
        state_before=facts.files.get(STATE_FILE),
        state_restored=restored,
        disruption=disruption(changes, facts.config),
        notes=tuple(_observations(facts)),
        made_directories=_made(facts.generations),
        config=facts.config,
        binary=facts.binary,
        crictl=facts.crictl_answers,
    )


def _made(generations: Iterable[Generation]) -> tuple[str, ...]:
    """Return the directories that the changes made, the deepest first."""
    found = {kept.path for each in generations for kept in each.kept if kept.directory}
    return tuple(sorted(found, key=lambda path: (-path.count("/"), path)))


def state_after(plan: NodePlan, generation: str) -> ManagedFile | None:
    """Return state.json as it must stand once the plan is carried out under that generation."""
    if plan.rollback:
        return plan.state_restored
    content = replace(plan.state, generation=generation).render()
    return ManagedFile(content, 0o600)
