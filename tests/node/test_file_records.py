"""The files in a reply: each gets its own bytes and attributes, or all of them are refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.change import ManagedFile
from fleet.node.file_records import FileRecord, file_records, file_text, split_names
from fleet.node.script import Reply


def reply(kinds: str, names: bytes, stats: str, contents: bytes) -> Reply:
    def packed(data: bytes) -> str:
        return base64.b64encode(data).decode()

    fields = (packed(kinds.encode()), packed(names), packed(stats.encode()))
    return Reply([("files", fields), ("contents", (packed(contents),))])


def test_joined_contents_are_parted_by_their_sizes() -> None:
    found = reply("fl", b"/a\n/b\n", "644 0 0 1700000000 3\n600 1 2 -5 2\n", b"onetw")

    assert list(file_records(found)) == [
        FileRecord("/a", ManagedFile(b"one", 0o644, 0, 0), 1_700_000_000, link=False),
        FileRecord("/b", ManagedFile(b"tw", 0o600, 1, 2), -5, link=True),
    ]


def test_a_reply_may_have_several_records_of_files_or_none() -> None:
    line = ("Zg==", "L2EK", base64.b64encode(b"644 0 0 0 1\n").decode())
    twice = Reply([("files", line), ("contents", ("eA==",))] * 2)

    assert [record.path for record in file_records(twice)] == ["/a", "/a"]
    assert list(file_records(Reply([]))) == []


CHANGED = {
    "fewer bytes": ("f", b"/a\n", "644 0 0 0 3\n", b"on"),
    "more bytes": ("f", b"/a\n", "644 0 0 0 3\n", b"ones"),
    "fewer names": ("ff", b"/a\n", "644 0 0 0 0\n644 0 0 0 0\n", b""),
    "fewer lines of stat": ("ff", b"/a\n/b\n", "644 0 0 0 0\n", b""),
    "fewer kinds": ("f", b"/a\n/b\n", "644 0 0 0 0\n644 0 0 0 0\n", b""),
}


@pytest.mark.parametrize(("kinds", "names", "stats", "contents"), CHANGED.values(), ids=CHANGED)
def test_files_that_changed_while_they_were_read_are_refused(
    kinds: str, names: bytes, stats: str, contents: bytes
) -> None:
    with pytest.raises(NodeError) as raised:
        list(file_records(reply(kinds, names, stats, contents)))

    assert (raised.value.failure.kind, raised.value.failure.step) == (
        FailureKind.PROTOCOL,
        "probe",
    )


@pytest.mark.parametrize(
    "line",
    ["", "644 0 0 0", "999 0 0 0 0", "644 -1 0 0 0", "644 0 0 0 -1", f"644 0 0 0 {'9' * 13}"],
)
def test_a_line_that_stat_did_not_write_breaks_the_protocol(line: str) -> None:
    with pytest.raises(NodeError) as raised:
        list(file_records(reply("f", b"/a\n", f"{line}\n", b"")))

    assert raised.value.failure.kind is FailureKind.PROTOCOL


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda name: b"\n" not in name)))
def test_names_come_back_as_the_bytes_that_they_are(names: list[bytes]) -> None:
    joined = b"".join(name + b"\n" for name in names)

    assert [name.encode("utf-8", "surrogateescape") for name in split_names(joined)] == names


def test_the_text_of_a_file_is_its_end() -> None:
    content = "".join(f"line {number}\n" for number in range(200)).encode() + b"\xff"
    records = {"/a": FileRecord("/a", ManagedFile(content), 0, link=False)}

    text = file_text(records, "/a")

    assert text is not None
    assert text.endswith("line 199\n\ufffd")
    assert "line 0\n" not in text
    assert file_text(records, "/b") is None
