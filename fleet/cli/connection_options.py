"""The flags of commands that connect to nodes, and the connection that they describe."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.options import add_options

if TYPE_CHECKING:
    from fleet.engine.workers.base import WorkerPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The flags of commands that connect to nodes, and the worker pool that --engine chose."""

    pool: WorkerPool
    ask_become_pass: bool
    seconds: float


def _parallel(text: str) -> Callable[..., Any]:
    return click.option(
        "--parallel", type=click.IntRange(1, 1000), default=32, show_default=True,
        metavar="N", help=text,
    )  # fmt: skip


_CONNECTING = {
    "ask_become_pass": click.option(
        "-K", "--ask-become-pass", is_flag=True,
        help="Ask for the sudo password; it is tested on one node first.",
    ),
    "parallel": _parallel("Read this many nodes at once."),
    "engine": click.option(
        "--engine", default="threads", show_default=True, metavar="ENGINE",
        help="How to run the work: threads, processes, dask, or a Dask scheduler's"
        " tls://HOST:PORT (tcp:// is not encrypted).",
    ),
    "connect_timeout": click.option(
        "--connect-timeout", type=click.FloatRange(1, 600), default=10, show_default=True,
        metavar="SECONDS", help="Wait this long for a connection.",
    ),
}  # fmt: skip
_CHANGING = {
    **_CONNECTING,
    "parallel": _parallel(
        "Read this many nodes at once. At most 64 are changed at once; 256 with processes or Dask."
    ),
}


def connecting(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags of commands that connect to nodes, and pass them as a Connection."""
    return _connecting(_CONNECTING)(function)


def connecting_to_change(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags of `connecting` to a command that changes nodes."""
    return _connecting(_CHANGING)(function)


def connecting_without(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the flags of `connecting`, except those that have no use."""
    return _connecting({name: flag for name, flag in _CONNECTING.items() if name not in names})


def _connecting(
    options: Mapping[str, Callable[..., Any]],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapped(
            *,
            connect_timeout: float,
            parallel: int = 1,
            engine: str = "threads",
            ask_become_pass: bool = False,
            **flags: Any,
        ) -> None:
            from fleet.engine.workers.open_pool import open_pool  # noqa: PLC0415

            with open_pool(engine, parallel) as pool:
                connection = Connection(
                    pool=pool, ask_become_pass=ask_become_pass, seconds=connect_timeout
                )
                function(connection=connection, **flags)

        return add_options(wrapped, options.values())

    return decorate
