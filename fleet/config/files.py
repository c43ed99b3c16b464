"""Reading and decoding of files on the workstation."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from fleet.errors import ConfigErrors, Problem

_MOST_BYTES = 64 << 20


def read_content(path: Path) -> bytes:
    """Read one file, at most 64 MiB; raise an OSError with the reason if it cannot be read.

    A named FIFO may have no writer, and opening it would then wait for ever. One that a shell
    passes as an open descriptor (`<(command)`) has a writer.
    """
    from_shell = str(path).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/"))
    mode = path.stat().st_mode
    if not from_shell and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is a FIFO, socket or device, not a file", str(path))
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, "it is larger than 64 MiB", str(path))
    return content


def read_text(path: Path, flag: str) -> str:
    """Read one text file; raise ConfigErrors with the reason if it cannot be read.

    `flag` is the option that names another file.
    """
    name = str(path)
    try:
        return read_content(path).decode("utf-8-sig")
    except FileNotFoundError as error:
        message = f"not found; create it with `fleet init`, or name yours with {flag} FILE"
        raise ConfigErrors([Problem(name, 0, 0, message)]) from error
    except OSError as error:
        message = f"cannot be read ({error.strerror}); name another file with {flag} FILE"
        raise ConfigErrors([Problem(name, 1, 1, message)]) from error
    except UnicodeDecodeError as error:
        raise ConfigErrors([Problem(name, 1, 1, "is not UTF-8 text")]) from error
