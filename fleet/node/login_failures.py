"""Causes of a script that did not start: the login shell, sudo's policy, the password."""

from __future__ import annotations

import re

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail
from fleet.node.launch import NO_SUDO, WRONG_PASSWORD

_CAUSES = {
    "terminal": r"must have a tty",
    "timeout": r"timeout'?: (?:command )?not found",
    "no_rights": r"not in the sudoers file|not allowed to run sudo|may not run sudo",
    "listed": r"is not allowed to execute",
    "denied": r"I'm afraid I can't do that",
    "expired": r"(?i)account expired|password expired|account or password is expired",
    "account": r"(?i)account validation failure|PAM account management",
    "password": r"incorrect (?:password|authentication) attempt|Authentication failed, try again"
    r"|Sorry, try again",
    "ask": r"password is required|authentication is required|no password was provided",
    "policy": r"(?i)no valid sudoers|syntax error|sudoers.*(?:owned by|writable)|invalid sudoers"
    r"|unable to (?:open|stat|read) /etc/sudoers",
    "setuid": r"setuid|no new privileges|effective uid",
    "user": r"unknown user|user .* not found",
}
"""Messages of sudo and sudo-rs in the C locale, by cause; the first that matches counts."""
_GRANT = "(`USER ALL=(root) NOPASSWD: ALL` in sudoers)"
_LISTED = (
    "sudo allows the login user some commands, but not `timeout` and `sh`, which fleet needs",
    f"allow all commands {_GRANT}",
)
_MESSAGES = {
    "missing": (
        "sudo is not installed on this node",
        "install sudo, or log in as root (`user: root`)",
    ),
    "input": (
        "the script did not start: a startup file of the login shell (such as ~/.bashrc) reads its"
        " input",
        "change that file to read input only in interactive shells",
    ),
    "terminal": (
        "sudo asks for a terminal, which scripts do not have (requiretty)",
        "set `Defaults:USER !requiretty` in sudoers",
    ),
    "timeout": (
        "sudo does not find the command `timeout`, which fleet needs",
        "install coreutils, or add its folder to secure_path in sudoers",
    ),
    "no_rights": (
        "the login user may not use sudo",
        f"allow it {_GRANT}, or log in as another user",
    ),
    "listed": _LISTED,
    "denied": (
        "sudo's policy does not let the login user run fleet's scripts",
        f"allow all commands {_GRANT}",
    ),
    "expired": (
        "sudo refuses the login user because its account or password has expired",
        "see `chage -l USER` on the node",
    ),
    "account": (
        "sudo could not check the login user's account: it is locked, it has expired, or the node"
        " cannot start more processes",
        "see `chage -l USER` and `journalctl -t sudo` on the node",
    ),
    "password": ("wrong sudo password", "run the command again with -K and the right password"),
    "ask": (
        "sudo asks for a password",
        f"run the command again with -K, or allow sudo without a password {_GRANT}",
    ),
    "policy": (
        "sudo cannot read its own policy",
        "find the mistake with `visudo -c` on the node",
    ),
    "setuid": (
        "sudo cannot become root on this node",
        "check that its file belongs to root and is setuid, on a file system without nosuid",
    ),
    "user": (
        "sudo does not know the user to become",
        "check become_user in the inventory",
    ),
}
"""The message and the remedy of each cause."""
_OTHER = "sudo failed", "see the output of `ssh NODE sudo -n true`"
_NO_LOGIN = re.compile(r"account is currently not available|nologin")
_EXPIRED = re.compile(r"(?i)password (?:change required|has expired|expired)|account has expired")


class NotStartedError(NodeError):
    """A script did not start; `cause` is the reason, or empty if no known message names it."""

    def __init__(self, failure: Failure, cause: str) -> None:
        text = failure.message, failure.remedy, failure.evidence
        super().__init__(failure.kind, failure.step, *text)
        self.cause = cause


def not_started(step: Step, code: int, output: str, *, begun: bool) -> NotStartedError:
    """Return the failure of a script that did not start; `output` is what the node wrote.

    `begun` is whether the login shell has run fleet's command line at all.
    """
    if not begun:
        return NotStartedError(_login_failure(step, code, output), "login")
    cause = cause_of(code, output)
    message, remedy = _MESSAGES.get(cause, _OTHER)
    kind = FailureKind.AUTH if cause == "input" else FailureKind.SUDO
    return NotStartedError(Failure(kind, step, message, remedy, tail(output)), cause)


def cause_of(code: int, output: str) -> str:
    """Return why sudo failed, as a key of `_MESSAGES`; empty if no known message names it."""
    if code == NO_SUDO:
        return "missing"
    if code == 0 and not output.strip():  # a shell without a script to run
        return "input"
    key = next((cause for cause, words in _CAUSES.items() if re.search(words, output)), "")
    return "password" if key == "ask" and code == WRONG_PASSWORD else key


def only_listed(step: Step, output: str) -> NotStartedError:
    """Return the failure of a login that may run some commands, but not fleet's."""
    failure = Failure(FailureKind.SUDO, step, *_LISTED, tail(output))
    return NotStartedError(failure, "listed")


def _login_failure(step: Step, code: int, output: str) -> Failure:
    if _NO_LOGIN.search(output):
        message = "the login user has no shell (nologin)"
        remedy = "give it a shell (`chsh`), or log in as another user"
    elif _EXPIRED.search(output):
        message = "the login user's password or account has expired"
        remedy = "set a new password, or extend the account (`chage`), on the node"
    else:
        message = f"the login shell exited with {code} before it ran a command"
        remedy = "see its startup files (such as ~/.bashrc) and the output of `ssh NODE true`"
    return Failure(FailureKind.AUTH, step, message, remedy, tail(output))
