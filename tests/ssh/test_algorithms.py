"""Two sides that have no algorithm in common: both lists are told, of the first that differs."""

from __future__ import annotations

import pytest

from fleet.ssh.algorithms import algorithm_mismatch

OURS = {
    "KexAlgorithms": ("a", "b"),
    "HostKeyAlgorithms": ("h",),
    "Ciphers": ("c",),
    "MACs": ("m",),
}
THEIRS = {
    "kex_algo_list": ["b", "kex-strict-s-v00@openssh.com"],
    "server_key_algo_list": ["h"],
    "client_encrypt_algo_list": ["c"],
    "server_encrypt_algo_list": ["c"],
    "client_mac_algo_list": ["m"],
    "server_mac_algo_list": ["m"],
}
DIFFERENT = {
    "nothing": ({}, None),
    "key exchange": (
        {"kex_algo_list": ["x", "ext-info-s"]},
        ("KexAlgorithms", "it has x, fleet has a, b"),
    ),
    "host keys": ({"server_key_algo_list": []}, ("HostKeyAlgorithms", "it has none, fleet has h")),
    "one way's ciphers": (
        {"server_encrypt_algo_list": ["x"]},
        ("Ciphers", "it has x, fleet has c"),
    ),
    "the first of several": (
        {"client_mac_algo_list": ["x"], "client_encrypt_algo_list": ["y"]},
        ("Ciphers", "it has y, fleet has c"),
    ),
}


@pytest.mark.parametrize(("other", "told"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_first_list_with_nothing_in_common_is_told(
    other: dict[str, list[str]], told: tuple[str, str] | None
) -> None:
    assert algorithm_mismatch(OURS, {**THEIRS, **other}) == told
