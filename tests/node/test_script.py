"""Scripts as they are sent, and the records that come back, whatever a node sends."""

from __future__ import annotations

import base64
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.secret import Secret
from fleet.node.script import (
    Privilege,
    Reply,
    Script,
    decode_field,
    exit_code,
    number,
    parse_reply,
    seconds_of,
    timestamp,
)

WHOLE = "begun\t=plain\nhello\t=0\n{}end\t=\n"


def parsed(records: str) -> Reply:
    return parse_reply(Step.PROBE, 0, WHOLE.format(records), "")


def refusal(stdout: str, code: int = 0, stderr: str = "") -> tuple[FailureKind, str, str]:
    """Return the kind, step and evidence of the failure that an output gives."""
    with pytest.raises(NodeError) as raised:
        parse_reply(Step.PROBE, code, stdout, stderr)
    failure = raised.value.failure
    return failure.kind, failure.step, failure.evidence


VALUES = ["", "a b", "it's", '"$(id)" `id` \\n', "two\nlines\n", "tab\t", "ü中", "-n", "*"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_shell_reads_a_variable_as_it_was_given(shell: str, value: str) -> None:
    # The script ends early where it is not root.
    script = f"""trap 'printf "%s|" "$VALUE"' EXIT\n{Script(Step.SUDO, {"VALUE": value}).text()}"""

    ran = subprocess.run([shell, "-s"], input=script, capture_output=True, check=True, text=True)

    assert ran.stdout.endswith(f"{value}|")


def test_a_script_is_sent_after_its_password() -> None:
    script = Script(Step.SUDO, {"A": "ü"})

    assert script.stdin(Privilege()) == script.text().encode()
    assert script.stdin(Privilege(Secret("p"))) == f"p\n{script.text()}".encode()


def test_a_login_that_needs_no_sudo_gets_no_password() -> None:
    script = Script(Step.SUDO, {})

    assert script.stdin(Privilege(Secret("p"), sudo=False)) == script.text().encode()


def test_bytes_of_a_path_that_are_no_text_come_through() -> None:
    path = b"/etc/\xff".decode("utf-8", "surrogateescape")

    assert b"P='/etc/\xff'\n" in Script(Step.SUDO, {"P": path}).stdin(Privilege())


@pytest.mark.parametrize(
    ("user", "command"),
    [(None, "sudo"), ("adm", "sudo -u adm"), ("a b", "sudo -u 'a b'")],
)
def test_sudo_becomes_the_user_of_the_inventory(user: str | None, command: str) -> None:
    assert Privilege(user=user).command == command


def test_the_node_ends_a_script_at_its_deadline() -> None:
    assert "timeout -k 10 77 sh -s" in Script(Step.SUDO, {}, 77).command_line(Privilege())


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


FIELDS = {
    "plain": ("k\t=value\n", "value"),
    "empty": ("k\t=\n", ""),
    "in base64": (f"k\t{encoded(b'two' + bytes([10]) + b'lines')}\n", "two\nlines"),
    "below its line": ("k\t+9\ntwo\nlines\n", "two\nlines"),
    "with tabs below its line": ("k\t+3\na\tb\n", "a\tb"),
    "nothing below its line": ("k\t+0\n\n", ""),
    "the last of several": ("k\t=a\nk\t=b\n", "b"),
    "bytes that are no text": (f"k\t{encoded(bytes([255, 65]))}\n", "\ufffdA"),
}


@pytest.mark.parametrize(("records", "value"), FIELDS.values(), ids=FIELDS)
def test_a_value_is_read_in_every_form(records: str, value: str) -> None:
    reply = parsed(records)

    assert (reply.value("k"), reply.has("k")) == (value, True)


def test_a_content_that_looks_like_records_is_none() -> None:
    reply = parsed("k\t+11\nend\t=\nx\t=y\n\nz\t=1\n")

    assert (reply.value("k"), reply.has("x"), reply.value("z")) == ("end\t=\nx\t=y\n", False, "1")


def test_two_contents_of_a_record_follow_each_other() -> None:
    reply = parsed("k\t+1\t=x\t+2\na\nbc\n")

    assert list(reply.all("k")) == [("=a", "=x", "=bc")]


def test_a_key_that_is_missing_has_its_default() -> None:
    reply = parsed("")

    assert (reply.value("k"), reply.value("k", "x"), reply.has("k")) == ("", "x", False)
    assert list(reply.all("k")) == []


def test_records_of_a_key_come_in_order() -> None:
    reply = parsed("k\t=a\t=1\nother\t=x\nk\t=b\t=2\n")

    assert list(reply.rows("k", 2)) == [("=a", "=1"), ("=b", "=2")]
    assert list(reply.texts("k")) == ["a", "b"]


def test_a_row_of_another_width_breaks_the_protocol() -> None:
    with pytest.raises(NodeError) as raised:
        list(parsed("k\t=a\t=1\nk\t=b\n").rows("k", 2))

    assert raised.value.failure.kind is FailureKind.PROTOCOL


def test_a_line_without_a_field_is_no_record() -> None:
    assert not parsed("noise\n").has("noise")


def test_a_reply_has_at_most_65536_lines() -> None:
    lines = (1 << 16) - 3

    assert len(list(parsed("k\t=\n" * lines).all("k"))) == lines
    with pytest.raises(NodeError, match="more than 65536 lines"):
        parsed("k\t=\n" * (lines + 1))


ENDINGS = {
    "not root": ("begun\t=plain\nhello\t=1000\nend\t=\n", 0, FailureKind.SUDO),
    "a folder of others": (WHOLE.format("steered\t=/etc/x\n"), 0, FailureKind.UNSUPPORTED),
    "no end": ("begun\t=plain\nhello\t=0\n", 1, FailureKind.PROTOCOL),
    "out of time": ("begun\t=plain\nhello\t=0\n", 124, FailureKind.TIMEOUT),
    "killed after its time": ("begun\t=plain\nhello\t=0\n", 137, FailureKind.TIMEOUT),
    "no shell": ("Welcome\n", 1, FailureKind.AUTH),
    "no sudo": ("begun\t=plain\n", 78, FailureKind.SUDO),
}


@pytest.mark.parametrize(("stdout", "code", "kind"), ENDINGS.values(), ids=ENDINGS)
def test_a_script_that_did_not_do_its_work_is_a_failure(
    stdout: str, code: int, kind: FailureKind
) -> None:
    assert refusal(stdout, code)[:2] == (kind, "probe")


def test_the_shells_own_error_is_the_cause_of_an_early_end() -> None:
    kind, step, evidence = refusal("begun\t=plain\n", 2, "sh: 1: Cannot fork\n")

    assert (kind, step, evidence) == (FailureKind.UNSUPPORTED, "probe", "sh: 1: Cannot fork")


def test_the_shells_own_error_does_not_matter_once_the_script_has_ended() -> None:
    reply = parse_reply(Step.PROBE, 0, WHOLE.format(""), "sh: 1: Cannot fork\n")

    assert reply.error_output == "sh: 1: Cannot fork"


@given(st.text("hello\t\n=+0123begundx ", max_size=80), st.integers(0, 255))
def test_any_output_is_a_reply_or_a_failure(stdout: str, code: int) -> None:
    try:
        complete = parse_reply(Step.PROBE, code, stdout, "").has("end")
    except NodeError as error:
        complete = bool(error.failure.message)

    assert complete


@given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=30)))
def test_every_value_comes_back_as_it_was_written(values: dict[str, str]) -> None:
    records = "".join(f"{key}\t+{len(value)}\n{value}\n" for key, value in values.items())

    reply = parsed(records)

    assert {key: reply.value(key) for key in values} == values


COUNTS = [("0", 0), ("42", 42), ("-1", 0), ("", 0), ("4x", 0), ("²", 0), ("9" * 18, 10**18 - 1)]


@pytest.mark.parametrize(("text", "expected"), [*COUNTS, ("9" * 19, 0)])
def test_a_count_is_digits_or_zero(text: str, expected: int) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("124", 124), ("", 1), ("-1", 1), ("1234", 1), ("x", 1)]
)
def test_an_exit_code_is_digits_or_one(text: str, expected: int) -> None:
    assert exit_code(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("1.5", 1.5), ("-2", -2.0), ("3.", 3.0)])
def test_a_time_is_a_decimal(text: str, expected: float) -> None:
    assert (seconds_of(text), timestamp(text)) == (expected, expected)


@pytest.mark.parametrize("text", ["", "x", "1e9", "nan", "inf", ".5", "1" * 16, "1 2", "1.5\n"])
def test_anything_else_is_no_time(text: str) -> None:
    assert seconds_of(text) is None
    with pytest.raises(NodeError):
        timestamp(text)


@given(st.binary(max_size=60))
def test_a_field_in_base64_gives_its_bytes(data: bytes) -> None:
    assert decode_field(encoded(data)) == data


@pytest.mark.parametrize("field", ["x", "YQ", "Y=Q=", "a b", "ü"])
def test_a_field_that_is_neither_plain_nor_base64_breaks_the_protocol(field: str) -> None:
    with pytest.raises(NodeError) as raised:
        decode_field(field)

    assert raised.value.failure.kind is FailureKind.PROTOCOL
    assert raised.value.failure.evidence == field
