"""The proof's script and its answer: names of images, and a log that is told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.node import Node
from fleet.core.model.outcome import Liveness, LivenessState, PullClient, Served, Verified
from fleet.core.plan.node_plan import DaemonAccess, NodePlan, PlannedConfig
from fleet.core.plan.pull_tests import PullTest
from fleet.node.script import parse_reply
from fleet.node.verify.evidence import (
    parse_verify_reply,
    refuse_not_reading,
    refuse_unverified,
    verify_script,
)
from fleet.node.work_order import Deadlines

DIGEST = f"sha256:{'a' * 64}"
PLAN = NodePlan(
    node=Node(name="n", host="n"),
    strategy="certs.d",
    containerd="1.7.24~ds1",
    config=PlannedConfig(hosts_directory="/etc/containerd/certs.d"),
    daemon=DaemonAccess(crictl=True),
)
TESTS = tuple(
    PullTest(f"docker.io/lab/{name}:1", "docker.io", b"x", mirrors=("a.test",))
    for name in ("one", "two")
)
NAMES = {
    "docker.io/library/busybox:1": "docker.io/library/busybox:1",
    "docker.io/busybox": "docker.io/library/busybox:latest",
    "registry.k8s.io/pause:3.9": "registry.k8s.io/pause:3.9",
    "localhost:5000/a/b": "localhost:5000/a/b:latest",
    f"docker.io/lab/x@{DIGEST}": f"docker.io/lab/x@{DIGEST}",
    f"docker.io/lab/x:1@{DIGEST}": f"docker.io/lab/x@{DIGEST}",
}


@pytest.mark.parametrize(("image", "name"), NAMES.items())
def test_an_image_is_looked_for_by_the_name_that_cri_gives_it(image: str, name: str) -> None:
    test = PullTest(image, image.partition("/")[0], b"hosts")
    script = verify_script(PLAN, Deadlines(), tests=[test], liveness=False)

    assert script.variables["IMAGES"].split("\t") == [image, name, test.registry, ""]


def trace(number: int) -> str:
    url = f'url="http://a.test/v2/lab/x/blobs/{DIGEST}?ns=docker.io"'
    lines = (
        f"msg=resolved desc.digest={DIGEST} host=a.test",
        f'msg="do request" request.method=GET {url}',
        f'msg="fetch response received" response.status="200 OK" {url}',
    )
    return "".join(f"trace\t{number}\t={line}\n" for line in lines)


def answer(*log: str) -> str:
    """Say what two pulls leave, the first begun at 100.00, the second 0.2 s later."""
    pulls = "".join(
        f"{trace(number)}stayed\t{number}\t=\nbegan\t{number}\t={begin}\n"
        f"travelled\t{number}\t= {DIGEST}\npull\t{number}\tcrictl\tno\t0\t{begin}\t{begin}\n"
        for number, begin in enumerate(("100.00", "100.20"))
    )
    return f"hello\t=0\n{pulls}since\t=1795626310.5\n" + "".join(log) + "end\t\n"


def served(text: str) -> list[Served]:
    proof = parse_verify_reply(
        parse_reply(Step.VERIFY, 0, text, ""), PLAN, TESTS, Liveness(LivenessState.LIVE)
    )
    return [each.served for each in proof.verified]


REFUSED = 'log\t={} n containerd[1]: level=error msg="failed to decode hosts.toml"\n'
GOOD, BAD = Served.MIRROR, Served.UNKNOWN
LOGS = {
    "silence": ((), [GOOD, GOOD]),
    "during the first pull": (("1795626310.51",), [BAD, GOOD]),
    "before the second": (("1795626310.65",), [BAD, GOOD]),
    "with the second": (("1795626310.70",), [GOOD, BAD]),
    "a tick before what the second's clock says": (("1795626310.69",), [GOOD, BAD]),
    "before the first": (("1795626310.40",), [GOOD, GOOD]),
}


@pytest.mark.parametrize(("stamps", "verdicts"), LOGS.values(), ids=LOGS)
def test_a_line_of_the_daemons_log_counts_for_the_pull_that_it_fell_into(
    stamps: tuple[str, ...], verdicts: list[Served]
) -> None:
    assert served(answer(*(REFUSED.format(stamp) for stamp in stamps))) == verdicts


def test_what_did_not_come_anew_with_the_pull_is_said() -> None:
    text = answer().replace("stayed\t1\t=", f"stayed\t1\t= {DIGEST}", 1)

    assert served(text) == [GOOD, BAD]


@pytest.mark.parametrize("word", ["began\t0\t=soon", "since\t=nan"])
def test_a_time_that_is_none_is_another_protocol(word: str) -> None:
    with pytest.raises(NodeError, match="not a time"):
        served(answer(f"{word}\n"))


def test_an_image_that_nobody_asked_for_is_passed_over() -> None:
    text = answer().replace("pull\t1", "pull\t7", 1)

    assert served(text) == [GOOD]


def test_a_line_of_the_log_without_a_time_is_the_rest_of_another() -> None:
    assert served(answer("log\t=  goes on here\n")) == served(answer())


VARIABLES = {
    "a node with crictl": (PLAN, None, {"VIA": "crictl", "CRICTL": "1"}),
    "a node without it": (
        replace(PLAN, daemon=DaemonAccess(crictl=False)),
        None,
        {"VIA": "ctr", "CRICTL": "0"},
    ),
    "CRI over SSH": (PLAN, PullClient.CRI, {"VIA": "cri", "CRICTL": "1"}),
    "a daemon of its own": (
        replace(PLAN, daemon=DaemonAccess(unit="k3s", socket="/run/k3s/c.sock")),
        None,
        {"UNIT": "k3s", "SOCKET": "/run/k3s/c.sock"},
    ),
    "no hosts directory": (
        replace(PLAN, config=PlannedConfig(hosts_directory=None)),
        None,
        {"HOSTS_DIRECTORY": "", "LIVENESS": ""},
    ),
}


@pytest.mark.parametrize(("plan", "via", "expected"), VARIABLES.values(), ids=VARIABLES)
def test_the_script_pulls_by_the_client_that_the_node_has(
    plan: NodePlan, via: PullClient | None, expected: dict[str, str]
) -> None:
    script = verify_script(plan, Deadlines(), tests=TESTS, liveness=True, via=via)

    assert {key: script.variables[key] for key in expected} == expected


def test_the_script_has_time_for_every_pull() -> None:
    deadlines = Deadlines(pull=10, health=7)

    script = verify_script(PLAN, deadlines, tests=TESTS, liveness=False)

    assert (script.name, script.seconds) == ("verify", 60 + 2 * (2 * 10 + 60))
    assert script.variables["PULL_SECONDS"] == "10"
    assert script.variables["HEALTH_SECONDS"] == "7"
    assert len(script.variables["IMAGES"].splitlines()) == 2


@pytest.mark.parametrize(("liveness", "folder"), [(True, "/etc/containerd/certs.d"), (False, "")])
def test_liveness_is_checked_if_it_is_wanted(liveness: bool, folder: str) -> None:
    script = verify_script(PLAN, Deadlines(), tests=(), liveness=liveness)

    assert script.variables["LIVENESS"] == folder


def test_ctr_gets_hosts_of_its_own_where_the_daemon_has_no_folder() -> None:
    plan = replace(PLAN, config=PlannedConfig(hosts_directory=None))

    script = verify_script(plan, Deadlines(), tests=TESTS[:1], liveness=False)

    assert script.variables["IMAGES"].split("\t")[2:] == ["docker.io", "eA=="]


def test_a_pull_has_its_time_its_size_and_its_words() -> None:
    text = answer().replace("crictl\tno\t0\t100.20\t100.20", "crictl\tno\t1\t100.20\t101.45")
    text = text.replace("end\t\n", "said\t1\t=no such host\nend\t\n")

    first, second = parse_verify_reply(parse_reply(Step.VERIFY, 0, text, ""), PLAN, TESTS).verified

    assert (first.ok, first.seconds, first.digest) == (True, 0.0, DIGEST)
    assert (second.ok, second.seconds, second.via) == (False, 1.25, "crictl")
    assert second.detail.startswith("no such host")


@pytest.mark.parametrize("number", ["2", "x", ""])
def test_a_pull_that_was_not_asked_for_is_passed_over(number: str) -> None:
    text = f"hello\t=0\npull\t{number}\tctr\tno\t0\t1\t2\nend\t\n"

    reply = parse_verify_reply(parse_reply(Step.VERIFY, 0, text, ""), PLAN, TESTS)

    assert reply.verified == ()


def test_liveness_is_that_of_the_reply_or_what_was_known() -> None:
    known = Liveness(LivenessState.LIVE, 1.0)
    asked = parse_reply(Step.VERIFY, 0, "hello\t=0\nliveness\t=unchecked 1 3\nend\t\n", "")
    silent = parse_reply(Step.VERIFY, 0, "hello\t=0\nend\t\n", "")

    assert parse_verify_reply(asked, PLAN, (), known).liveness == Liveness(
        LivenessState.UNCHECKED, 2.0
    )
    assert parse_verify_reply(silent, PLAN, (), known).liveness is known
    assert parse_verify_reply(silent, PLAN, ()).liveness is None


def test_all_images_that_could_not_be_pulled_are_named() -> None:
    good = Verified("a/b:1", ok=True, via=PullClient.CTR)
    bad = [
        Verified(f"a/{name}:1", ok=False, via=PullClient.CTR, detail=name) for name in ("x", "y")
    ]

    refuse_unverified([good])
    with pytest.raises(NodeError) as raised:
        refuse_unverified([good, *bad])

    failure = raised.value.failure
    assert (failure.kind, failure.step, failure.evidence) == (FailureKind.VERIFY, "verify", "x")
    assert "a/x:1, a/y:1" in failure.message
    assert "a/b:1" not in failure.message


@pytest.mark.parametrize(
    "liveness", [None, Liveness(LivenessState.LIVE), Liveness(LivenessState.UNCHECKED)]
)
def test_a_daemon_that_was_not_seen_to_err_is_not_refused(liveness: Liveness | None) -> None:
    refuse_not_reading(PLAN, liveness)


def test_a_daemon_that_does_not_read_its_folder_is_refused() -> None:
    with pytest.raises(NodeError) as raised:
        refuse_not_reading(PLAN, Liveness(LivenessState.NOT_READING, 1.0, "asked elsewhere"))

    failure = raised.value.failure
    assert (failure.kind, failure.step) == (FailureKind.HEALTH, "liveness")
    assert failure.evidence == "asked elsewhere"
    assert "/etc/containerd/certs.d" in failure.message
