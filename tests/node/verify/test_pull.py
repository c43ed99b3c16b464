"""The proof's script and its answer: names of images, and a log that is told apart."""

from __future__ import annotations

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.node import Node
from fleet.core.model.outcome import Liveness, Served
from fleet.core.plan.node_plan import DaemonAccess, NodePlan, PlannedConfig
from fleet.core.plan.pull_tests import PullTest
from fleet.node.script import parse_reply
from fleet.node.verify.evidence import parse_verify_reply, verify_script
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
    proof = parse_verify_reply(parse_reply("verify", 0, text, ""), PLAN, TESTS, Liveness("live"))
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
    with pytest.raises(NodeError, match="no time"):
        served(answer(f"{word}\n"))


def test_an_image_that_nobody_asked_for_is_passed_over() -> None:
    text = answer().replace("pull\t1", "pull\t7", 1)

    assert served(text) == [GOOD]


def test_a_line_of_the_log_without_a_time_is_the_rest_of_another() -> None:
    assert served(answer("log\t=  goes on here\n")) == served(answer())
