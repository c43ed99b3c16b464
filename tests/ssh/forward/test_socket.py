"""Connected sockets, and the one whose other end is a ProxyCommand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from fleet.ssh.forward.socket import ProxiedSocket, proxied
from fleet.ssh.route import Hop


@pytest.fixture
def _eager_threads() -> Iterator[None]:
    """Let threads take turns every microsecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_eager_threads")
def test_each_of_two_threads_that_close_it_at_once_finds_the_errors_read() -> None:
    start = Barrier(2)

    def close(wire: ProxiedSocket) -> str:
        start.wait(10)
        wire.close()
        return wire.error_output

    with ThreadPoolExecutor(2) as pool:
        for _ in range(200):
            wire = proxied(
                Hop(host="h", port=22, user="u", proxy_command="sh -c 'echo no way >&2'")
            )
            wire.recv(1)  # nothing comes: the command has written its errors and ended
            assert list(pool.map(close, [wire, wire])) == ["no way"] * 2
