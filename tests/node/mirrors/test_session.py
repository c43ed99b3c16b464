"""What a test of mirrors is told by its node: shared between nodes only as far as it came here."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest

from fleet.core.failure import NodeError, Step
from fleet.node.mirrors.session import read_mirror_test_facts
from fleet.node.script import Reply, parse_reply

HONEST, LIE = b"-----HONEST-----\n", b"-----LIE-----\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def reply(claimed: bytes, sent: bytes | None, more: str = "") -> Reply:
    roots = f"roots\t{base64.b64encode(gzip.compress(sent)).decode()}\n" if sent else ""
    text = f"hello\t=0\nbundle\t={digest(claimed)}\n{roots}{more}end\t\n"
    return parse_reply(Step.MIRRORS, 0, text, "")


def test_a_bundle_is_kept_by_the_digest_of_what_came() -> None:
    known: dict[str, str] = {}

    liar = read_mirror_test_facts(reply(HONEST, LIE), known)
    honest = read_mirror_test_facts(reply(HONEST, HONEST), known)
    like_it = read_mirror_test_facts(reply(HONEST, None), known)

    assert liar.roots == LIE.decode()
    assert honest.roots == like_it.roots == HONEST.decode()
    assert known == {digest(LIE): LIE.decode(), digest(HONEST): HONEST.decode()}


def test_a_node_that_sends_no_bundle_has_none_unless_it_is_known() -> None:
    assert read_mirror_test_facts(reply(HONEST, None), {}).roots == ""


def test_bundles_of_many_nodes_that_all_differ_do_not_fill_the_memory() -> None:
    known: dict[str, str] = {}
    for number in range(100):
        read_mirror_test_facts(reply(HONEST, b"%d" % number), known)

    assert len(known) == 16


ODD = {
    "a name without its fields": "name\t=a\n",
    "a bundle that is no archive": "roots\t=AAAA\n",
    "names that are no text": "name\t/\t0\t=\n",
}


@pytest.mark.parametrize("line", ODD.values(), ids=ODD)
def test_an_odd_answer_is_a_failure_of_its_node(line: str) -> None:
    with pytest.raises(NodeError):
        read_mirror_test_facts(reply(HONEST, None, line), {})


def test_odd_numbers_count_as_none() -> None:
    ground = read_mirror_test_facts(reply(HONEST, None, "now\t=\u00b2\nname\t=a\t\u00b2\t=\n"), {})

    assert ground.behind == 0
    assert ground.names == {"a": (1, ())}
