"""lib/sockets.sh: the daemon's socket, from its command line or its dump."""

from __future__ import annotations

import socket

import pytest

from tests.node.scripts.shell import Shell

SHOW = 'printf "%s|%s" "$SOCKET" "$RUNS"'
LINES = {
    "none": ("containerd", "/d.sock|"),
    "two words": ("containerd\n--address\n/a.sock\n--state\n/s", "/a.sock|/s"),
    "one word": ("containerd\n--address=/a.sock\n--state=/s", "/a.sock|/s"),
    "short": ("containerd\n-a\n/a.sock", "/a.sock|"),
}


@pytest.mark.parametrize(("arguments", "expected"), LINES.values(), ids=LINES)
def test_the_command_line_names_the_socket(shell: Shell, arguments: str, expected: str) -> None:
    code = f'sockets_from_arguments "$arguments"; {SHOW}'
    given = {"GIVEN": "", "SOCKET": "/d.sock", "CONFIG": ""}

    assert shell.output("sockets", code, arguments=arguments, **given) == expected


def test_a_socket_that_is_certain_stays(shell: Shell) -> None:
    code = f'sockets_from_arguments "$arguments"; {SHOW}'
    given = {"GIVEN": "1", "SOCKET": "/d.sock", "CONFIG": ""}

    assert shell.output("sockets", code, arguments="x\n-a\n/a.sock", **given) == "/d.sock|"


@pytest.mark.parametrize("listens", [True, False])
def test_a_dump_names_a_socket_that_is_there(shell: Shell, *, listens: bool) -> None:
    place = shell.folder / "s"
    if listens:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(place))
    dump = f"state = '/s'\n[grpc]\n  tcp_address = '/no'\n  address = '{place}'\n[x]\naddress = 'y'"
    given = {"GIVEN": "", "SOCKET": "/d.sock", "CONFIG": ""}

    found = shell.output("sockets", f'sockets_from_dump "$dump"; {SHOW}', dump=dump, **given)

    assert found == f"{place if listens else '/d.sock'}|/s"
