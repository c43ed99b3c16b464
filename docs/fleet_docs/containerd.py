"""The reference of containerd's releases, and of the deadlines of the work on a node."""

from __future__ import annotations

from fleet.core.containerd.features import Feature, Span
from fleet.node.work_order import Deadlines
from fleet.ssh.remote import SILENCE_SECONDS
from fleet_docs.markdown import table

_OPEN_END = 999


def features() -> str:
    """Return the table of what each release of containerd does."""
    rows = [
        (_spans(row.spans), row.fact, row.source, "tried" if row.seen else "read")
        for row in (feature.value for feature in Feature)
    ]
    return table(("releases", "what they do", "source", ""), rows)


def _spans(spans: tuple[Span, ...]) -> str:
    return ", ".join(map(_span, spans))


def _span(span: Span) -> str:
    since, until = (".".join(map(str, release)) for release in span)
    if span.since == (0, 0, 0):
        return f"before {until}"
    return f"{since} and newer" if span.until[0] == _OPEN_END else f"{since} to before {until}"


def deadlines() -> str:
    """Return the table of the deadlines, with the defaults of all options."""
    limits = Deadlines()
    pull = limits.node(1) - limits.node(0)
    rows = (
        (
            "TCP, banner, key exchange, authentication",
            "`--connect-timeout` each (10), for each hop",
        ),
        ("all four of them together", "four times `--connect-timeout`, for each hop"),
        ("a connection that sshd drops or refuses at once", "three tries within 2 s"),
        ("a dead network under an open connection", "three times `--connect-timeout`"),
        ("a script without output", f"{SILENCE_SECONDS}; scripts give a sign of life every 5 s"),
        ("the input of a script, with its new files", "60"),
        ("the probe, on the node itself", "60"),
        ("staging, on the node itself", str(limits.stage)),
        ("activation with a revert, on the node itself", str(limits.activate)),
        ("a confirmation or a revert, on the node itself", str(limits.settle)),
        ("waiting for a node that went away during a change", "`--guard` (at least 90) + 30"),
        ("a node as a whole", f"{limits.node(0)}, and {pull} for each verification pull"),
    )
    return table(("what", "seconds"), rows)
