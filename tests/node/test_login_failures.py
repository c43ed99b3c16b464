"""Why a script did not start, told by what nodes have said: sudo 1.9.5 to 1.9.17, sudo-rs 0.2."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, Step
from fleet.node.login_failures import cause_of, not_started

TRIES = "Sorry, try again.\n\nsudo: no password was provided\nsudo: 1 incorrect password attempt"
RS_TRIES = (
    "\nsudo: Authentication failed, try again.\n\nsudo: Authentication failed, try again.\n\n"
    "sudo-rs: Maximum 3 incorrect authentication attempts"
)
WARNING = (
    "/etc/sudoers.d/pat:1:14: unknown setting: 'requiretty'\nDefaults:pat requiretty\n  ^~~~\n"
)
NOT_ALLOWED = (
    "Sorry, user pat is not allowed to execute '/usr/bin/timeout -k 10 20 true' as root on n."
)
WORDS = {
    "no sudo": (78, "", "missing"),
    "no script": (0, "\n", "input"),
    "requiretty": (1, "sudo: sorry, you must have a tty to run sudo", "terminal"),
    "requiretty, with a password": (77, "sudo: sorry, you must have a tty to run sudo", "terminal"),
    "no timeout": (1, "sudo: timeout: command not found", "timeout"),
    "no timeout, sudo-rs": (1, "sudo-rs: 'timeout': command not found", "timeout"),
    "no timeout, with a password": (77, "sudo: timeout: command not found", "timeout"),
    "no timeout, as root": (127, "sh: 1: exec: timeout: not found", "timeout"),
    "not in sudoers": (77, "pat is not in the sudoers file.", "no_rights"),
    "not on this node": (
        1,
        "pat is not allowed to run sudo on n.  This incident will",
        "no_rights",
    ),
    "some commands only": (77, NOT_ALLOWED, "listed"),
    "denied by sudo-rs": (1, "sudo-rs: I'm sorry pat. I'm afraid I can't do that", "denied"),
    "a password is wanted": (1, "sudo: a password is required", "ask"),
    "a password is wanted, sudo-rs": (
        1,
        f"{WARNING}sudo-rs: interactive authentication is required",
        "ask",
    ),
    "a wrong password": (77, TRIES, "password"),
    "a wrong password, in jest": (77, TRIES.replace("Sorry, try again", "Hmm"), "password"),
    "a wrong password, sudo-rs": (77, RS_TRIES, "password"),
    "a wrong password, sudo-rs of later": (
        77,
        "sudo: Authentication failed, try again.\nsudo: Authentication required but not attempted",
        "password",
    ),
    "an expired account": (
        77,
        'sudo: Account expired or PAM config lacks an "account" section for sudo, contact your'
        " system administrator\nsudo: a password is required",
        "expired",
    ),
    "an account that cannot be checked, perhaps for want of processes": (
        1,
        "sudo: account validation failure, is your account locked?\nsudo: a password is required",
        "account",
    ),
    "a policy that cannot be read": (
        1,
        "/etc/sudoers.d/x:1:5: syntax error\nsudo: no valid sudoers sources found, quitting",
        "policy",
    ),
    "no setuid": (
        1,
        "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set",
        "setuid",
    ),
    "nothing that is known": (1, "sudo: the moon is full", ""),
    "nothing at all, with the right password": (77, "", ""),
}


@pytest.mark.parametrize(("code", "said", "cause"), WORDS.values(), ids=WORDS)
def test_each_cause_has_a_message_of_its_own(code: int, said: str, cause: str) -> None:
    failure = not_started(Step.PROBE, code, said, begun=True).failure

    assert cause_of(code, said) == cause
    assert failure.kind is (FailureKind.AUTH if cause == "input" else FailureKind.SUDO)
    assert ("wrong sudo password" in failure.message) == (cause == "password")
    assert failure.evidence.replace("\n", "") in said.replace("\n", "")


LOGINS = {
    "no words": (1, "", "the login shell exited with 1 before it ran a command"),
    "words of sudo's in a startup file": (1, "sudo: a password is required", "the login shell"),
    "no shell": (1, "This account is currently not available.", "the login user has no shell"),
    "a new password is wanted": (
        1,
        "Password change required but no TTY available.",
        "the login user's password",
    ),
}


@pytest.mark.parametrize(("code", "said", "told"), LOGINS.values(), ids=LOGINS)
def test_a_login_that_runs_nothing_is_no_matter_of_sudo(code: int, said: str, told: str) -> None:
    failure = not_started(Step.PROBE, code, said, begun=False).failure

    assert failure.kind is FailureKind.AUTH
    assert failure.message.startswith(told)
