"""The test of the mirrors: each endpoint from the nodes, and a ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.actions.session import Session
from fleet.actions.survey import desired_config
from fleet.actions.user_interface import UserInterface
from fleet.config.load import Loaded
from fleet.config.mirrors.yaml_order import ReorderResult, write_endpoint_order
from fleet.core.containerd.requests import Image, parse_image
from fleet.core.mirrors.check import Target
from fleet.core.mirrors.diagnosis import compared
from fleet.core.mirrors.ranking import Ranking, rankings
from fleet.core.model.mirror import Registry
from fleet.core.model.node import Node
from fleet.engine.bugs import isolate_bugs
from fleet.engine.mirrors import SiteTested, groups_of, try_mirrors
from fleet.errors import FleetError
from fleet.node.mirrors.session import MirrorOrder

Show = Callable[[SiteTested], object]
"""Shows one node's results; an exception in it is that node's failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorTestOptions:
    """The options of a mirror test.

    `seconds` limits each step of a test, `size` the bytes to read of the first layer, and
    `per_mirror` the concurrent tests of one mirror. `write` is the file that gets a better order.
    """

    per_site: bool = False
    images: tuple[str, ...] = ()
    seconds: float = 5
    size: int = 1 << 20
    per_mirror: int = 4
    write: Path | None = None


@dataclass(frozen=True, slots=True)
class MirrorTestResult:
    """The results by node, the ranking by registry, and the orders that were written."""

    nodes: list[SiteTested]
    ranked: Sequence[Ranking]
    moved: Sequence[ReorderResult] = ()

    @property
    def good(self) -> bool:
        """Return whether every endpoint serves, seen from every node."""
        return all(
            result.failure is None and all(check.diagnosis.serves for check in result.results)
            for result in self.nodes
        )


def test_mirrors(
    files: Loaded, nodes: Sequence[Node], options: MirrorTestOptions, session: Session, show: Show
) -> MirrorTestResult:
    """Test every endpoint separately from the nodes; write a better order if `write` is given."""
    session = session.ready(nodes)
    orders = _orders(files, nodes, options, session)
    groups = groups_of(orders, per_site=options.per_site)
    tested = try_mirrors(groups, parallel=session.pool.parallel, per_mirror=options.per_mirror)
    positions = {node.name: number for number, node in enumerate(nodes)}
    results = sorted(
        _report_progress(tested, len(groups), session.ui),
        key=lambda result: positions[result.node],
    )
    results = _with_stale([foldable(result, show) for result in results])
    ranked = rankings(result.results for result in results if result.results)
    moved = write_endpoint_order(options.write, ranked) if options.write else ()
    return MirrorTestResult(results, ranked, moved)


def _orders(
    files: Loaded, nodes: Sequence[Node], options: MirrorTestOptions, session: Session
) -> list[MirrorOrder]:
    desired = desired_config(files.inventory, files.mirrors)
    images = _images(options.images)
    roots: dict[str, str] = {}
    orders = [
        MirrorOrder(
            node=node,
            access=session.access,
            targets=tuple(_targets(desired(node).registries, images)),
            seconds=options.seconds,
            size=options.size,
            roots=roots,
        )
        for node in nodes
    ]
    _refuse_unknown_registries(images, orders)
    return orders


def foldable(result: SiteTested, show: Show) -> SiteTested:
    """Return a node's results, or its failure if they cannot be ranked or shown.

    All results are ranked together later, where an exception would end the command. This function
    therefore tries the results of each node alone.
    """

    def rank_alone() -> None:
        compared([result.results])
        rankings([result.results])
        show(result)

    failure = isolate_bugs(rank_alone, result.node)
    return replace(result, results=(), failure=failure) if failure else result


def _images(texts: Iterable[str]) -> Mapping[str, Image]:
    images = {}
    for text in texts:
        image = parse_image(text)
        if image is None:
            raise FleetError(f"--image {text!r}: expected one such as docker.io/library/busybox:1")
        images[image.registry] = image
    return images


def _targets(registries: Iterable[Registry], images: Mapping[str, Image]) -> Iterator[Target]:
    for registry in registries:
        image = images.get(registry.name)
        if image is None and registry.verify:
            image = parse_image(registry.verify)
        for mirror in registry.mirrors:
            yield Target(registry.name, mirror, image)


def _refuse_unknown_registries(images: Mapping[str, Image], orders: Sequence[MirrorOrder]) -> None:
    known = {target.registry for order in orders for target in order.targets}
    for name, image in images.items():
        if name not in known:
            raise FleetError(f"--image {image}: no mirror of these nodes serves {name}")


def _report_progress(
    results: Iterable[SiteTested], total: int, ui: UserInterface
) -> Iterator[SiteTested]:
    """Report the progress after every 20 nodes; failures come with the result, grouped."""
    failed = 0
    for number, result in enumerate(results, 1):
        failed += result.failure is not None
        if number == total or number % 20 == 0:
            ui.message(f"mirrors {number}/{total}" + (f", {failed} failed" if failed else ""))
        yield result


def _with_stale(results: list[SiteTested]) -> list[SiteTested]:
    """Compare the answers that all nodes got for the same tags, and diagnose stale mirrors."""
    compared_results = compared([result.results for result in results])
    return [
        replace(result, results=node_results)
        for result, node_results in zip(results, compared_results, strict=True)
    ]
