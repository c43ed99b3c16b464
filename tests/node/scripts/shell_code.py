"""The files of the node-side shell code: their heads, functions and variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fleet.node

FOLDER = Path(fleet.node.__path__[0]) / "scripts"
_COMMENT = re.compile(r"^ *#.*$|(?<=[;{]) # .*$|(?<=\s)# .*$", re.MULTILINE)
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|trap '[^']*'|('[^']*')")
_READ = re.compile(r"(?<!\\)\$\{?#?([A-Za-z_]\w*)")
_COUNTED = re.compile(r"\$\(\((.*?)\)\)")
_NAME = re.compile(r"(?<![\w$}{%.#])[A-Za-z_]\w*")
_ASSIGNED = re.compile(r"(?:^|(?<=[\s;&|({]))([A-Za-z_]\w*)=", re.MULTILINE)
_GOT = re.compile(r"(?<![\w-])read (?:-r )?((?:[A-Za-z_]\w* ?)+)|\bfor ([a-z_]\w*)(?= in\b)")
_LOCAL = re.compile(r"^ *local (.+)$", re.MULTILINE)
_WORD = re.compile(r"(?:^| )([a-z_]\w*)")
_DEFINED = re.compile(r"^(\w+)\(\)", re.MULTILINE)
_SHELL_OWN = {"PATH", "OLDPWD", "IFS"}


@dataclass(frozen=True)
class ShellFile:
    """One file: an entry script, or a part of the library, whose path begins with `lib/`."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """Return the name that a `requires` line gives this file."""
        return self.path.removeprefix("lib/").removesuffix(".sh")

    @property
    def is_library(self) -> bool:
        """Return whether other files may require this one."""
        return self.path.startswith("lib/")

    def head(self, key: str) -> list[str]:
        """Return the words of all lines `# key: ...` of the head."""
        lines = re.findall(rf"^# {key}: (.*)$", self.text, re.MULTILINE)
        return [word for line in lines for word in line.split()]

    @property
    def code(self) -> str:
        """Return the text without comments."""
        return _COMMENT.sub("", self.text)

    @property
    def functions(self) -> list[str]:
        """Return the names of the functions that the file defines."""
        return _DEFINED.findall(self.text)

    @property
    def read(self) -> set[str]:
        """Return the variables that the code reads; another program's script is not its code."""
        code = _LITERAL.sub(_blank_literal, self.code)
        names = set(_READ.findall(code))
        for counted in _COUNTED.findall(code):
            names.update(_NAME.findall(counted))
        return names - _SHELL_OWN

    @property
    def assigned(self) -> set[str]:
        """Return the variables that the code assigns or reads input into."""
        names = set(_ASSIGNED.findall(self.code))
        for words, variable in _GOT.findall(self.code):
            names.update(words.split(), [variable] if variable else [])
        return names

    @property
    def local(self) -> set[str]:
        """Return the variables that some function declares local, for itself and what it calls."""
        return {name for names in _LOCAL.findall(self.code) for name in _WORD.findall(names)}

    def words(self) -> set[str]:
        """Return all words of the code; a function of another file is one of them if it is used."""
        return set(re.findall(r"\w+", self.code))


def _blank_literal(found: re.Match[str]) -> str:
    return found[0] if found[1] is None else ""


def _read_files() -> Iterator[ShellFile]:
    for path in sorted(FOLDER.rglob("*.sh")):
        yield ShellFile(str(path.relative_to(FOLDER)), path.read_text(encoding="utf-8"))


FILES = {file.path: file for file in _read_files()}
LIBRARY = {file.name: file for file in FILES.values() if file.is_library}
DEFINED_IN = {function: file for file in FILES.values() for function in file.functions}


def library(*names: str) -> str:
    """Return the code of the named files of the library and of all that they require."""
    return "\n".join(LIBRARY[name].text for name in closure(names))


def closure(names: Iterable[str]) -> list[str]:
    """Return parts of the library behind all that they require, each once."""
    order: list[str] = []
    for name in names:
        required = closure(LIBRARY[name].head("requires"))
        order += [each for each in (*required, name) if each not in order]
    return order
