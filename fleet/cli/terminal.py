"""The terminal as the user interface of actions, and the session of a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.session import Session
from fleet.actions.user_interface import Progress, Scope, UserInterface
from fleet.cli.connection_options import Connection
from fleet.cli.interrupt import stop_switch
from fleet.cli.log_file import note
from fleet.cli.next_steps import NextStep, command_line, next_lines, same_command, say_next
from fleet.cli.options import Exit, Settings
from fleet.cli.output.live import open_screen
from fleet.cli.output.outcome import exit_code, outcome_line, show_result
from fleet.cli.output.plan import plan_exit_code, print_plans, show_plans
from fleet.cli.output.tables import console, print_json
from fleet.cli.prompts import ask, ask_sudo_password, require_terminal, unlock_keys
from fleet.cli.streams import lost_streams
from fleet.config.inventory.cluster import file_of
from fleet.core.history.serialize import rollout_data
from fleet.core.masking import Mark
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome
from fleet.core.plan.fingerprint import plans_fingerprint
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout.state import RolloutStatus
from fleet.core.text.counts import counted
from fleet.engine.survey import NodeSurvey
from fleet.errors import FleetError, NothingToDoError, printable
from fleet.home import expanded
from fleet.journal.shown_plan import ShownPlan
from fleet.node.script import Privilege
from fleet.node.work_order import Access
from fleet.ssh import SshSettings

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The view of a plan before it is carried out: `stat` leaves out the diffs of files.

    The diffs of the plan in `shown` are left out as well, unless `again` asks for them.
    """

    stat: bool = False
    again: bool = False
    shown: ShownPlan | None = None

    def show(self, plans: Sequence[NodePlan], out: Console, mark: Mark) -> None:
        """Print the plans, with their diffs if the user has not just seen them."""
        asked = self.shown if not (self.again or self.stat) else None
        seconds = asked.seconds_since(partial(plans_fingerprint, plans)) if asked else None
        print_plans(plans, out, mark, stat=self.stat or seconds is not None)
        if seconds is not None:
            ago = counted(max(1, round(seconds / 60)), "minute")
            out.print(f"The diffs are as `fleet diff` showed them {ago} ago (--diff repeats them).")

    def show_dry_run(
        self, plans: Sequence[NodePlan], settings: Settings, target: JournalFiles
    ) -> None:
        """Print plans that are not carried out now; a rollout need not show the same ones again."""
        show_plans(plans, settings, target.fingerprints(), stat=self.stat)
        if not settings.as_json and not self.stat:
            ShownPlan(target.journal).record(partial(plans_fingerprint, plans))


class Terminal(UserInterface):
    """The user at the terminal: progress on stderr, questions unless --yes was given."""

    def __init__(
        self, settings: Settings, *, yes: bool = False, view: PlanView | None = None
    ) -> None:
        self._settings, self._yes, self._view = settings, yes, view or PlanView()
        self._declined = "Nothing was changed."
        self.seen: Collection[str] = ()
        """The nodes whose outcome is on the terminal already; the recap groups them."""
        self._unread = 0

    def message(self, text: str) -> None:
        """Print a line of progress on stderr, unless --quiet."""
        self._settings.say(text)

    def surveyed(self, survey: NodeSurvey, number: int, total: int) -> None:
        """Print the progress after every 50 nodes; failures come with the result, grouped."""
        self._unread += survey.plan.failure is not None and survey.facts is None
        if number == total or number % 50 == 0:
            unread = f", {self._unread} not read" if self._unread else ""
            self.message(f"probe {number}/{total}{unread}")

    def plans(self, plans: Sequence[NodePlan], mark: Mark) -> None:
        """Print the plans, unless --json or --quiet was given."""
        if not self._settings.as_json and not self._settings.quiet:
            out = console(color=self._settings.color)
            self._view.show(plans, out, mark)

    def settled(self, outcome: NodeOutcome) -> None:
        """Print the outcome of a node that was left in flight."""
        self._declined = "No further node was changed."
        self.message(f"settled: {outcome_line(outcome)}")

    def unlock_keys(self, ssh: SshSettings, nodes: Sequence[Node]) -> SshSettings:
        """Ask for the passphrase of every encrypted key that the nodes need."""
        return unlock_keys(ssh, nodes)

    def require_answer(self, purpose: str) -> None:
        """Raise a FleetError if a question could not be answered: no --yes, no terminal."""
        if not self._yes:
            require_terminal(purpose)

    def confirm(self, count: int) -> None:
        """Ask whether to change the nodes, unless --yes was given."""
        self.require_answer("apply")
        if not self._yes:
            step = NextStep("apply it without a question", same_command("-y"))
            ask(f"Change {counted(count, 'node')}?", self._declined, [step])

    @contextmanager
    def progress(
        self, rollout: str, scope: Scope, abandon: Callable[[], None]
    ) -> Iterator[Progress]:
        """Open the view that fits the terminal; Ctrl-C stops the rollout."""
        with (
            stop_switch(abandon) as switch,
            open_screen(self._settings, scope, lambda: switch.pressed) as screen,
        ):
            steps = [NextStep("finish it", command_line("resume", rollout))]
            continued = "\n".join(next_lines(steps))
            switch.first = screen.show_stop
            switch.second = lambda: f"{screen.terminal_reset}{screen.last_words()}\n{continued}"
            yield screen
        self.seen = screen.seen

    def lost_output(self) -> Mapping[str, str]:
        """Return the streams whose output was dropped, and write them to the log."""
        if lost_output := lost_streams():
            note(f"output dropped: {lost_output}")
        return lost_output


def open_session(
    settings: Settings, connection: Connection, terminal: Terminal | None = None
) -> Session:
    """Return the session of a command; ask for the sudo password if -K was given."""
    ssh = settings.connecting(connection.seconds)
    password = ask_sudo_password() if connection.ask_become_pass else None
    access = Access(
        ssh=ssh,
        privilege=Privilege(password=password),
    )
    return Session(access=access, pool=connection.pool, ui=terminal or Terminal(settings))


def end_dry_run(plans: Sequence[NodePlan], settings: Settings) -> NoReturn:
    """Name the command that carries plans out, and exit with their code."""
    if any(plan.changes for plan in plans):
        say_next(settings, same_command())
    raise SystemExit(plan_exit_code(plans, changes=Exit.OK))


def end_job(result: RolloutResult, settings: Settings, terminal: Terminal) -> NoReturn:
    """Print the recap of a rollout or rollback, and exit with its code."""
    show_result(result, settings, terminal.seen)
    code = exit_code(result.status, tuple(result.outcomes.values()))
    if result.stuck:  # a normal exit would wait for a worker thread that does not return
        sys.stdout.flush()
        os._exit(code)
    raise SystemExit(code)


@contextmanager
def nothing_is_success(settings: Settings) -> Iterator[None]:
    """End the command with exit code 0 if there was nothing to do; say so as text or as JSON."""
    try:
        yield
    except NothingToDoError as error:
        if settings.as_json:
            done = rollout_data("", RolloutStatus.FINISHED, {}, ())
            print_json({**done, "reason": printable(str(error)), "next": []})
        else:
            settings.say(printable(str(error)))
        raise SystemExit(Exit.OK) from error


def journal_files(settings: Settings, chosen: str | None) -> JournalFiles:
    """Return the paths of the journal and of both files; `chosen` is the --journal option."""
    return JournalFiles(
        journal=journal_path(settings, chosen),
        inventory=settings.inventory,
        mirrors=settings.mirrors,
    )


def journal_path(settings: Settings, chosen: str | None) -> Path:
    """Return the journal's path: `chosen`, or .fleet/journal.db beside the inventory."""
    if chosen:
        return Path(chosen)
    try:
        inventory = expanded(file_of(settings.inventory)).absolute()
    except OSError as error:
        message = f"the working folder is gone ({error.strerror}); change to one that exists"
        raise FleetError(message) from error
    return inventory.parent / ".fleet" / "journal.db"
