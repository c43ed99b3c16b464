"""lib/report.sh: the report of a probe."""

from __future__ import annotations

from base64 import b64decode

import pytest

from fleet.node.script import decode_field
from tests.node.scripts.shell import Shell

PRINT = "protocol_start_pulse; report_print_files; printf '%s' \"$NOTES\""


@pytest.mark.parametrize("text", ["", "a\nb\n", "tab\there", "ä\n", "100%s\\n"])
def test_a_note_arrives_as_it_was(shell: Shell, text: str) -> None:
    code = 'report_note key "$text" second; printf "%s" "$NOTES"'

    (fields,) = shell.run("report", code, text=text).reply.all("key")

    assert [decode_field(field).decode() for field in fields] == [text, "second"]


def test_an_answer_ends_with_its_exit_code(shell: Shell) -> None:
    code = 'report_answer version sh -c "echo 1.7; exit 3"; printf "%s" "$NOTES"'

    assert shell.run("report", code).reply.value("version") == "1.7\n\nrc 3"


def test_files_are_printed_with_their_contents(shell: Shell) -> None:
    for name, text in (("a", "one\n"), ("b", "two")):
        (shell.folder / name).write_text(text)
    (shell.folder / "c").symlink_to("a")
    (shell.folder / "d").mkdir()
    base = shell.folder
    names = " ".join(f"{base}/{name}" for name in "abcde")

    done = shell.run("report", f"for file in {names}; do report_file $file; done\n{PRINT}")

    (fields,) = done.reply.all("files")
    kinds, listed, stats = (decode_field(field).decode() for field in fields)
    assert kinds == "ffl"
    assert listed.splitlines() == [f"{base}/a", f"{base}/b", f"{base}/c"]
    assert [line.split()[-1] for line in stats.splitlines()] == ["4", "3", "4"]
    ((content,),) = done.reply.all("contents")
    assert b64decode(content) == b"one\ntwoone\n"


def test_a_file_that_is_too_large_is_left_out(shell: Shell) -> None:
    (shell.folder / "a").write_text("x" * 11)
    (shell.folder / "b").write_text("x")
    code = f"LIMIT=10\nreport_file {shell.folder}/a; report_file {shell.folder}/b\n{PRINT}"

    (fields,) = shell.run("report", code).reply.all("files")

    assert decode_field(fields[1]).decode() == f"{shell.folder}/b\n"


def test_a_name_with_a_line_break_is_left_out(shell: Shell) -> None:
    (shell.folder / "a\nb").mkdir()
    (shell.folder / "c\nd").write_text("x")
    code = "for name in *; do report_file $name; report_directory $name; done\n"

    assert shell.output("report", f'{code}printf "%s" "$FILES$DIRECTORIES"') == ""


def test_saved_files_do_not_count_as_files_of_the_config(shell: Shell) -> None:
    names = [shell.folder / name for name in ("a", "b", "c")]
    for name in names:
        name.write_text("x")
    code = f"COUNT=2999\nSAVED_COUNT=9999\nreport_saved_file {names[0]}; report_file {names[1]}\n"

    whole = shell.run("report", f"{code}{PRINT}").reply
    cut = shell.run("report", f"{code}report_saved_file {names[2]}\n{PRINT}").reply

    for reply in (whole, cut):
        ((_, listed, _),) = reply.all("files")
        assert decode_field(listed).decode().splitlines() == [str(names[0]), str(names[1])]
        assert not reply.has("crowded")
    assert (whole.has("saved_crowded"), cut.value("saved_crowded")) == (False, "10001")


def test_directories_are_listed(shell: Shell) -> None:
    (shell.folder / "a").mkdir()

    assert shell.output("report", 'report_directory a; printf "%s" "$DIRECTORIES"') == "a\n"
