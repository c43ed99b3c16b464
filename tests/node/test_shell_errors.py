"""The cause for which a shell ended early."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.node.run_script import failure_of
from fleet.node.script import parse_reply

ENDS = {
    "a login shell": ("", "sh: fork: Resource temporarily unavailable", "(EAGAIN)"),
    "sudo": ("", "sudo: unable to fork: Resource temporarily unavailable", "(EAGAIN)"),
    "timeout": ("", "timeout: fork system call failed: Resource temporarily", "(EAGAIN)"),
    "in the middle": ("hello\t=0\n", "sh: 40: Cannot fork", "(EAGAIN)"),
    "no memory": ("hello\t=0\n", "sh: xrealloc: Cannot allocate memory", "(ENOMEM)"),
}


@pytest.mark.parametrize(("stdout", "stderr", "told"), ENDS.values(), ids=ENDS)
def test_a_shell_that_cannot_go_on_says_why(stdout: str, stderr: str, told: str) -> None:
    with pytest.raises(NodeError) as caught:
        parse_reply(Step.PROBE, 2, stdout, stderr)

    failure = caught.value.failure
    assert failure.kind is FailureKind.UNSUPPORTED
    assert told in failure.message
    assert failure.evidence == stderr


@pytest.mark.parametrize("words", ["sh: 9: Cannot fork", "sh: 9: unexpected"])
def test_a_script_that_ends_early_is_a_bug_only_where_its_shell_names_no_cause(words: str) -> None:
    told = "hello\t=0\nfailure\t=bug\nfailed_step\t=stage\nmessage\t=it ended early; x\nend\t\n"

    failure = failure_of(parse_reply(Step.STAGE, 0, told, words))

    assert failure is not None
    named = FailureKind.UNSUPPORTED if "fork" in words else FailureKind.BUG
    assert failure.kind is named
    assert words in failure.evidence
