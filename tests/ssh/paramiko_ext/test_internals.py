"""Everything that fleet relies on and that Paramiko and Fabric do not document.

When a new release makes one of these tests fail, fleet/ssh/paramiko_ext is the place to change, and
the ceiling in pyproject.toml the place to raise once it is. The other tests of this folder try the
same names in real handshakes.
"""

from __future__ import annotations

import ast
import inspect
import re
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import fabric
import paramiko
import pytest
from paramiko.agent import AgentKey, AgentSSH
from paramiko.auth_handler import AuthHandler
from paramiko.buffered_pipe import BufferedPipe

from tests.conftest import ROOT

METHODS = [
    (paramiko.Transport, "_really_parse_kex_init", "(self, m, ignore_first_byte=False)"),
    (paramiko.Transport, "_log", "(self, level, msg, *args)"),
    (paramiko.Transport, "_send_user_message", "(self, data)"),
    (paramiko.Transport, "stop_thread", "(self)"),
    (AuthHandler, "_request_auth", "(self)"),
    (AuthHandler, "_parse_service_accept", "(self, m)"),
    (AuthHandler, "_parse_userauth_failure", "(self, m)"),
    (AuthHandler, "auth_publickey", "(self, username, key, event)"),
    (AuthHandler, "wait_for_response", "(self, event)"),
    (paramiko.Channel, "_close_internal", "(self)"),
    (BufferedPipe, "set_event", "(self, event)"),
    (AgentSSH, "_send_message", "(self, msg)"),
    (AgentSSH, "_connect", "(self, conn)"),
]
TABLES = ["_kex_info", "_cipher_info", "_mac_info", "_key_info"]
ATTRIBUTES = {
    paramiko.Transport: [
        "active",
        "sock",
        "initial_kex_done",
        "banner_timeout",
        "handshake_timeout",
        "auth_timeout",
        "auth_handler",
    ],
    AuthHandler: ["banner"],
    paramiko.Channel: [
        "in_buffer",
        "in_stderr_buffer",
        "status_event",
        "remote_chanid",
        "eof_received",
        "closed",
        "transport",
    ],
    paramiko.SSHConfig: ["_config"],
    fabric.Connection: ["client", "transport"],
    paramiko.SSHClient: ["_transport"],
    paramiko.ECDSAKey: ["public_blob"],
    AgentKey: ["name", "comment", "blob"],
}
PUBLIC = {"active", "sock", "banner", "eof_received", "closed", "transport", "client", "name"}
PUBLIC |= {"comment", "blob"}
"""Names that other modules use for things of their own, or that they may read."""

INTERNAL = {name for _, name, _ in METHODS} | set(TABLES).union(*ATTRIBUTES.values())
EXTENSIONS = ROOT / "fleet" / "ssh" / "paramiko_ext"


@pytest.fixture
def made() -> Iterator[dict[type, object]]:
    """Return one object of each class whose attributes are used."""
    ours, theirs = socket.socketpair()
    transport = paramiko.Transport(ours)
    channel = paramiko.Channel(1)
    channel._set_transport(transport)
    channel._set_remote_channel(2, 1 << 20, 1 << 15)
    connection = fabric.Connection("h", user="u", port=22)
    key = paramiko.ECDSAKey.generate()
    yield {
        paramiko.Transport: transport,
        AuthHandler: AuthHandler(transport),
        paramiko.Channel: channel,
        paramiko.SSHConfig: paramiko.SSHConfig(),
        fabric.Connection: connection,
        paramiko.SSHClient: connection.client,
        paramiko.ECDSAKey: key,
        AgentKey: AgentKey(AgentSSH(), key.asbytes(), "a comment"),
    }
    transport.close()
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    ("owner", "name", "signature"), METHODS, ids=[f"{o.__name__}.{n}" for o, n, _ in METHODS]
)
def test_a_method_has_the_signature_that_is_relied_on(
    owner: type, name: str, signature: str
) -> None:
    assert str(inspect.signature(getattr(owner, name))) == signature


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_algorithms_has_names(name: str) -> None:
    table = getattr(paramiko.Transport, name)

    assert len(table) > 4
    assert all(isinstance(algorithm, str) for algorithm in table)


def test_the_attributes_exist(made: dict[type, object]) -> None:
    missing = [
        f"{owner.__name__}.{name}"
        for owner, names in ATTRIBUTES.items()
        for name in names
        if not hasattr(made[owner], name)
    ]

    assert missing == []


def attributes(path: Path) -> list[ast.Attribute]:
    """Return all uses of attributes in a module."""
    return [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]


def of_self(attribute: ast.Attribute) -> bool:
    return isinstance(attribute.value, ast.Name) and attribute.value.id in {"self", "cls"}


def defined(path: Path) -> set[str]:
    """Return the names of a module's own functions and methods, and what it assigns to self."""
    tree = ast.parse(path.read_text())
    stored = {n.attr for n in attributes(path) if of_self(n) and isinstance(n.ctx, ast.Store)}
    return stored | {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


def private_names(path: Path) -> set[str]:
    """Return the private attributes that a module uses and does not define, or has by super()."""
    own = defined(path)
    return {
        n.attr
        for n in attributes(path)
        if re.fullmatch(r"_[a-z]\w*", n.attr)
        if n.attr not in own or isinstance(n.value, ast.Call)
    }


def test_the_extensions_use_what_is_listed_here_and_no_more() -> None:
    modules = sorted(EXTENSIONS.glob("*.py"))
    used = set().union(*(private_names(path) for path in modules))
    named = set().union(*({n.attr for n in attributes(p)} | defined(p) for p in modules))

    assert len(modules) > 5
    assert used - INTERNAL == set()
    assert INTERNAL - named - PUBLIC == set()


def test_no_other_module_of_fleet_uses_them() -> None:
    others = [path for path in ROOT.glob("fleet/**/*.py") if EXTENSIONS not in path.parents]
    uses = [
        f"{path.relative_to(ROOT)}:{n.lineno}: {n.attr}"
        for path in others
        for n in attributes(path)
        if n.attr in INTERNAL - PUBLIC and not of_self(n)
    ]
    private = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in others
        if "ssh" in path.parts
        for name in private_names(path)
    ]

    assert len(others) > 100
    assert (uses, private) == ([], [])


def test_the_releases_that_are_allowed_end_where_the_tests_have_not_been() -> None:
    (limits,) = re.findall(r'"paramiko>=([\d.]+),<(\d+)"', (ROOT / "pyproject.toml").read_text())
    floor, ceiling = tuple(map(int, limits[0].split("."))), int(limits[1])
    installed = tuple(map(int, version("paramiko").split(".")))

    assert floor <= installed < (ceiling,)
