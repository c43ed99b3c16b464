"""The locks of nodes as text and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.actions.locks import is_rollout_id
from fleet.cli.next_steps import NextStep, command_line, print_next
from fleet.cli.options import Settings
from fleet.cli.output.failures import failure_line, print_failures
from fleet.cli.output.fitting import echo
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.prompts import ask
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable
from fleet.journal import running_process
from fleet.node.change_status import ChangeStatus, SettleEnding

_Result = ChangeStatus | Failure
_MOST_STEPS = 3
"""The most rollouts for which next steps are shown."""


def show_locks(results: Mapping[str, _Result], settings: Settings) -> None:
    """Print the lock of each node: its rollout, operator, purpose and time."""
    rows = {name: _lock_data(result) for name, result in results.items()}
    if settings.as_json:
        print_json({"nodes": rows})
        return
    lines = [
        (name, *(str(row[key] or "-") for key in ("rollout", "purpose", "by", "since")),
         str(row["description"] or ""))
        for name, row in rows.items()
        if isinstance(results[name], ChangeStatus)
    ]  # fmt: skip
    columns = ("NODE", "ROLLOUT", "FOR", "BY", "SINCE (NODE'S CLOCK)", "NOTE")
    out = console(color=settings.color)
    table(columns, lines, out, settings.hidden("BY"))
    failures = ((name, it) for name, it in results.items() if isinstance(it, Failure))
    print_failures(failures, out)
    rollouts = _rollouts(results)
    running = {rollout: found[0] for rollout in rollouts if (found := running_process(rollout))}
    for rollout, number in running.items():
        out.print(f"{rollout} is running on this machine (process {number}).")
    dead = [rollout for rollout in rollouts if rollout not in running]
    print_next(tuple(_steps(dead)), out)


def _rollouts(results: Mapping[str, _Result]) -> list[str]:
    """Return the first rollouts that have locked nodes."""
    found = (str(_lock_data(result)["rollout"] or "") for result in results.values())
    return list(dict.fromkeys(filter(is_rollout_id, found)))[:_MOST_STEPS]


def _steps(rollouts: Iterable[str]) -> Iterator[NextStep]:
    """Yield the commands that settle what dead rollouts have left locked."""
    for rollout in rollouts:
        yield NextStep(f"if {rollout} is dead, finish it", command_line("resume", rollout))
        yield NextStep("or unlock its nodes", command_line("unlock", rollout))


def _lock_data(result: _Result) -> dict[str, Any]:
    if isinstance(result, Failure):
        nothing = dict.fromkeys(("rollout", "by", "purpose", "since"))
        return {**nothing, "description": result.message, "failure": failure_data(result)}
    lines = dict(zip(("rollout", "by", "purpose", "since"), result.lock, strict=False))
    return {
        "rollout": lines.get("rollout") or result.pending or None,
        "by": lines.get("by"),
        "purpose": lines.get("purpose"),
        "since": lines.get("since"),
        "description": result.lock_holder or None,
        "failure": None,
    }


def ask_to_unlock(held: Mapping[str, ChangeStatus], rollout: str) -> None:
    """Show who has locked nodes and what an unlock undoes; end the command unless the user agrees.

    Nothing is asked if the rollout has locked no node.
    """
    if not held:
        return
    holders: dict[str, list[str]] = {}
    for name, change in held.items():
        holders.setdefault(printable(change.lock_holder) or "unconfirmed change", []).append(name)
    for holder, names in holders.items():
        echo(f"{compress(names)}: {holder}", err=True)
    undone = sum(change.pending == rollout for change in held.values())
    if undone:
        echo(f"{counted(undone, 'unconfirmed change')} will be undone.", err=True)
    step = NextStep("finish the rollout instead", command_line("resume", rollout))
    question = f"Unlock {counted(len(held), 'node')}?"
    ask(question, "Nothing was unlocked.", [step])


def show_unlocked(
    results: Mapping[str, _Result],
    cordons: Mapping[str, Failure | None],
    settings: Settings,
    *,
    rollout: str,
    resumable: bool,
) -> None:
    """Print for each node whether the lock of the rollout was released, or why not.

    `cordons` are the nodes that the rollout had cordoned, and why one is still cordoned.
    `resumable` tells whether the journal has a part of the rollout left to do.
    """
    go_on = "finish the rollout", command_line("resume", rollout)
    step = NextStep(*(go_on if resumable else ("see how the nodes are now", command_line("probe"))))
    if settings.as_json:
        nodes = {
            name: {**_unlock_data(result), **_cordon_data(cordons, name)}
            for name, result in results.items()
        }
        print_json({"rollout": rollout, "nodes": nodes, "next": [step.command]})
        return
    out = console(color=settings.color)
    texts = {name: _unlock_text(result) for name, result in results.items()}
    for name, failure in cordons.items():
        text = "uncordoned" if failure is None else f"may be cordoned: {failure_line(failure)}"
        texts[name] = f"{texts[name]}; {text}"
    table(("NODE", "UNLOCK"), list(texts.items()), out)
    print_next([step], out)


def _cordon_data(cordons: Mapping[str, Failure | None], name: str) -> dict[str, Any]:
    failure = cordons.get(name)
    return {
        "uncordoned": name in cordons and failure is None,
        "cordon_failure": failure_data(failure),
    }


def _unlock_data(result: _Result) -> dict[str, Any]:
    if isinstance(result, Failure) or result.ending is not SettleEnding.RELEASED:
        return {"ended": _unlock_text(result), "undone": False}
    return {"ended": str(result.ending), "undone": result.undone}


def _unlock_text(result: _Result) -> str:
    if isinstance(result, Failure):
        return failure_line(result)
    if result.ending is SettleEnding.NOT_OURS:
        return f"not unlocked: {result.lock_holder}"
    if result.ending is not SettleEnding.RELEASED:
        return failure_line(result.failure) if result.failure else str(result.ending)
    if result.undone:
        return "released; unconfirmed change undone"
    return "released" if result.lock else "was not locked"
