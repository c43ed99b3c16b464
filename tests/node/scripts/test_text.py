"""lib/text.sh: lists of lines as words of one command."""

from __future__ import annotations

from tests.node.scripts.shell import Shell

SHOW = "show() { printf '<%s>' \"$@\"; }\n"


def test_each_line_is_one_word_whatever_is_in_it(shell: Shell) -> None:
    code = SHOW + "text_with_lines \"a b$NL*$NL'c'\" show first --"

    assert shell.output("text", code) == "<first><--><a b><*><'c'>"


def test_no_line_is_no_word(shell: Shell) -> None:
    assert shell.output("text", SHOW + "text_with_lines '' show first") == "<first>"


def test_words_are_split_as_before_when_lines_are_done(shell: Shell) -> None:
    code = "text_split_lines; text_split_words; set -- $list; printf '%s' $#"

    assert shell.output("text", code, list="a b\nc") == "3"


def test_a_command_runs_once_for_each_kind(shell: Shell) -> None:
    code = SHOW + 'text_with_lines_by_kind "1${TAB}a${NL}2${TAB}b${NL}1${TAB}c$NL" show'

    assert shell.output("text", code) == "<1><--><a><c><2><--><b>"


def test_a_kind_that_fails_ends_the_others(shell: Shell) -> None:
    code = 'fail_first() { printf "%s" "$1"; return 1; }\n'
    code += 'text_with_lines_by_kind "1${TAB}a${NL}2${TAB}b$NL" fail_first || printf " failed"'

    assert shell.output("text", code) == "1 failed"
