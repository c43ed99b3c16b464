"""The assembly of node-side scripts from their entry files and the library in `scripts/lib`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from importlib.resources import files

_FOLDER = files("fleet.node") / "scripts"


_REQUIRES = re.compile(r"^# requires: (.*)$", re.MULTILINE)


_FUNCTION = re.compile(
    r"^(?P<name>[a-z0-9_]+)\(\) (?:\{[^\n]*\}\n|\{.*?^\}\n)", re.MULTILINE | re.DOTALL
)


_COMMENT = re.compile(r"^(?: *|([a-z0-9_]+\(\) \{) )#.*$", re.MULTILINE)
"""A comment: a line of its own, or the rest of the line after the head of a function."""
_WORD = re.compile(r"[a-z0-9_]+")


def script_names() -> tuple[str, ...]:
    """Return the names of all scripts, which are those of their entry files."""
    names = (file.name for file in _FOLDER.iterdir() if file.name.endswith(".sh"))
    return tuple(sorted(name.removesuffix(".sh") for name in names))


def source(name: str) -> str:
    """Return a script with its comments, without the variables that are its inputs.

    The script is its entry file, after the library files that it requires. Each library file is
    there once, after the files that it requires itself. Library functions that the script does
    not use are left out. A node runs the variables, then this text without its comments.
    """
    entry = (_FOLDER / f"{name}.sh").read_text(encoding="utf-8")
    return _drop_unused_functions("\n".join((*_required(entry, set()), entry)))


def _required(text: str, seen: set[str]) -> Iterator[str]:
    """Yield the library files that a file requires, unless their names are in `seen` already."""
    for name in " ".join(_REQUIRES.findall(text)).split():
        if name not in seen:
            seen.add(name)
            part = (_FOLDER / "lib" / f"{name}.sh").read_text(encoding="utf-8")
            yield from _required(part, seen)
            yield part


def _drop_unused_functions(text: str) -> str:
    """Drop the functions that neither the main code nor a function in use names."""
    functions = {match["name"]: match[0] for match in _FUNCTION.finditer(text)}
    used: set[str] = set()
    texts = [_FUNCTION.sub("", text)]
    while texts:
        words = _COMMENT.sub(r"\1", texts.pop())
        called = set(_WORD.findall(words)) & functions.keys() - used
        used |= called
        texts += (functions[name] for name in called)
    return _FUNCTION.sub(lambda match: match[0] if match["name"] in used else "", text)


@functools.cache
def compact_source(name: str) -> str:
    """Return a script as it is sent: without indentation, blank lines and comments.

    This is safe, since no string in the scripts has lines that begin with a blank or a `#`.
    """
    text = _COMMENT.sub(r"\1", source(name))
    lines = (line.strip(" ") for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)
