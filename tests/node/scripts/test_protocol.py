"""lib/protocol.sh: records, signs of life, and the wait for the driver."""

from __future__ import annotations

import os

import pytest

from tests.node.scripts.shell import Shell


@pytest.mark.parametrize("text", ["plain text", "", "tab\tline\nend", "ä", "=x", "'\"$(id)`\\"])
def test_a_value_arrives_as_it_was(shell: Shell, text: str) -> None:
    done = shell.run("protocol", 'protocol_value key "$text"', text=text)

    assert done.reply.value("key") == text


def test_plain_text_costs_no_process(shell: Shell) -> None:
    shell.stand_in("base64", "cat")

    shell.output("protocol", 'protocol_value key "a b"')

    assert shell.calls == []


def test_a_script_begins_with_its_user_and_goes_on_as_root_alone(shell: Shell) -> None:
    done = shell.run("protocol", "protocol_begin; protocol_stop_pulse; protocol_value on 1")

    first, *rest = done.output.splitlines()
    assert first == f"hello\t={os.geteuid()}"
    assert rest == (["on\t=1"] if os.geteuid() == 0 else [])


def test_signs_of_life_come_until_they_are_stopped(shell: Shell) -> None:
    shell.stand_in("sleep", "exec /bin/sleep 0.02")
    code = "protocol_start_pulse; /bin/sleep 0.5; protocol_stop_pulse; echo; /bin/sleep 0.2"

    output = shell.output("protocol", code)

    assert output.startswith("alive\t\nalive\t\n")
    assert output.endswith("\n\n")


def test_the_last_record_ends_the_signs_of_life(shell: Shell) -> None:
    done = shell.run("protocol", 'protocol_start_pulse; protocol_end; wait "$PULSE"')

    assert done.output == "end\t\n"
    assert done.code > 128


def test_a_script_waits_for_a_line_of_the_driver(shell: Shell) -> None:
    code = "exec 3<<END\n  sha256:1 \nEND\nprotocol_wait_for_driver; printf '<%s>' \"$line\""

    assert shell.output("protocol", code) == "ready\t=\n<  sha256:1 >"


def test_a_script_ends_if_the_driver_is_gone(shell: Shell) -> None:
    done = shell.run("protocol", "exec 3</dev/null; protocol_wait_for_driver; echo further")

    assert (done.code, done.output) == (1, "ready\t=\n")
