"""The command line that starts a script on a node, whatever its login shell is."""

from __future__ import annotations

import shlex

BEGUN = "begun"
"""The record that shows that the login shell has run the line: `plain` or `asked`."""
WRONG_PASSWORD = 77
NO_SUDO = 78
_MARK = "fleet-script-follows"

# csh, tcsh and fish run the line like sh: it is one line with one quoted word, and has neither `!`
# nor a backslash before a quote. Sudo's messages come in the C locale, so that they can be matched.
# sudo and the commands that it runs come from the system's folders, whatever PATH the login sets.
# The user id is read from /proc, without starting a process.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HEAD = f"""\
LC_ALL=C; PATH={_PATH}:$PATH; export LC_ALL PATH; \
key=; me=; until [ "$key" = Uid: ]; do read -r key x me x || break; done </proc/self/status"""
_PLAIN = """\
{head}; printf "{begun}\\t=plain\\n"; [ "$me" = 0 ] && exec {limit} sh -s; \
command -v sudo >/dev/null || exit {missing}; exec {sudo} -n -- {limit} sh -s"""
# Sudo's own log may record its input (log_input), so only a sudo that asks gets the password. The
# first sudo may not ask (-n), and its input is empty, since sudo may read the script even for a
# command that reads nothing. The second sudo checks the password once: after a wrong one it would
# read the script as further passwords. sudo-rs reads 8 KiB when it wants a line, so 8 KiB of blanks
# stand between password and script, and the inner shell drops the rest of them.
_ASKING = """\
IFS= read -r secret; {head}; \
if [ "$me" = 0 ]; then printf "{begun}\\t=plain\\n"; exec {limit} sh -s; fi; \
command -v sudo >/dev/null || {{ printf "{begun}\\t=asked\\n"; exit {missing}; }}; \
if {sudo} -k -n -- {limit} true </dev/null 2>/dev/null; then \
printf "{begun}\\t=plain\\n"; exec {sudo} -n -- {limit} sh -s; fi; \
printf "{begun}\\t=asked\\n"; \
printf "%s\\n" "$secret" | {sudo} -k -S -p "" -- {limit} true || exit {wrong}; \
{{ printf "%s\\n%8192s\\n{mark}\\n" "$secret" ""; exec cat; }} | \
{sudo} -k -S -p "" -- {limit} sh -c {inner}"""
_INNER = f'until [ "$line" = {_MARK} ]; do IFS= read -r line || exit 1; done; exec sh -s'
# Asks sudo for the login's rights, without a password.
_RIGHTS = "LC_ALL=C; export LC_ALL; exec {sudo} -n -l -- timeout"


def launch_line(limit: str, sudo: str | None, *, asking: bool) -> str:
    """Return the line that runs a script from its input; with `asking` a password comes first.

    `limit` is the command that limits the script's time. `sudo` is the sudo command, or None.
    """
    if sudo is None:
        return _wrap_in_shell(f'printf "{BEGUN}\\t=plain\\n"; exec {limit} sh -s')
    body = _ASKING if asking else _PLAIN
    text = body.format(
        head=_HEAD,
        begun=BEGUN,
        limit=limit,
        sudo=sudo,
        missing=NO_SUDO,
        wrong=WRONG_PASSWORD,
        mark=_MARK,
        inner=shlex.quote(_INNER),
    )
    return _wrap_in_shell(text)


def sudo_check_line(sudo: str) -> str:
    """Return the line that asks sudo whether it would run fleet's scripts at all."""
    return _wrap_in_shell(_RIGHTS.format(sudo=sudo))


def _wrap_in_shell(text: str) -> str:
    return f"exec sh -c {shlex.quote(text)}"
