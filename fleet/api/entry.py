"""The entry to the Python interface: both files, and how nodes are reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from fleet.actions.journaling import JournalFiles
from fleet.actions.session import Session
from fleet.actions.user_interface import UserInterface
from fleet.config.load import Loaded, load_files
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.core.selection.patterns import select
from fleet.engine.workers.base import ThreadPool
from fleet.errors import FleetError
from fleet.node.script import Privilege
from fleet.node.work_order import Access
from fleet.ssh import SshSettings

NODES_AT_ONCE = 32
"""The default number of nodes that are read at the same time."""


def load(
    inventory: str | PathLike[str] = "inventory.yaml", mirrors: str | PathLike[str] = "mirrors.yaml"
) -> Loaded:
    """Read both files; raise ConfigErrors with every mistake of both.

    The inventory may have any form that `fleet -i` takes. `Loaded.warnings` holds what works but
    should be looked at.
    """
    return load_files(Path(inventory), Path(mirrors))


def access(
    ssh_config: str | PathLike[str] | None = None,
    *,
    sudo_password: str | None = None,
    seconds: float = 10,
) -> Access:
    """Return how to connect: an ssh_config, the sudo password, and a connection timeout.

    Without `ssh_config` the user's own is read. `seconds` is the time to wait for a connection.
    """
    password = Secret(sudo_password) if sudo_password is not None else None
    config = str(ssh_config) if ssh_config is not None else None
    return Access(ssh=SshSettings(config, seconds), privilege=Privilege(password=password))


def selected(files: Loaded, limit: str | None) -> Sequence[Node]:
    """Return the nodes that a pattern selects, all without one."""
    return select(files.inventory, limit, None, _no_file)


def _no_file(path: str) -> str:
    raise FleetError(f"@{path}: a pattern from Python cannot name a file")


@contextmanager
def session(
    how: Access | None, ui: UserInterface | None = None, *, parallel: int = NODES_AT_ONCE
) -> Iterator[Session]:
    """Open a session with a pool of threads; close the pool at the end."""
    pool = ThreadPool(parallel)
    try:
        yield Session(access=how or Access(), pool=pool, ui=ui or UserInterface())
    finally:
        pool.close()


def journal_files(files: Loaded, path: str | PathLike[str]) -> JournalFiles:
    """Return the journal at `path`, and the files whose digests it records."""
    return JournalFiles(
        journal=Path(path), inventory=files.inventory_path, mirrors=files.mirrors_path
    )
