"""Failures that the node scripts report: each has a kind, a plain message and a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import fleet.node
from fleet.core.failure import FailureKind, Step

_FOLDER = Path(fleet.node.__file__).parent / "scripts"
SCRIPTS = {str(path.relative_to(_FOLDER)): path.read_text() for path in _FOLDER.rglob("*.sh")}
_QUOTED = r"""("(?:[^"\\]|\\.)*"|'[^']*')"""
_FAIL = re.compile(rf"\b(?:steps_fail|steps_report_failure) (\S+) (\S+)\s+{_QUOTED}\s+{_QUOTED}")
_ANY_FAIL = re.compile(r'\b(?:steps_fail|steps_report_failure) (?!"\$@)')
_STEP = re.compile(
    r"\b(?:steps_enter|storage_fail|(?:steps_fail|steps_report_failure|pending_fail) \S+) (\S+)"
)
_FUNCTION = re.compile(r"^(\w+)\(\) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_CONSTANT = re.compile(rf"^\s*([A-Z_]+)={_QUOTED}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reported:
    """A failure as a script reports it, with its variables unexpanded."""

    script: str
    kind: str
    step: str
    message: str
    remedy: str


def joined(text: str) -> str:
    """Return a script without its comments and with its continued lines joined."""
    code = re.sub(r"^\s*#.*$|(?<=[;{]) # .*$", "", text, flags=re.MULTILINE)
    return code.replace("\\\n", "")


CONSTANTS = dict(pair for text in SCRIPTS.values() for pair in _CONSTANT.findall(joined(text)))


def plain(quoted: str) -> str:
    """Return a quoted string's text, with the constants of the scripts in their place."""
    text = quoted[1:-1].replace("\\", "")
    for name, value in CONSTANTS.items():
        text = re.sub(rf"\${name}\b", lambda _, value=value: value[1:-1].replace("\\", ""), text)
    return text


def reported(script: str, text: str) -> Iterator[Reported]:
    """Yield the failures of a script; one without a message and a remedy is an AssertionError."""
    code = joined(text)
    found = _FAIL.findall(code)
    assert len(found) == len(_ANY_FAIL.findall(code)), f"{script}: a failure without a remedy"
    for kind, step, message, remedy in found:
        yield Reported(script, kind, step, plain(message), plain(remedy))


def everything() -> list[Reported]:
    return [failure for name, text in SCRIPTS.items() for failure in reported(name, text)]


def test_every_failure_has_a_kind_a_message_and_a_remedy() -> None:
    failures = everything()

    assert len(failures) > 45
    assert {failure.kind for failure in failures} - {'"$1"'} <= set(FailureKind)
    assert [failure for failure in failures if not (failure.message and failure.remedy)] == []


def test_a_message_ends_before_the_remedy() -> None:
    failures = everything()

    assert [failure for failure in failures if ";" in failure.message] == []
    assert [failure for failure in failures if failure.remedy == failure.message] == []


def test_remedies_are_imperative() -> None:
    verbs = re.compile(
        r"add|change|end|find|fix|free|install|look|make|move|remove|report|restore|revert|run|see|wait"
    )

    assert [failure for failure in everything() if not verbs.match(failure.remedy)] == []


@pytest.mark.parametrize(
    "line",
    [
        "steps_fail health health 'it fell'",
        "steps_fail health health 'it fell' $words",
        "steps_fail health health $words 'restart it'",
        '[ -d x ] || steps_report_failure health health "it fell"',
    ],
)
def test_a_failure_without_a_remedy_is_found(line: str) -> None:
    with pytest.raises(AssertionError, match="without a remedy"):
        list(reported("x.sh", f"{line}\n"))


def steps_reported() -> set[str]:
    """Return the steps that the scripts name; `$MODE` stands for the modes of settle.sh."""
    steps = {step for text in SCRIPTS.values() for step in _STEP.findall(joined(text))}
    modes = {
        name.removeprefix("settle_")
        for name, body in _FUNCTION.findall(SCRIPTS["settle.sh"])
        if re.search(r"^ +settle_check_files$", body, re.MULTILINE)
    }
    return (steps | modes) - {'"$1"', '"$2"', '"$MODE"'}


def test_the_steps_of_the_scripts_are_those_that_count_as_reported() -> None:
    assert steps_reported() == {str(step) for step in Step if step.reported}
