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


def test(settings: Settings, access: Access, wish: MirrorTestOptions, *, parallel: int) -> Exit:
    """Test the endpoints, print the results, and write a better order if --write is given."""
    found = _found(settings, access, wish, parallel=parallel)
    ranked = rankings(each.results for each in found if each.results)
    moved = write_endpoint_order(settings.mirrors, ranked) if wish.write else ()
    if settings.as_json:
        print_json(mirror_views.data(found, ranked, moved))
    else:
        mirror_views.show(found, ranked, console(color=settings.color))
        _tell(ranked, moved, wish, settings)
    good = all(
        each.failure is None and all(one.diagnosis.serves for one in each.results) for each in found
    )
    return Exit.OK if good else Exit.FAILED


def _found(
    settings: Settings, access: Access, wish: MirrorTestOptions, *, parallel: int
) -> list[SiteTested]:
    loaded = settings.load()
    nodes = settings.select(loaded.inventory)
    access = ready(access, nodes)
    wishes = desired_config_of(loaded.inventory, loaded.mirrors, RenderOptions())
    images = _images(wish.images)
    roots: dict[str, str] = {}
    orders = [
        MirrorOrder(
            node=node,
            access=access,
            targets=tuple(_targets(wishes(node).registries, images)),
            seconds=wish.seconds,
            size=wish.size,
            roots=roots,
        )
        for node in nodes
    ]
    _refuse_strangers(images, orders)
    groups = groups_of(orders, per_site=wish.per_site)
    found = list(_told(try_mirrors(groups, parallel=parallel, per_mirror=wish.per_mirror),
                       len(groups), settings))  # fmt: skip
    place = {node.name: number for number, node in enumerate(nodes)}
    return _with_stale([foldable(each) for each in sorted(found, key=lambda it: place[it.node])])


def foldable(found: SiteTested) -> SiteTested:
    """Return a node's results; if they cannot be ranked or shown, return the node's failure.

    They are ranked together with those of all other nodes: an exception would end the command.
    """

    def fold() -> None:
        compared([found.results])
        mirror_views.data([found], rankings([found.results]), ())

    failure = isolate_bugs(fold, found.node)
    return replace(found, results=(), failure=failure) if failure else found


def _images(texts: Iterable[str]) -> Mapping[str, Image]:
    found = {}
    for text in texts:
        image = parse_image(text)
        if image is None:
            raise FleetError(f"--image {text!r}: expected one such as docker.io/library/busybox:1")
        found[image.registry] = image
    return found


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


def _told(found: Iterable[SiteTested], total: int, settings: Settings) -> Iterator[SiteTested]:
    for number, each in enumerate(found, 1):
        if each.failure is not None:
            settings.say(f"mirrors {number}/{total}: {each.node}: {each.failure.message}")
        elif number == total or number % 20 == 0:
            settings.say(f"mirrors {number}/{total}")
        yield each


def _with_stale(found: list[SiteTested]) -> list[SiteTested]:
    """Compare the answers that all nodes got for the same tags, and diagnose stale mirrors."""
    judged = compared([each.results for each in found])
    return [replace(each, results=mine) for each, mine in zip(found, judged, strict=True)]


def _tell(
    ranked: Sequence[Ranking],
    moved: Sequence[ReorderResult],
    wish: MirrorTestOptions,
    settings: Settings,
) -> None:
    """Print which orders were written, or could be."""
    out = console(color=settings.color)
    for each in moved:
        order = ", ".join(f"{url} (was {number})" for number, url in each.order)
        if each.written:
            out.print(f"{settings.mirrors}: {each.place} is now {order}", style="bold")
        else:
            out.print(f"{settings.mirrors}: {each.place} stays: {each.reason}", style="yellow")
    if wish.write and not moved and any(each.moves for each in ranked):
        out.print(f"{settings.mirrors} holds no such list in a form that is written back")
    if not wish.write and any(each.moves for each in ranked):
        out.print(f"`--write` puts the proposed order into {settings.mirrors}")
