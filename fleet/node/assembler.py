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
"""A whole line, or what follows the head of a function."""
_WORD = re.compile(r"[a-z0-9_]+")


def script_names() -> tuple[str, ...]:
    """Return the names of all scripts, which are those of their entry files."""
    names = (file.name for file in _FOLDER.iterdir() if file.name.endswith(".sh"))
    return tuple(sorted(name.removesuffix(".sh") for name in names))


def source(name: str) -> str:
    """Return a script as it is written, comments included, without its variables.

    These are the texts of the library files that it requires, each once and behind those that it
    requires itself, and then that of its entry file. Functions of the library that it does not
    use are left out. A shell that reads the variables and then this text runs what a node runs.
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
    """Drop the functions whose names stand nowhere in what else is left of the script."""
    functions = {found["name"]: found[0] for found in _FUNCTION.finditer(text)}
    used: set[str] = set()
    texts = [_FUNCTION.sub("", text)]
    while texts:
        words = _COMMENT.sub(r"\1", texts.pop())
        called = set(_WORD.findall(words)) & functions.keys() - used
        used |= called
        texts += (functions[name] for name in called)
    return _FUNCTION.sub(lambda found: found[0] if found["name"] in used else "", text)


@functools.cache
def compact_source(name: str) -> str:
    """Return a script as it is sent: without indentation, blank lines and comments.

    No string in the scripts has lines that begin with a blank or a `#`.
    """
    text = _COMMENT.sub(r"\1", source(name))
    lines = (line.strip(" ") for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line)
