"""Failure messages and remedies, read from the scripts that run on nodes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import fleet
from fleet_docs.message import UNKNOWN, Message, placeholder

_SCRIPTS = Path(fleet.__file__).parent / "node" / "scripts"
_CALL = re.compile(r"steps_(?:fail|report_failure) ([a-z_]+) \S+\s+([\"'].*)")
_CONSTANT = re.compile(r"^([A-Z_]+)=([\"'].* .*[\"'])$", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)[^}\s]*\}|\$([A-Za-z_]\w*)|\$\{?\w[^}\s]*\}|\$\d")


def shell_messages() -> Iterator[Message]:
    """Yield every failure whose kind and message are constants where it is reported."""
    scripts = [re.sub(r"\\\n *", " ", path.read_text()) for path in sorted(_SCRIPTS.rglob("*.sh"))]
    constants = {
        f"${name}": _words(value)[0] for text in scripts for name, value in _CONSTANT.findall(text)
    }
    for text in scripts:
        for kind, arguments in _CALL.findall(text):
            words = [constants.get(word, word) for word in _words(arguments)]
            if len(words) >= 2:
                yield Message(kind, _shown(words[0]), _shown(words[1]))


def _words(arguments: str) -> list[str]:
    plain = re.sub(r"\$\([^)]*\)", UNKNOWN, arguments)
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a text that goes on in a further line
        return []


def _shown(text: str) -> str:
    text = text.replace("\\`", "`")
    return _VARIABLE.sub(_placeholder, text)


def _placeholder(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    return placeholder(name) if name else UNKNOWN
