"""The user's ssh_config, read once: Include, Host and Match, and one cheap look-up a host."""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.home import expanded
from fleet.ssh.cache import SharedCache

_FILES = ("~/.ssh/config", "/etc/ssh/ssh_config")
_DEPTH = 16
"""The depth to which files may include files: OpenSSH's own limit."""
_WORD = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.*)")
_COMMENT = re.compile(r"\s+#[^\"]*$")
_WILD = re.compile(r"[*?!\[]")


class UserConfig:
    """A parsed ssh_config with an index: of thousands of Host blocks, a look-up reads a few."""

    def __init__(self, lines: Iterable[str]) -> None:
        from fleet.ssh.paramiko_ext.config import parse_blocks  # noqa: PLC0415

        self._blocks = parse_blocks(lines)
        canonicalizes = any("canonicalizehostname" in block["config"] for block in self._blocks)
        self._by_host: dict[str, list[int]] = {}
        self._always: list[int] = []
        for number, block in enumerate(self._blocks):
            hosts = block.get("host", ())
            if canonicalizes or "matches" in block or any(_WILD.search(host) for host in hosts):
                self._always.append(number)
                continue
            for host in hosts:
                self._by_host.setdefault(host, []).append(number)
        self._results: dict[tuple[str, str | None, int | None], Mapping[str, Any]] = {}
        self._values: dict[Any, Any] = {}

    def lookup(self, host: str, user: str | None, port: int | None) -> Mapping[str, Any]:
        """Return the settings of a host; `user` and `port` take precedence, as with `ssh -l -p`."""
        key = (host, user, port)
        if key not in self._results:
            self._results[key] = self._resolve(host, user, port)
        return self._results[key]

    def _resolve(self, host: str, user: str | None, port: int | None) -> Mapping[str, Any]:
        from fleet.ssh.paramiko_ext.config import lookup  # noqa: PLC0415

        pairs = (("user", user), ("port", port))
        given = {key: str(value) for key, value in pairs if value is not None}
        numbers = sorted({*self._always, *self._by_host.get(host, ())})
        blocks = [{"host": ["*"], "config": given}, *(self._blocks[number] for number in numbers)]
        return {key: self._share(value) for key, value in lookup(blocks, host).items()}

    def _share(self, value: Any) -> Any:
        """Return the one copy of a value that thousands of hosts share."""
        hashable = tuple(value) if isinstance(value, list) else value
        return self._values.setdefault(hashable, hashable)


def user_config(file: str | None) -> UserConfig:
    """Return the parsed ssh_config: `file` alone, or the user's and then the machine's."""
    paths = (file,) if file is not None else _FILES
    return _CONFIGS.get(tuple(_stamp_file(expanded(path)) for path in paths))


def _stamp_file(path: Path) -> tuple[Path, int, int]:
    try:
        status = path.stat()
    except OSError:
        return path, 0, -1
    return path, status.st_mtime_ns, status.st_size


def _parse_files(stamps: tuple[tuple[Path, int, int], ...]) -> UserConfig:
    import paramiko  # noqa: PLC0415

    paths = [path for path, _, size in stamps if size >= 0]
    first = stamps[0][0]
    try:
        if not paths and len(stamps) == 1:
            raise FileNotFoundError(2, "no such file", str(first))
        return UserConfig(
            line for path in paths for line in _expand_lines(path, _include_folder(path))
        )
    except (OSError, ValueError, paramiko.ssh_exception.ConfigParseError) as error:
        message = f"{first} is not a usable ssh_config: {error}"
        remedy = "correct it, or use another file with -F"
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, message, remedy) from error


def _include_folder(path: Path) -> Path:
    """Return the folder of relative names in Include: the user's, or the machine's."""
    machine = Path("/etc/ssh")
    return machine if path.parent == machine else expanded("~/.ssh")


_CONFIGS: SharedCache[tuple[tuple[Path, int, int], ...], UserConfig] = SharedCache(_parse_files)


def _expand_lines(path: Path, base: Path, depth: int = 0) -> Iterator[str]:
    """Yield a file's lines and those of its included files; Paramiko does not support Include."""
    block = "Host *"
    if depth == 0:
        yield block
    for raw in path.read_text(errors="replace").splitlines():
        line = _COMMENT.sub("", raw)
        match = _WORD.match(line)
        word = match[1].lower() if match else ""
        if match and word == "include" and depth < _DEPTH:
            for included in _included_files(match[2], base):
                yield from _expand_lines(included, base, depth + 1)
            yield block  # the following lines belong to the block that contains the Include
        else:
            block = line if word in {"host", "match"} else block
            yield line


def _included_files(words: str, base: Path) -> Iterator[Path]:
    for word in shlex.split(words):
        for name in sorted(glob.glob(str(base / expanded(word)))):  # noqa: PTH207
            if Path(name).is_file():
                yield Path(name)
