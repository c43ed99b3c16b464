"""A private root filesystem with its own mounts and processes, made without privileges."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_ROOT_SCRIPT = Path(__file__).with_name("root.sh")
_NEEDED = ("unshare", "nsenter", "mount", "umount", "pivot_root", "bash", "flock", "mkfifo")
_SBIN = "/usr/sbin:/sbin"
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/sh",
}
_REFUSED = (
    "a fake node needs {needs}, which this machine does not grant ({error}). {remedy}, or run the"
    " tests as root."
)
_SWITCHES = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "1"),
    ("/proc/sys/user/max_user_namespaces", "0", "10000"),
)
"""Kernel settings that can forbid user namespaces: path, forbidding value, allowing value."""


class FakeNodeError(Exception):
    """The reason why this machine cannot run fake nodes, with the remedy."""


class Namespace:
    """A root filesystem of its own in a mount and a PID namespace; its root user is the caller.

    An ordinary user becomes root by a user namespace with one id, so that no file in it can belong
    to another user.
    """

    def __init__(self, seed: Path, mount_point: Path) -> None:
        """Start it with the files of `seed`; `mount_point` is an empty folder."""
        _require_commands()
        uid = os.getuid()
        self._unprivileged = uid != 0
        user = ("--user", "--map-root-user") if self._unprivileged else ()
        words = ("unshare", *user, "--mount", "--pid", "--fork", "--kill-child", "sh")
        self._first = subprocess.Popen(
            (*words, str(_ROOT_SCRIPT), str(mount_point), str(seed), str(uid)),
            env=_search_path(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._first.stdout is not None
        self._pid = self._first.stdout.readline().strip()
        if not self._pid:
            raise FakeNodeError(self._explain())

    @property
    def root(self) -> Path:
        """Return the root filesystem as the machine outside sees it."""
        return Path(f"/proc/{self._pid}/root")

    def owner(self, about: os.stat_result) -> tuple[int, int]:
        """Return a file's owner and group as they are inside."""
        return (0, 0) if self._unprivileged else (about.st_uid, about.st_gid)

    def start(
        self,
        words: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command as root inside, with pipes for its output."""
        enter = ("--user", "--preserve-credentials") if self._unprivileged else ()
        return subprocess.Popen(
            ("nsenter", "-t", self._pid, *enter, "--mount", "--pid", *words),
            env=_ENVIRONMENT,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def close(self) -> None:
        """End all processes inside; the files go with them."""
        self._first.kill()
        self._first.communicate()

    def _explain(self) -> str:
        """Return the message of a namespace that did not start, with the setting to change."""
        _, error = self._first.communicate()
        needs = "user namespaces" if self._unprivileged else "CAP_SYS_ADMIN"
        remedy = "Run the container with --privileged"
        if self._unprivileged:
            remedy = "Run outside of a container"
            for path, forbidding, allowing in _SWITCHES:
                if Path(path).exists() and Path(path).read_text().strip() == forbidding:
                    name = path.removeprefix("/proc/sys/").replace("/", ".")
                    remedy = f"Switch them on with `sudo sysctl -w {name}={allowing}`"
                    break
        return _REFUSED.format(
            needs=f"{needs} and a new /proc",
            error=error.strip() or "no reason given",
            remedy=remedy,
        )


def _search_path() -> dict[str, str]:
    """Return the environment with the sbin folders in PATH, which ordinary users may lack."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_SBIN}", "LC_ALL": "C"}


def _require_commands() -> None:
    path = _search_path()["PATH"]
    missing = [name for name in _NEEDED if shutil.which(name, path=path) is None]
    if missing:
        raise FakeNodeError(
            f"a fake node needs {', '.join(missing)}; install util-linux, coreutils and bash"
        )
