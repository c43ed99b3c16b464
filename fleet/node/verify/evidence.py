"""The script of the verification pulls, and the evidence of which mirror served them."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.node import Node
from fleet.core.model.outcome import Liveness, LivenessState, PullClient, Verified
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.pull_tests import PullTest
from fleet.core.verify.attribution import Evidence, attribute_pull
from fleet.core.verify.trace import read_log, read_trace
from fleet.node.script import (
    Reply,
    Script,
    decode_field,
    exit_code,
    parse_member,
    seconds_of,
    timestamp,
)
from fleet.node.verify.liveness import parse_liveness
from fleet.node.work_order import Deadlines


def verify_script(
    plan: NodePlan,
    deadlines: Deadlines,
    *,
    tests: Iterable[PullTest],
    liveness: bool,
    via: PullClient | None = None,
) -> Script:
    """Return the script of all pulls; with `liveness` it checks the hosts directory as well.

    Without `via` the client is crictl if the node has it, else ctr.
    """
    node: Node = plan.node
    pulls = tuple(tests)
    seconds = 60 + len(pulls) * (2 * deadlines.pull + 60)
    variables = {
        "IMAGES": "\n".join(_image_line(test, plan) for test in pulls),
        "HOSTS_DIRECTORY": plan.config.hosts_directory or "",
        "VIA": str(via or (PullClient.CRICTL if plan.daemon.crictl else PullClient.CTR)),
        "CRICTL": "1" if plan.daemon.crictl else "0",
        "UNIT": plan.daemon.unit,
        "SOCKET": plan.daemon.socket,
        "TOOLS": plan.daemon.tools,
        "PULL_SECONDS": str(deadlines.pull),
        "HEALTH_SECONDS": str(deadlines.health),
        "LIVENESS": plan.liveness_folder if liveness else "",
        "ID": node.name,
    }
    return Script(Step.VERIFY, variables, seconds)


def _image_line(test: PullTest, plan: NodePlan) -> str:
    hosts = b"" if plan.config.hosts_directory else test.hosts
    fields = test.image, _stored_name(test.image), test.host, base64.b64encode(hosts).decode()
    return "\t".join(fields)


def _stored_name(image: str) -> str:
    """Return the name by which CRI stores an image (reference.ParseDockerRef)."""
    registry, _, path = image.partition("/")
    path, _, digest = path.partition("@")
    path, _, tag = path.partition(":")
    if registry == "docker.io" and "/" not in path:
        path = f"library/{path}"
    return f"{registry}/{path}@{digest}" if digest else f"{registry}/{path}:{tag or 'latest'}"


@dataclass(frozen=True, slots=True)
class VerifyReply:
    """The result of one verification: that of every pull, and the liveness of the daemon.

    `liveness` is the value known before if it was not checked again.
    """

    verified: tuple[Verified, ...]
    liveness: Liveness | None


@dataclass(frozen=True, slots=True)
class Pull:
    """The result of one pull; exit code 0 means that it succeeded, 124 that it timed out."""

    image: str
    via: PullClient
    present: bool
    code: int
    seconds: float
    output: str


def parse_verify_reply(
    reply: Reply, plan: NodePlan, tests: Sequence[PullTest], known: Liveness | None = None
) -> VerifyReply:
    """Attribute every pull by the evidence in the reply."""
    pulls = tuple(_read_pulls(reply, tests))
    return evaluate(reply, plan, tests, (parse_liveness(reply) or known, pulls))


def evaluate(
    reply: Reply,
    plan: NodePlan,
    tests: Iterable[PullTest],
    seen: tuple[Liveness | None, tuple[Pull, ...]],
) -> VerifyReply:
    """Attribute pulls by the evidence that the node's script recorded beside them."""
    liveness, pulls = seen
    by_image = {pull.image: pull for pull in pulls}
    logs = _group_log(reply)
    verified = (
        attribute_pull(
            test, plan, _collect_evidence(reply, str(number), by_image[test.image], logs), liveness
        )
        for number, test in enumerate(tests)
        if test.image in by_image
    )
    return VerifyReply(tuple(verified), liveness)


def _read_pulls(reply: Reply, tests: Sequence[PullTest]) -> Iterator[Pull]:
    outputs = {number: _decode_text(text) for number, text in reply.rows("said", 2)}
    images = {str(number): test.image for number, test in enumerate(tests)}
    for pull_number, via, present, code, begin, end in reply.rows("pull", 6):
        if pull_number in images:
            seconds = round(timestamp(end) - timestamp(begin), 2)
            yield Pull(
                images[pull_number],
                parse_member(PullClient, via, "client"),
                present == "yes",
                exit_code(code),
                seconds,
                outputs.get(pull_number, ""),
            )


def _collect_evidence(
    reply: Reply, number: str, pull: Pull, logs: Mapping[str, list[str]]
) -> Evidence:
    """Collect the evidence of one pull."""
    lines = _texts_of(reply, "trace", number)
    trace = read_trace("\n".join(lines))
    complaints = (line for line in lines if line.startswith("ctr:"))
    objects = {path.rpartition("/")[2] for _, path in trace.content}
    objects_by_key = {key: set(" ".join(_texts_of(reply, key, number)).split()) for key in _OBJECTS}
    return Evidence(
        via=pull.via,
        code=pull.code,
        seconds=pull.seconds,
        output=pull.output or "\n".join(complaints),
        present=pull.present or _texts_of(reply, "present", number) == ["yes"],
        trace=trace,
        fetched=len(objects),
        stayed=len(objects & objects_by_key["stayed"]),
        transferred=len(objects & objects_by_key["travelled"]),
        log=read_log("\n".join(logs.get(number, ())), pull.image),
    )


_OBJECTS = ("stayed", "travelled")


def _texts_of(reply: Reply, key: str, number: str) -> list[str]:
    return [_decode_text(text) for pull_number, text in reply.rows(key, 2) if pull_number == number]


def _group_log(reply: Reply) -> dict[str, list[str]]:
    """Group the daemon's log lines by pull: from its beginning up to that of the next pull."""
    began = [(number, timestamp(_decode_text(text))) for number, text in reply.rows("began", 2)]
    since = timestamp(reply.value("since", "0"))
    starts = [since + begin - began[0][1] - _TICK for _, begin in began]
    groups: dict[str, list[str]] = {number: [] for number, _ in began}
    for (text,) in reply.rows("log", 1):
        line = _decode_text(text)
        stamp = seconds_of(line.partition(" ")[0])  # None for the further lines of an entry
        place = bisect_right(starts, stamp) if stamp is not None else 0
        if place:
            groups[began[place - 1][0]].append(line)
    return groups


_TICK = 0.02
"""Seconds by which /proc/uptime may be off, at both ends; before a pull, ctr fetches for longer."""


def _decode_text(field: str) -> str:
    return decode_field(field).decode("utf-8", "replace")


def refuse_unverified(verified: Iterable[Verified]) -> None:
    """Raise a NodeError if a pull failed."""
    failed = [pull for pull in verified if not pull.ok]
    if failed:
        images = ", ".join(pull.image for pull in failed)
        message = f"the verification pull of {images} failed"
        remedy = "find the endpoint that fails with `fleet mirrors test`"
        raise NodeError(FailureKind.VERIFY, Step.VERIFY, message, remedy, failed[0].detail)


def refuse_not_reading(plan: NodePlan, liveness: Liveness | None) -> None:
    """Raise a NodeError if the daemon was seen not to read its hosts directory."""
    if liveness is not None and liveness.state is LivenessState.NOT_READING:
        message = (
            f"{plan.daemon.unit} does not read {plan.config.hosts_directory}: CRI ignored a test"
            " folder there"
        )
        remedy = (
            "see `fleet probe` for edits that are not active yet, and `fleet explain` for the file"
            " that decides"
        )
        raise NodeError(FailureKind.HEALTH, Step.LIVENESS, message, remedy, liveness.output)
