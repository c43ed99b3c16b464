"""The user's ssh_config: what a look-up finds, files that it includes, and one that is broken."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.ssh.ssh_config import user_config

LookUp = Callable[..., Mapping[str, Any]]


@pytest.fixture
def look_up(tmp_path: Path) -> LookUp:
    """Return a function that looks a host up in a text."""

    def looked_up(text: str, host: str, user: str | None = None, port: int | None = None) -> Any:
        path = tmp_path / "config"
        path.write_text(text.format(folder=tmp_path))
        return user_config(str(path)).lookup(host, user, port)

    return looked_up


BLOCKS = """\
Compression yes
Host w1 w2
    User carol
    Port 22
Host w*
    User dave
    IdentityFile ~/one
    IdentityFile ~/two
Host !w1 *
    Ciphers aes128-ctr
Match host w2
    HostName w2.example
"""
FOUND = {
    "the first value counts": ("w1", "user", "carol"),
    "a pattern": ("w7", "user", "dave"),
    "lines before the first block": ("x", "compression", "yes"),
    "a host that is left out": ("w1", "ciphers", None),
    "all others": ("x", "ciphers", "aes128-ctr"),
    "a match": ("w2", "hostname", "w2.example"),
    "its own name": ("w1", "hostname", "w1"),
    "several values": ("w1", "identityfile", 2),
    "no value": ("x", "user", None),
}


@pytest.mark.parametrize(("host", "key", "value"), FOUND.values(), ids=FOUND)
def test_a_host_has_the_settings_of_its_blocks(
    look_up: LookUp, host: str, key: str, value: object
) -> None:
    found = look_up(BLOCKS, host).get(key)

    assert (len(found) if isinstance(value, int) and found else found) == value


def test_what_the_inventory_gives_goes_first(look_up: LookUp) -> None:
    found = look_up(BLOCKS, "w1", "eve", 99)

    assert (found["user"], found["port"]) == ("eve", "99")


def test_a_match_sees_what_the_inventory_gives(look_up: LookUp) -> None:
    text = "Match user eve\n    Port 99\n"

    assert look_up(text, "x", "eve")["port"] == "99"
    assert "port" not in look_up(text, "x", "joe")


def test_thousands_of_blocks_are_looked_up_by_name(look_up: LookUp) -> None:
    blocks = "".join(f"Host n{number}\n    Port {number}\n" for number in range(1, 3001))

    assert look_up(f"{blocks}Host *\n    User u\n", "n2999") == {
        "port": "2999",
        "user": "u",
        "hostname": "n2999",
    }


INCLUDES = {
    "an absolute path": "Include {folder}/more/a.conf\n",
    "a pattern": "Include {folder}/more/*.conf\n",
    "several files": "Include {folder}/none {folder}/more/a.conf\n",
    "in quotes": 'Include "{folder}/more/a.conf"\n',
    "with an equals sign": "Include={folder}/more/a.conf\n",
    "with a comment": "include {folder}/more/a.conf # mine\n",
}


@pytest.mark.parametrize("line", INCLUDES.values(), ids=INCLUDES)
def test_an_included_file_is_read_at_its_place(look_up: LookUp, tmp_path: Path, line: str) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.conf").write_text("Host w1\n    User inner\n")

    text = f"{line}Host *\n    User outer\n    Port 7\n"
    first, other = look_up(text, "w1"), look_up(text, "w2")

    assert (first["user"], first["port"], other["user"]) == ("inner", "7", "outer")


def test_lines_after_an_include_belong_to_the_block_around_it(
    look_up: LookUp, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("Host w9\n    User inner\n")
    text = "Host w1\n    Include {folder}/a\n    Port 7\n"

    assert look_up(text, "w1")["port"] == "7"
    assert "port" not in look_up(text, "w9")


def test_a_file_that_includes_itself_ends(look_up: LookUp) -> None:
    assert look_up("Include {folder}/config\nHost *\n    Port 7\n", "x")["port"] == "7"


def test_a_folder_that_is_included_is_passed_over(look_up: LookUp) -> None:
    assert look_up("Include {folder}\nPort 7\n", "x")["port"] == "7"


def test_a_comment_ends_a_line_unless_it_is_quoted(look_up: LookUp) -> None:
    text = 'Host *\n    User gate  # of the bastion\n    ProxyCommand "a # b"\n'

    found = look_up(text, "x")

    assert found["user"] == "gate"
    assert "# b" in found["proxycommand"]


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path, look_up: LookUp) -> None:
    assert look_up("Port 1\n", "x")["port"] == "1"
    text = tmp_path / "config"
    text.write_text("Port 22\n")
    os.utime(text, ns=(1, 1))

    assert user_config(str(text)).lookup("x", None, None)["port"] == "22"


def test_a_file_that_did_not_change_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("Port 1\n")

    assert user_config(str(path)) is user_config(str(path))


BROKEN = {
    "a missing file": None,
    "a line without a value": "Host w1\n    Port\n",
    "an open quote in an Include": "Include 'x\n",
    "a Match without a criterion": "Match\n    Port 1\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_a_failure_to_connect(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)

    with pytest.raises(NodeError) as raised:
        user_config(str(path))

    assert (raised.value.failure.kind, raised.value.failure.step) == (
        FailureKind.CONNECT,
        "connect",
    )
    assert str(path) in raised.value.failure.message
