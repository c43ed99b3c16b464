"""The commands that go on from a rollout, as far as its report tells."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.selection.ranges import compress


def next_steps(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the purpose and the command of each next step, the most useful one first."""
    rollout, kind = str(report["rollout"]), str(report["kind"])
    names: dict[str, list[str]] = {}
    for name, node in report["nodes"].items():
        names.setdefault(str(node["status"]), []).append(name)
    if degraded := names.get("degraded"):
        yield "repair the degraded nodes by hand, then look at them", _command("probe", degraded)
    failed = [*names.get("failed", ()), *names.get("rolled_back", ()), *names.get("stale", ())]
    failed += names.get("no_access", ())
    if report["ending"] == "interrupted":
        yield "finish it", shlex.join(("fleet", "resume", rollout))
    elif names.get("pending") and not failed and not names.get("unreachable"):
        yield "continue when the reason is fixed", shlex.join(("fleet", "resume", rollout))
    elif kind not in {"rollback", "undo", "remove"}:
        for which, left in (("failed", failed), ("unreachable", names.get("unreachable"))):
            if left:
                command = ("fleet", "rollout", "--rerun", which, rollout)
                yield f"try the {which} nodes again", shlex.join(command)
        if pending := names.get("pending"):
            yield "change the nodes that are still pending", _command("rollout", pending)
    if names.get("converged"):
        yield "undo what it changed", shlex.join(("fleet", "undo", rollout))


def _command(name: str, nodes: list[str]) -> str:
    return shlex.join(("fleet", name, "-l", compress(nodes)))
