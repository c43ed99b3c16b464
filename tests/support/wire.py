"""Ways to nodes that count what passes, delay it, or stop: TCP proxies on loopback."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Lab
from tests.lab.node import LabNode

_BLOCK = """\
Host {name} {address}
    HostName 127.0.0.1
    Port {port}
    User ops
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {known}
    StrictHostKeyChecking yes
"""


@dataclass(slots=True)
class Tally:
    """What passed on one connection.

    `turns` is how often the client spoke and was answered: the round trips that it may have waited
    for. `up` and `down` are bytes.
    """

    turns: int = 0
    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class Manner:
    """How a way behaves: a round trip's length in seconds, and a connection that stops.

    The `stalls`-th connection (from 1) passes `after` bytes of the client's, then nothing at all.
    """

    round_trip: float = 0.0
    stalls: int = 0
    after: int = 0


class Ways:
    """A way to each of some nodes, and an ssh_config that leads over them."""

    def __init__(
        self, lab: Lab, folder: Path, nodes: Iterable[LabNode], manner: Manner = Manner()
    ) -> None:
        self._lab, self._folder, self._nodes, self._manner = lab, folder, tuple(nodes), manner
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: dict[str, list[_Link]] = {node.name: [] for node in self._nodes}
        self._open: set[_Link] = set()
        self._doors: list[asyncio.Server] = []

    @property
    def ssh_config(self) -> Path:
        """Return the ssh_config that leads over the ways."""
        return self._folder / "ssh_config"

    def tallies(self) -> Mapping[str, tuple[Tally, ...]]:
        """Return what passed, by node, each node's connections in the order of their beginning."""
        return {name: tuple(link.tally for link in links) for name, links in self._links.items()}

    def forget(self) -> None:
        """Begin to count anew."""
        for links in self._links.values():
            links.clear()

    def __enter__(self) -> Ways:
        self._thread.start()
        self._write({node.name: self._do(self._listen(node)) for node in self._nodes})
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, node: LabNode) -> int:
        def arrived() -> _Side:
            links = self._links[node.name]
            link = _Link(node.address, self._manner, stalls=len(links) + 1 == self._manner.stalls)
            links.append(link)
            self._open.add(link)
            link.ended = self._open.discard
            return link.near

        door = await self._loop.create_server(arrived, "127.0.0.1", 0, backlog=128)
        self._doors.append(door)
        return int(door.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        for door in self._doors:
            door.close()
        for link in tuple(self._open):
            link.abort()
        await asyncio.sleep(0.01)  # the loop closes its sockets in its next round

    def _write(self, ports: Mapping[str, int]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        known = self._folder / "known_hosts"
        shipped = (self._lab.ssh_config.parent / "known_hosts").read_text().splitlines()
        keys = {line.split(",")[0]: line.split(" ", 1)[1] for line in shipped}
        lines = [f"[127.0.0.1]:{port} {keys[name]}\n" for name, port in ports.items()]
        known.write_text("".join(lines))
        about = {"key": self._lab.key, "known": known}
        self.ssh_config.write_text(
            "".join(
                _BLOCK.format(name=node.name, address=node.address, port=ports[node.name], **about)
                for node in self._nodes
            )
        )


class _Side(asyncio.Protocol):
    """One end of a connection: what it hears goes to the other end."""

    def __init__(self, link: _Link) -> None:
        self.link = link
        self.transport: asyncio.Transport | None = None
        self.ready = False
        self.waiting: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.link.made(self)

    def data_received(self, data: bytes) -> None:
        self.link.heard(self, data)

    def eof_received(self) -> bool:
        self.link.heard(self, b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.link.close()

    def say(self) -> None:
        """Pass on what is due; one that is not connected yet says it when it is."""
        if not self.ready:
            return
        data = self.waiting.popleft()
        if self.transport is not None and not self.transport.is_closing():
            with suppress(OSError, RuntimeError):
                self.transport.write(data) if data else self.transport.write_eof()


class _Link:
    """One connection over a way: the near end is the client's, the far end the node's."""

    def __init__(self, address: str, manner: Manner, *, stalls: bool) -> None:
        self.tally = Tally()
        self.near, self.far = _Side(self), _Side(self)
        self.ended: Callable[[_Link], None] = lambda _: None
        self._address, self._manner, self._stalls = address, manner, stalls
        self._spoke = 0.0
        self._hung = False
        self._task: asyncio.Task[None] | None = None

    def made(self, side: _Side) -> None:
        if side is self.near:
            side.ready = True
            self._task = asyncio.get_running_loop().create_task(self._reach())

    async def _reach(self) -> None:
        loop = asyncio.get_running_loop()
        # TCP's own handshake takes a round trip, and its last word half of one more.
        await asyncio.sleep(1.5 * self._manner.round_trip)
        try:
            await loop.create_connection(lambda: self.far, self._address, 22)
        except OSError:
            self.close()
            return
        self.far.ready = True
        while self.far.waiting:
            self.far.say()

    def heard(self, side: _Side, data: bytes) -> None:
        if self._hung:
            return
        if side is self.near:
            data = self._counted(data)
        else:
            self.tally.down += len(data)
        other = self.far if side is self.near else self.near
        delay = self._manner.round_trip / 2
        if delay:
            asyncio.get_running_loop().call_later(delay, self._deliver, other, data)
        else:
            self._deliver(other, data)

    def _counted(self, data: bytes) -> bytes:
        if data and not self._spoke:
            self._spoke = time.monotonic()
        self.tally.up += len(data)
        over = self.tally.up - self._manner.after
        if self._stalls and over > 0:
            self._hung = True
            return data[:-over]
        return data

    def _deliver(self, target: _Side, data: bytes) -> None:
        # What comes sooner than a round trip is no answer: it was on its way already.
        since = time.monotonic() - self._spoke
        heard = target is self.near and data and self._spoke
        if heard and since >= 0.9 * self._manner.round_trip:
            self.tally.turns += 1
            self._spoke = 0.0
        target.waiting.append(data)
        target.say()

    def close(self) -> None:
        """End both ends; what is on its way still arrives."""
        if not self.far.ready:
            self.abort()
        else:
            asyncio.get_running_loop().call_later(self._manner.round_trip / 2, self.abort)

    def abort(self) -> None:
        """End both ends now."""
        self.ended(self)
        if self._task is not None:
            self._task.cancel()
        for side in (self.near, self.far):
            if side.transport is not None:
                side.transport.close()
