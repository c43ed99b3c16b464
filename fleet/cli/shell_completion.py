"""Completion in bash, zsh and fish: their scripts, and the replies that the scripts read.

A script passes the line up to the cursor in COMP_WORDS and reads a line for each value: its type,
a comma, the value, and behind a tab its description.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress

import click
from click.shell_completion import CompletionItem, ShellComplete

from fleet.core.history.rollout_ids import LAST, is_complete

VARIABLE = "_FLEET_COMPLETE"
"""The variable by which a shell asks fleet for completions."""
_END = "\x00"
"""A character that no command line has, to find its last word."""

_BASH = r"""
%(complete_func)s() {
    local line=${COMP_LINE:0:COMP_POINT} replies=() reply type value word= cut=
    while IFS= read -r reply; do
        replies+=("$reply")
    done < <(COMP_WORDS=$line %(complete_var)s=bash_complete "${1/#\~/$HOME}" 2>/dev/null)
    word=${line##*[[:space:]]}
    [[ $word != --*=* ]] || word=${word#*=}
    # Readline replaces only what follows the last colon or equals sign, unless the word is quoted.
    case $COMP_WORDBREAKS/$word in
    *:*/[\"\']*) ;;
    *:*/*[:=]*) cut=${word%%"${word##*[:=]}"} ;;
    esac
    COMPREPLY=()
    for reply in "${replies[@]}"; do
        type=${reply%%%%,*}
        value=${reply#*,}
        case $type in
        file) compopt -o default 2>/dev/null ;;
        dir) compopt -o dirnames 2>/dev/null ;;
        plain)
            # Descriptions are shown, and never inserted: the values before them differ.
            [[ ${#replies[@]} -gt 1 && ${COMP_TYPE:-9} != @(37|42) ]] || value=${value%%%%$'\t'*}
            value=${value/$'\t'/  }
            COMPREPLY+=("${value#"$cut"}")
            ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""

_ZSH = r"""
#compdef %(prog_name)s
%(complete_func)s() {
    local reply type value text
    local -a plain described
    (( ! $+commands[%(prog_name)s] )) && return 1
    for reply in "${(@f)$(COMP_WORDS="${(j: :)words[1,CURRENT-1]} $PREFIX" \
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}"; do
        type=${reply%%%%,*}
        value=${reply#*,}
        case $type in
        file) _path_files -f ;;
        dir) _path_files -/ ;;
        plain)
            text=${value#*$'\t'}
            if [[ $text == $value ]]; then
                plain+=("$value")
            else
                described+=("${${value%%%%$'\t'*}//:/\\:}:$text")
            fi
            ;;
        esac
    done
    (( ! $#described )) || _describe -V unsorted described -U
    (( ! $#plain )) || compadd -U -V unsorted -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""
function %(complete_func)s
    set -l line (commandline --current-process --cut-at-cursor | string join " ")
    for reply in (COMP_WORDS=$line %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split --max 1 "," -- $reply)
        switch $parts[1]
            case file
                __fish_complete_path (commandline --current-token)
            case dir
                __fish_complete_directories (commandline --current-token)
            case plain
                printf '%%s\n' $parts[2]
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


def split_line(line: str) -> list[str]:
    """Return the words of a command line up to the cursor; the last one may be empty or open."""
    lexer = shlex.shlex(line + _END, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # an open quote
        words.append(lexer.token)
    return [word.replace(_END, "") for word in words]


class _Shell(ShellComplete):
    """The part that all shells share."""

    whole_word = True
    """Whether the shell replaces the whole of `--limit=edge`, and not only what follows the `=`."""

    def source(self) -> str:
        """Return the script without a check of the shell's release."""
        return (self.source_template % self.source_vars()).lstrip("\n")

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, without the program's name, and the last one."""
        words = split_line(os.environ.get("COMP_WORDS", ""))
        return words[1:-1], words[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return the values for the last word."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if self.whole_word and equals and option.startswith("--"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items

    def format_completion(self, item: CompletionItem) -> str:
        """Return one value as the script reads it."""
        text = " ".join((item.help or "").split())
        return f"{item.type},{item.value}\t{text}" if text else f"{item.type},{item.value}"


class Bash(_Shell):
    """bash shows only the descriptions of rollout IDs: the other names speak for themselves."""

    name = "bash"
    source_template = _BASH
    whole_word = False

    def format_completion(self, item: CompletionItem) -> str:
        """Return one value as the script reads it."""
        if item.value != LAST and not is_complete(item.value):
            item.help = None
        return super().format_completion(item)


class Zsh(_Shell):
    """zsh shows the descriptions of all values."""

    name = "zsh"
    source_template = _ZSH


class Fish(_Shell):
    """fish shows the descriptions of all values."""

    name = "fish"
    source_template = _FISH


SHELLS: dict[str, type[_Shell]] = {shell.name: shell for shell in (Bash, Zsh, Fish)}


def script(program: click.Command, shell: str) -> str:
    """Return the script that adds completion to a shell."""
    return SHELLS[shell](program, {}, "fleet", VARIABLE).source()


def answer(program: click.Command, request: str) -> str:
    """Return what fleet prints for the value of the variable: a script, or completions.

    It is empty for an unknown request, and if anything fails: a shell shows no errors of it.
    """
    shell, _, what = request.partition("_")
    if shell not in SHELLS or what not in {"source", "complete"}:
        return ""
    if what == "source":
        return script(program, shell)
    with suppress(Exception):
        return f"{SHELLS[shell](program, {}, 'fleet', VARIABLE).complete()}\n"
    return ""
