"""The values of a node's keys: what each key accepts and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.config.inventory.keys import KEYS
from fleet.config.reader import Reader
from fleet.core.model.node import ClusterSettings
from tests.support.values import parsed


def read(key: str, text: str) -> tuple[Any, list[str]]:
    """Return the value of one key, and the messages about it."""
    reader = Reader("i")
    found = KEYS[key].read(reader, parsed(text), key)
    return found, [problem.message for problem in reader.problems]


ACCEPTED = {
    "a Chinese site": ("site", "\u5317\u4eac\u673a\u623f-1", "\u5317\u4eac\u673a\u623f-1"),
    "a Hindi site": ("site", "\u092e\u0941\u0902\u092c\u0908", "\u092e\u0941\u0902\u092c\u0908"),
    "a composed site": ("site", '"Zu\\u0308rich"', "Z\u00fcrich"),
    "a name": ("host", "w1.example.net", "w1.example.net"),
    "an address": ("host", "10.0.0.1", "10.0.0.1"),
    "an IPv6 address": ("host", '"2001:db8::1"', "2001:db8::1"),
    "one in brackets": ("host", '"[2001:db8::1]"', "2001:db8::1"),
    "one with a zone": ("host", '"fe80::1%eth0"', "fe80::1%eth0"),
    "the first port": ("port", "1", 1),
    "the last port": ("port", "65535", 65535),
    "a user": ("user", "ops", "ops"),
    "a user of a domain": ("user", "ops@example.net", "ops@example.net"),
    "a key": ("identity_file", "~/.ssh/a key", "~/.ssh/a key"),
    "a jump": ("jump", "ops@bastion:2222,other", "ops@bastion:2222,other"),
    "a number as a site": ("site", "12", "12"),
    "sudo": ("become", "yes", True),
    "one at a time": ("max_unavailable", "1", "1"),
    "all at a time": ("max_unavailable", "100%", "100%"),
    "a share": ("max_unavailable", "25%", "25%"),
    "the lowest order": ("order", "-1000000", -1_000_000),
    "the highest order": ("order", "1000000", 1_000_000),
    "a config": ("containerd_config", "/etc/containerd/config.toml", "/etc/containerd/config.toml"),
    "a socket": ("containerd_socket", "/run/k3s/c.sock", "/run/k3s/c.sock"),
    "a context": ("kubernetes", "prod", ClusterSettings(context="prod")),
    "a cluster": (
        "kubernetes",
        "{kubeconfig: k/admin.conf, context: prod}",
        ClusterSettings("k/admin.conf", "prod"),
    ),
    "a kubeconfig at home": ("kubernetes", "{kubeconfig: ~/k}", ClusterSettings("~/k")),
    "the present cluster": ("kubernetes", "{}", ClusterSettings()),
    "a Node object": ("kubernetes_node", "w1.example.net", "w1.example.net"),
    "a unit": ("containerd_service", "snap.microk8s.daemon@1", "snap.microk8s.daemon@1"),
}


@pytest.mark.parametrize(("key", "text", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_valid_value_is_returned(key: str, text: str, expected: Any) -> None:
    assert read(key, text) == (expected, [])


WORD = "a plain word without spaces or shell characters"
SITE = "letters, digits, '.', '-' and '_', in any script"

REFUSED = {
    "an option": ("host", "-oProxyCommand=x", WORD),
    "a command": ("host", "$(id)", WORD),
    "a user before a host": ("host", "ops@w1", WORD),
    "an open bracket": ("host", '"[::1"', WORD),
    "an empty host": ("host", '""', WORD),
    "a user with a space": ("user", "a b", WORD),
    "a user that is an option": ("user", "-l", WORD),
    "a jump through a command": ("jump", "a;id", WORD),
    "a site that is too long": ("site", "a" * 514, SITE),
    "a site with a space": ("site", '"\u5317\u4eac \u673a\u623f"', SITE),
    "a site that turns the direction": ("site", '"a\\u202eb"', SITE),
    "a site that a shell reads": ("site", "\u5317$(id)", SITE),
    "a site that is a path": ("site", "../\u5317", SITE),
    "a site that is an option": ("site", "-\u5317", SITE),
    "a site of a filler": ("site", '"\\u3164"', SITE),
    "a site in full width": ("site", "\uff21", SITE),
    "a site that begins with a mark": ("site", '"\\u0301a"', SITE),
    "a site with a line separator": ("site", '"a\\u2028b"', SITE),
    "nothing at a time": ("max_unavailable", "0", "a number or a percentage"),
    "more than all": ("max_unavailable", "101%", "a number or a percentage"),
    "a share of nothing": ("max_unavailable", "0%", "a number or a percentage"),
    "a part of a percent": ("max_unavailable", "2.5%", "a number or a percentage"),
    "a relative path": ("containerd_config", "etc/c.toml", "an absolute path on the node"),
    "a path with a space": ("containerd_config", "/etc/a b", "an absolute path on the node"),
    "a unit that is an option": ("containerd_service", "-x", "the name of a systemd unit"),
    "a unit with a slash": ("containerd_service", "a/b", "the name of a systemd unit"),
}


@pytest.mark.parametrize(("key", "text", "what"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_value_is_none_and_a_problem(key: str, text: str, what: str) -> None:
    found, (message,) = read(key, text)

    assert found is None
    assert message.startswith(f"{key}: expected {what}")


@pytest.mark.parametrize(
    ("key", "text", "limits"),
    [
        ("port", "0", "1 to 65535"),
        ("port", "65536", "1 to 65535"),
        ("order", "1000001", "-1000000 to 1000000"),
        ("order", "-1000001", "-1000000 to 1000000"),
    ],
)
def test_a_number_beyond_its_limits_is_refused(key: str, text: str, limits: str) -> None:
    assert read(key, text) == (None, [f"{key}: expected {limits}, got {text}"])


def test_a_path_with_control_characters_is_refused_without_showing_them() -> None:
    found, messages = read("identity_file", '"a\\e[2Jb"')

    assert (found, messages) == (
        None,
        ["identity_file: expected text without control characters"],
    )
