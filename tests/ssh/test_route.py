"""The way to a node, as ssh_config and the inventory resolve it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.node import Node
from fleet.ssh.route import Hop, SshSettings, route

CONFIG = """\
Include {folder}/more/*.conf
Compression yes
Host w1 10.0.0.1
    HostName w1.example
    User carol
    IdentityFile ~/.ssh/one
    IdentityFile ~/.ssh/two
    IdentitiesOnly yes
Host inner
    ProxyJump outer
Host outer
    User gate  # of the bastion
    Port 22
Host far
    ProxyJump inner
Host list
    ProxyJump a@one:1,[fd00::2]:2
Host proxied
    ProxyCommand ssh -W %h:%p -l %r gate
Host loop1
    ProxyJump loop2
Host loop2
    ProxyJump loop1
Host quiet
    IdentityAgent none
    UserKnownHostsFile /k1 "/k2"
    HostKeyAlias other
Match user eve
    Port 99
Host *
    Port 2200
"""


def way(tmp_path: Path, host: str, **node: object) -> tuple[Hop, ...]:
    (tmp_path / "more").mkdir(exist_ok=True)
    (tmp_path / "more" / "a.conf").write_text("Host w1\n    AddressFamily inet6\n")
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path))
    settings = SshSettings(str(tmp_path / "config"))
    return route(Node(name="n", host=host, **node), settings)  # type: ignore[arg-type]


def places(hops: tuple[Hop, ...]) -> list[str]:
    return [hop.place for hop in hops]


WAYS = {
    "a host block": ("w1", {}, ["carol@w1.example:2200"]),
    "the inventory wins": ("w1", {"user": "dave", "port": 7}, ["dave@w1.example:7"]),
    "Match sees the inventory's user": ("x", {"user": "eve"}, ["eve@x:99"]),
    "a jump of the inventory": (
        "x",
        {"user": "u", "jump": "outer"},
        ["gate@outer:22", "u@x:2200"],
    ),
    "a jump host has a jump host": (
        "far",
        {"user": "u", "jump": None},
        ["gate@outer:22", "me@inner:2200", "u@far:2200"],
    ),
    "a list, with an IPv6 literal": (
        "list",
        {"user": "u"},
        ["a@one:1", "me@[fd00::2]:2", "u@list:2200"],
    ),
    "jumps of the inventory beat those of ssh_config": (
        "far",
        {"user": "u", "jump": "none"},
        ["u@far:2200"],
    ),
}


@pytest.mark.parametrize(("host", "node", "expected"), WAYS.values(), ids=WAYS)
def test_the_hops_to_a_node(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    node: dict[str, object],
    expected: list[str],
) -> None:
    monkeypatch.setenv("LOGNAME", "me")

    assert places(way(tmp_path, host, **node)) == expected


def test_what_is_said_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")

    (one,) = way(tmp_path, "w1", identity_file="~/mine")
    (quiet,) = way(tmp_path, "quiet")
    (proxied,) = way(tmp_path, "proxied", user="u")

    assert one.identity_files == ("/home/me/mine", "/home/me/.ssh/one", "/home/me/.ssh/two")
    assert (one.explicit_files, one.identities_only, one.agent_socket, one.address_family) == (
        True,
        True,
        "/run/agent",
        "inet6",
    )
    assert quiet.identity_files == tuple(
        f"/home/me/.ssh/id_{k}" for k in ("rsa", "ecdsa", "ed25519")
    )
    assert (quiet.explicit_files, quiet.agent_socket, quiet.known_hosts) == (
        False,
        "",
        ("/k1", "/k2"),
    )
    assert quiet.key_names == ("other",)
    assert proxied.proxy_command == "ssh -W proxied:2200 -l u gate"


NAMES = {
    "a name": (("w1.Example", 22), ("w1.example",)),
    "an odd port": (("w1", 2222), ("[w1]:2222",)),
    "an IPv6 literal, and its canonical form": (
        ("FD00:0::1", 22),
        ("fd00:0::1", "fd00::1"),
    ),
    "a scope and a port": (("fe80::1%eth0", 5), ("[fe80::1%eth0]:5",)),
}


@pytest.mark.parametrize(("place", "expected"), NAMES.values(), ids=NAMES)
def test_the_names_in_known_hosts(place: tuple[str, int], expected: tuple[str, ...]) -> None:
    assert Hop(host=place[0], port=place[1], user="u").key_names == expected


BAD = {
    "jumps in a circle": ("loop1", {}, "leads back to itself"),
    "a jump that is none": ("x", {"jump": "[::1"}, "is not [user@]host[:port]"),
}


@pytest.mark.parametrize(("host", "node", "told"), BAD.values(), ids=BAD)
def test_a_way_that_makes_no_sense_is_told(
    tmp_path: Path, host: str, node: dict[str, object], told: str
) -> None:
    with pytest.raises(NodeError) as caught:
        way(tmp_path, host, **node)

    assert told in str(caught.value)


@pytest.mark.parametrize("port", ["ssh", "0", "65536", "\N{SUPERSCRIPT TWO}", "9" * 5000])
def test_a_port_of_ssh_config_must_be_one(tmp_path: Path, port: str) -> None:
    (tmp_path / "config").write_text(f"Host x\n    Port {port}\n", encoding="utf-8")

    with pytest.raises(NodeError, match=r"^the port of x in ssh_config is not a number from 1 to"):
        route(Node(name="n", host="x"), SshSettings(str(tmp_path / "config")))


def test_a_jump_for_all_hosts_is_none_for_the_jump_host_itself(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\n    ProxyJump gate\n    User u\n    Port 22\n")
    settings = SshSettings(str(tmp_path / "config"))

    hops = route(Node(name="n", host="n"), settings)

    assert places(hops) == ["u@gate:22", "u@n:22"]


def test_a_missing_ssh_config_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="nowhere is not a usable ssh_config"):
        route(Node(name="n", host="n"), SshSettings(str(tmp_path / "nowhere")))


def test_of_thousands_of_blocks_a_look_up_sees_those_that_may_fit(tmp_path: Path) -> None:
    blocks = (f"Host n{n}\n    Port {n + 1}\n" for n in range(3000))
    (tmp_path / "config").write_text("".join(blocks) + "Host n2*\n    User two\n")
    settings = SshSettings(str(tmp_path / "config"))

    (hop,) = route(Node(name="n", host="n2999"), settings)

    assert (hop.port, hop.user) == (3000, "two")
