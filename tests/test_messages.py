"""Every failure of a node says what to do: behind its last semicolon, by means that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fleet
from fleet.cli.app import fleet as command
from tests.node.test_script_failures import everything as everything_reported
from tests.support.messages import PASSED_ON, Message, of_module
from tests.test_docs import COMMANDS

ROOT = Path(fleet.__file__).parent
MODULES = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.py")}
EXEMPT = {
    "core/failure.py": "a NodeError makes the failure that it was given",
    "node/run_script.py": "what a script has told, which is read in the script",
}
_ACTION = re.compile(
    r"`[^`]+`|--[a-z-]+|\?|\b(?:add|allow|check|compare|convert|do|find|free|give|install|leave|let"
    r"|log in|look|mend|move|name|plan|point|put|remove|report|restart|roll out|run|see|set|ssh-add"
    r"|start|take|try|upgrade|use|wait|write)\b"
)
"""A command, a flag, a question, or a word that tells to do something."""


def acts(message: Message) -> bool:
    """Say whether a message ends with something to do."""
    what, mark, action = message.text.rpartition("; ")
    if PASSED_ON in message.text:
        return True
    return bool(mark and what and _ACTION.search(action))


def everything() -> Iterator[Message]:
    for name, source in MODULES.items():
        found = of_module(name, source)
        yield from (each for each in found if name not in EXEMPT or each.text != "{}")


def test_every_failure_says_what_to_do() -> None:
    found = set(everything())

    assert [str(each) for each in found if not acts(each)] == []
    assert {each.place.partition(":")[0] for each in found} >= {
        "node/result.py",
        "ssh/transport.py",
    }
    assert len(found) > 80


@pytest.mark.parametrize(
    ("text", "told"),
    [("x failed", False), ("x failed; so it goes", False), ("x failed; mend it", True)],
    ids=["no part behind a semicolon", "one that tells to do nothing", "an action"],
)
def test_a_message_without_an_action_is_seen(text: str, told: bool) -> None:
    module = (
        f"def f(name):\n    message = f'{{name}}: {text}'\n    raise NodeError(K, 's', message)\n"
    )

    assert [acts(each) for each in of_module("x.py", module)] == [told]


@pytest.mark.parametrize("name", ["node/script.py", "ssh/known_hosts.py"])
def test_an_action_that_is_taken_out_of_a_source_is_missed(name: str) -> None:
    source = MODULES[name].replace("; ", ", ")

    assert any(not acts(each) for each in of_module(name, source))


def test_what_a_message_tells_to_run_exists() -> None:
    scripts = [text for each in everything_reported() for text in (each.message, each.remedy)]
    texts = [*(each.text for each in everything()), *scripts]
    flags = {flag for each in COMMANDS.values() for option in each.params for flag in option.opts}
    foreign = {"--disable-default-registry-endpoint", "--resources"}

    named = {name for text in texts for name in re.findall(r"`fleet ([a-z]+)", text)}
    given = {flag for text in texts for flag in re.findall(r"(?<!\S)\(?(--[a-z-]+)", text)}

    assert named >= {"probe", "explain", "resume", "unlock"}
    assert named <= set(command.commands)
    assert given - foreign <= flags
