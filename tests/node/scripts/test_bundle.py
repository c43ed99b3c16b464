"""lib/bundle.sh: what a change writes, split byte for byte."""

from __future__ import annotations

import pytest

from fleet.node.bundle import MARK, pack
from tests.node.scripts.shell import Shell

CONTENTS = {
    "text": b"server = 'x'\n[host]\n",
    "nothing": b"",
    "no line end": b"a",
    "line ends alone": b"\n\n\n",
    "what a shell expands": b"$(id) `id` * ? [a-z] ~ \\ \\n \"'\n",
    "blanks around": b"  \t a \t\n ",
    "carriage returns": b"a\r\n",
    "the mark": b"a\x1eb",
    "bytes of no text": bytes(range(256)),
    "other letters": "\u00e4\u4e2d\n".encode(),
    "much": b"0123456789abcdef\n" * 20_000,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_part_comes_out_byte_for_byte(shell: Shell, name: str) -> None:
    (shell.folder / "bundle").write_bytes(pack((b"before", CONTENTS[name], b"behind")))
    code = 'content=$(cat bundle); write() { bundle_part "$2" >part; }\nbundle_split write'

    shell.output("bundle", code, MARK=MARK.decode())

    assert (shell.folder / "part").read_bytes() == CONTENTS[name]


def test_the_guard_is_the_last_part(shell: Shell) -> None:
    content = pack((b"a", b"guard\n")).decode()

    assert shell.output(
        "bundle", "bundle_split bundle_guard", MARK=MARK.decode(), content=content
    ) == ("guard\n")
