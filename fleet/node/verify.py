"""The proof: verification pulls on the node, and the evidence of who served them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.core.model import Node
from fleet.core.outcome import FailureKind, Liveness, NodeError, Verified
from fleet.core.plan import NodePlan, PullTest
from fleet.core.traces import read_log, read_trace
from fleet.core.verdict import Evidence, judge
from fleet.node.liveness import parse_liveness
from fleet.node.order import Deadlines
from fleet.node.shell import Reply, Script, decoded


def verify_script(
    plan: NodePlan,
    deadlines: Deadlines,
    *,
    tests: Iterable[PullTest],
    liveness: bool,
    via: str = "",
) -> Script:
    """Ask for every pull; with `liveness` ask the daemon for its folder as well.

    `via` is crictl where the node has it, else ctr, unless somebody else pulls (cri).
    """
    node: Node = plan.node
    wanted = tuple(tests)
    seconds = 60 + len(wanted) * (2 * deadlines.pull + 60)
    variables = {
        "IMAGES": "\n".join(_image(test) for test in wanted),
        "HOSTS_DIRECTORY": plan.hosts_directory or "",
        "VIA": via or ("crictl" if plan.crictl else "ctr"),
        "RELAY_SECONDS": str(seconds),
        "CRICTL": "1" if plan.crictl else "0",
        "UNIT": plan.unit,
        "SOCKET": plan.socket,
        "PULL_SECONDS": str(deadlines.pull),
        "HEALTH_SECONDS": str(deadlines.health),
        "LIVENESS": plan.asked_folder if liveness else "",
        "ID": node.name,
    }
    return Script("verify", variables, seconds)


def _image(test: PullTest) -> str:
    return "\t".join((test.image, test.registry, base64.b64encode(test.hosts).decode()))


@dataclass(frozen=True, slots=True)
class Proof:
    """What one proof of a node came to: a verdict for every pull, and whether the folder is read.

    `liveness` is what was known before, where it was not asked again.
    """

    verified: tuple[Verified, ...]
    liveness: Liveness | None


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull as it went: exit code 0 for one that succeeded, 124 for one that took too long."""

    image: str
    via: str
    present: bool
    code: int
    seconds: float
    said: str


def parse_proof(
    reply: Reply, plan: NodePlan, tests: Iterable[PullTest], known: Liveness | None = None
) -> Proof:
    """Read every pull's verdict off the evidence."""
    return judged(reply, plan, tests, (parse_liveness(reply) or known, tuple(_pulls(reply))))


def judged(
    reply: Reply,
    plan: NodePlan,
    tests: Iterable[PullTest],
    seen: tuple[Liveness | None, tuple[Pull, ...]],
) -> Proof:
    """Judge pulls by the evidence that the node's script has left beside them."""
    liveness, pulls = seen
    by_image = {test.image: test for test in tests}
    verified = (
        judge(by_image[pull.image], plan, found, liveness)
        for pull, found in _evidence(reply, pulls)
        if pull.image in by_image
    )
    return Proof(tuple(verified), liveness)


def _pulls(reply: Reply) -> Iterator[Pull]:
    for image, via, present, code, begin, end, output in reply.all("pull"):
        seconds = round(float(end) - float(begin), 2)
        yield Pull(_text(image), via, present == "yes", _number(code), seconds, _text(output))


def _evidence(reply: Reply, pulls: Iterable[Pull]) -> Iterator[tuple[Pull, Evidence]]:
    fetched, logs, kept = (_texts(reply, key) for key in ("fetched", "log", "kept"))
    for pull in pulls:
        name = pull.image
        objects, _, there = kept.get(name, "0/0").partition("/")
        yield (
            pull,
            Evidence(
                via=pull.via,
                code=pull.code,
                seconds=pull.seconds,
                said=pull.said,
                present=pull.present,
                trace=read_trace(fetched.get(name, "")),
                fetched=_number(objects),
                kept=_number(there),
                log=read_log(logs.get(name, ""), name),
            ),
        )


def _texts(reply: Reply, key: str) -> dict[str, str]:
    return {_text(image): _text(text) for image, text in reply.all(key)}


def _text(field: str) -> str:
    return decoded(field).decode("utf-8", "replace")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def refuse_unverified(verified: Iterable[Verified]) -> None:
    """Raise a NodeError where a pull failed."""
    bad = [each for each in verified if not each.ok]
    if bad:
        images = ", ".join(each.image for each in bad)
        message = (
            f"the verification pull of {images} failed; `fleet mirrors test` says which endpoint"
            " fails, and how"
        )
        raise NodeError(FailureKind.VERIFY, "verify", message, bad[0].detail)


def refuse_deaf(plan: NodePlan, liveness: Liveness | None) -> None:
    """Raise a NodeError where the daemon was seen not to read its folder."""
    if liveness is not None and liveness.state == "deaf":
        message = (
            f"{plan.unit} does not read {plan.hosts_directory}: CRI asked elsewhere for a name that"
            " has a folder there; `fleet probe` tells of edits that were not loaded, `fleet"
            " explain` which file decides"
        )
        raise NodeError(FailureKind.HEALTH, "liveness", message, liveness.said)
