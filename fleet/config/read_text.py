"""A file of the workstation, opened and decoded."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import ConfigErrors, Problem

_MOST_BYTES = 64 << 20


def read_text(path: Path) -> str:
    """Read one file of text; raise ConfigErrors that say why that cannot be."""
    name = str(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigErrors([Problem(name, 1, 1, "the file is larger than 64 MiB")])
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        message = f"cannot be read ({error.strerror}); name another file with -i or -m"
        raise ConfigErrors([Problem(name, 1, 1, message)]) from error
    except UnicodeDecodeError as error:
        raise ConfigErrors([Problem(name, 1, 1, "is not UTF-8 text")]) from error
