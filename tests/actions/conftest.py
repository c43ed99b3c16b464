"""A fleet of three nodes whose work a scripted pool does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.options import RolloutOptions
from fleet.actions.resume import resume
from fleet.actions.rollback import rollback
from fleet.actions.rollout import rollout
from fleet.actions.session import Session
from fleet.config.load import Loaded, load_files
from fleet.journal import Journal
from fleet.node.work_order import Access
from tests.support.scripted_pool import INVENTORY, MIRRORS, ScriptedPool, Watcher


@dataclass
class Small:
    """The files of a small fleet, its journal, and its pool."""

    folder: Path
    pool: ScriptedPool = field(default_factory=ScriptedPool)

    @property
    def target(self) -> JournalFiles:
        return JournalFiles(
            journal=self.folder / "journal.db",
            inventory=self.folder / "inventory.yaml",
            mirrors=self.folder / "mirrors.yaml",
        )

    def load(self) -> Loaded:
        return load_files(self.target.inventory, self.target.mirrors)

    def session(self, watcher: Watcher) -> Session:
        return Session(access=Access(prompted=True), pool=self.pool, ui=watcher)

    def rollout(self, watcher: Watcher, *, journaled: bool = True, **options: Any) -> RolloutResult:
        files, session = self.load(), self.session(watcher)
        chosen = RolloutOptions(**{"batch": "1", **options})
        target = self.target if journaled else None
        return rollout(files, files.inventory.nodes, chosen, session, target)

    def rollback(self, watcher: Watcher) -> RolloutResult:
        inventory, session = self.load().inventory, self.session(watcher)
        options = RolloutOptions(batch="1")
        return rollback(inventory, inventory.nodes, options, session, self.target)

    def resume(self, watcher: Watcher, name: str | None = None) -> RolloutResult:
        return resume(self.target, name, self.session(watcher), self.load)

    def kinds(self) -> list[str]:
        """Return the kinds of the journal entries of the newest rollout."""
        journal = Journal(self.target.journal, read_only=True)
        newest = next(iter(journal.rollouts()))
        return [entry.kind for entry in journal.entries(newest.id)]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "mirrors.yaml").write_text(MIRRORS)
    return Small(tmp_path)
