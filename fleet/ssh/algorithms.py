"""A mismatch of the SSH algorithms of the node and fleet, with both lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_KINDS = (
    ("KexAlgorithms", "kex_algo_list"),
    ("HostKeyAlgorithms", "server_key_algo_list"),
    ("Ciphers", "client_encrypt_algo_list"),
    ("Ciphers", "server_encrypt_algo_list"),
    ("MACs", "client_mac_algo_list"),
    ("MACs", "server_mac_algo_list"),
)
"""The lists in the order of negotiation, each with its keyword in ssh_config."""


_MARKS = ("ext-info-", "kex-strict-")
"""Prefixes of entries in the list of key exchanges that are not algorithms."""


def algorithm_mismatch(
    ours: Mapping[str, Sequence[str]], theirs: Mapping[str, Sequence[str]]
) -> tuple[str, str] | None:
    """Return the first keyword without a common algorithm, and both of its lists."""
    for keyword, name in _KINDS:
        offered = [
            algorithm for algorithm in theirs.get(name, ()) if not algorithm.startswith(_MARKS)
        ]
        if not set(ours[keyword]) & set(offered):
            lists = f"it has {', '.join(offered) or 'none'}, fleet has {', '.join(ours[keyword])}"
            return keyword, lists
    return None
