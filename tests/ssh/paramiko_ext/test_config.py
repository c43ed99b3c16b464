"""The blocks of an ssh_config, as Paramiko parses them."""

from __future__ import annotations

import paramiko
import pytest

from fleet.ssh.paramiko_ext.config import lookup, parse_blocks

TEXT = """
Host db*
    User admin
    Port 2222
Match host web user root
    Port 22
"""


def test_the_blocks_have_their_patterns_conditions_and_settings() -> None:
    first, hosts, matches = parse_blocks(TEXT.splitlines())

    assert (first["host"], first["config"]) == (["*"], {})
    assert (hosts["host"], hosts["config"]) == (["db*"], {"user": "admin", "port": "2222"})
    assert "host" not in matches
    assert len(matches["matches"]) == 2


def test_the_first_block_that_sets_an_option_wins() -> None:
    given = {"host": ["*"], "config": {"user": "ops"}}
    settings = lookup([given, *parse_blocks(TEXT.splitlines())], "db1")

    assert (settings["user"], settings["port"], settings["hostname"]) == ("ops", "2222", "db1")


def test_a_text_that_cannot_be_parsed_is_an_error() -> None:
    with pytest.raises(paramiko.ssh_exception.ConfigParseError):
        parse_blocks(["Host a", "nonsense"])
