"""The proof: verification pulls on the node."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from fleet.core.model import Node
from fleet.core.outcome import FailureKind, NodeError, Verified
from fleet.core.plan import NodePlan, PullTest
from fleet.core.text import tail
from fleet.node.order import Deadlines
from fleet.node.shell import Reply, Script, decoded

_RESOLVED = re.compile(r"msg=resolved .*?host=(\"[^\"]+\"|\S+)")


def verify_script(plan: NodePlan, deadlines: Deadlines, *, tests: Iterable[PullTest]) -> Script:
    """Ask for every pull."""
    node: Node = plan.node
    wanted = tuple(tests)
    variables = {
        "IMAGES": "\n".join(_image(test) for test in wanted),
        "HOSTS_DIRECTORY": plan.hosts_directory or "",
        "CRICTL": "1" if plan.crictl else "0",
        "SOCKET": plan.socket,
        "PULL_SECONDS": str(deadlines.pull),
        "ID": node.name,
    }
    return Script("verify", variables, 30 + len(wanted) * (deadlines.pull + 30))


def _image(test: PullTest) -> str:
    return "\t".join((test.image, test.registry, base64.b64encode(test.hosts).decode()))


def parse_verified(reply: Reply) -> tuple[Verified, ...]:
    """Read every pull's verdict."""
    return tuple(_verdicts(reply))


def _verdicts(reply: Reply) -> Iterator[Verified]:
    for image, via, present, code, begin, end, output in reply.all("pull"):
        text = decoded(output).decode("utf-8", "replace")
        served = _RESOLVED.findall(text) if via == "ctr" and code == "0" else []
        yield Verified(
            image=decoded(image).decode("utf-8", "replace"),
            ok=code == "0",
            via=via,
            mirror=tail(served[-1].strip('"')) if served else None,
            seconds=round(float(end) - float(begin), 2),
            detail=_detail(via, present, code, text),
        )


def _detail(via: str, present: str, code: str, text: str) -> str:
    """Say what the verdict is worth, or why the pull failed."""
    if code == "124":
        return "timed out"
    if code != "0":
        return tail(text, 4)
    if present == "yes":
        return "the image was there already: resolved, not downloaded"
    return "ctr only, CRI not proven" if via == "ctr" else ""


def refuse_unverified(verified: Iterable[Verified]) -> None:
    """Raise a NodeError where a pull failed."""
    bad = [each for each in verified if not each.ok]
    if bad:
        message = f"the verification pull of {', '.join(each.image for each in bad)} failed"
        raise NodeError(FailureKind.VERIFY, "verify", message, bad[0].detail)
