"""The command `fleet mirrors test`: a test of each endpoint from the nodes, and a ranking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.cli.options import Exit, RenderOptions, Settings, desired_config_of
from fleet.cli.output import mirrors as mirror_views
from fleet.cli.output.tables import console, print_json
from fleet.cli.prompts import ready
from fleet.config.mirrors.yaml_order import ReorderResult, write_endpoint_order
from fleet.core.containerd.requests import Image, parse_image
from fleet.core.mirrors.check import Target
from fleet.core.mirrors.diagnosis import compared
from fleet.core.mirrors.ranking import Ranking, rankings
from fleet.core.model.mirror import Registry
from fleet.engine.bugs import isolate_bugs
from fleet.engine.mirrors import SiteTested, groups_of, try_mirrors
from fleet.errors import FleetError
from fleet.node.mirrors.session import MirrorOrder
from fleet.node.work_order import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorTestOptions:
    """The flags of `fleet mirrors test`."""

    per_site: bool
    images: tuple[str, ...]
    seconds: float
    size: int
    per_mirror: int
    write: bool


def test(settings: Settings, access: Access, options: MirrorTestOptions, *, parallel: int) -> Exit:
    """Test the endpoints, print the results, and write a better order if --write is given."""
    results = _test_nodes(settings, access, options, parallel=parallel)
    ranked = rankings(result.results for result in results if result.results)
    moved = write_endpoint_order(settings.mirrors, ranked) if options.write else ()
    if settings.as_json:
        print_json(mirror_views.data(results, ranked, moved))
    else:
        mirror_views.show(results, ranked, console(color=settings.color))
        _print_orders(ranked, moved, options, settings)
    good = all(
        result.failure is None and all(check.diagnosis.serves for check in result.results)
        for result in results
    )
    return Exit.OK if good else Exit.FAILED


def _test_nodes(
    settings: Settings, access: Access, options: MirrorTestOptions, *, parallel: int
) -> list[SiteTested]:
    loaded = settings.load()
    nodes = settings.select(loaded.inventory)
    access = ready(access, nodes)
    desired = desired_config_of(loaded.inventory, loaded.mirrors, RenderOptions())
    images = _images(options.images)
    roots: dict[str, str] = {}
    orders = [
        MirrorOrder(
            node=node,
            access=access,
            targets=tuple(_targets(desired(node).registries, images)),
            seconds=options.seconds,
            size=options.size,
            roots=roots,
        )
        for node in nodes
    ]
    _refuse_strangers(images, orders)
    groups = groups_of(orders, per_site=options.per_site)
    tested = try_mirrors(groups, parallel=parallel, per_mirror=options.per_mirror)
    results = list(_report_progress(tested, len(groups), settings))
    positions = {node.name: number for number, node in enumerate(nodes)}
    return _with_stale(
        [foldable(result) for result in sorted(results, key=lambda result: positions[result.node])]
    )


def foldable(result: SiteTested) -> SiteTested:
    """Return a node's results; if they cannot be ranked or shown, return the node's failure.

    They are ranked together with those of all other nodes: an exception would end the command.
    """

    def rank_alone() -> None:
        compared([result.results])
        mirror_views.data([result], rankings([result.results]), ())

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


def _refuse_strangers(images: Mapping[str, Image], orders: Sequence[MirrorOrder]) -> None:
    known = {target.registry for order in orders for target in order.targets}
    for name, image in images.items():
        if name not in known:
            raise FleetError(f"--image {image}: {name} is no registry of these nodes' mirrors")


def _report_progress(
    results: Iterable[SiteTested], total: int, settings: Settings
) -> Iterator[SiteTested]:
    for number, result in enumerate(results, 1):
        if result.failure is not None:
            settings.say(f"mirrors {number}/{total}: {result.node}: {result.failure.message}")
        elif number == total or number % 20 == 0:
            settings.say(f"mirrors {number}/{total}")
        yield result


def _with_stale(results: list[SiteTested]) -> list[SiteTested]:
    """Compare the answers that all nodes got for the same tags, and diagnose stale mirrors."""
    compared_results = compared([result.results for result in results])
    return [
        replace(result, results=node_results)
        for result, node_results in zip(results, compared_results, strict=True)
    ]


def _print_orders(
    ranked: Sequence[Ranking],
    moved: Sequence[ReorderResult],
    options: MirrorTestOptions,
    settings: Settings,
) -> None:
    """Print which orders were written, or could be."""
    out = console(color=settings.color)
    for result in moved:
        order = ", ".join(f"{url} (was {number})" for number, url in result.order)
        if result.written:
            out.print(f"{settings.mirrors}: {result.place} is now {order}", style="bold")
        else:
            out.print(f"{settings.mirrors}: {result.place} stays: {result.reason}", style="yellow")
    if options.write and not moved and any(ranking.moves for ranking in ranked):
        out.print(f"{settings.mirrors} holds no such list in a form that is written back")
    if not options.write and any(ranking.moves for ranking in ranked):
        out.print(f"`--write` puts the proposed order into {settings.mirrors}")
