"""The settings that registries.yaml of k3s and RKE2 cannot express."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.mirror import Auth, ClientPair, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.registries_limits import (
    broken_rewrites,
    refuse_fallback,
    refuse_unwritable,
)
from tests.support.build import facts_with, owned_by, registry

FACTS = owned_by(facts_with({}), "k3s", no_upstream=True)


def hosts(*settings: dict[str, Any], url: str = "https://m.test") -> list[Registry]:
    """Return registries that have the same mirror, each with settings of its own."""
    mirrors = (Mirror(url=url, **values) for values in settings)
    return [
        registry(name, mirrors=(mirror,))
        for name, mirror in zip(("docker.io", "quay.io"), mirrors, strict=False)
    ]


REWRITES = {
    "a backslash in the pattern": (("^a\\.b", "c"),),
    "a quote in the pattern": (('^a"', "c"),),
    "a backslash in the result": (("a", "\\1"),),
    "a line end": (("a", "b\nc"),),
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_a_rewrite_that_k3s_would_not_escape_is_refused(rewrite: Any) -> None:
    item = registry("quay.io", "https://m.test", rewrite=rewrite)

    with pytest.raises(NodeError, match=r"a rewrite of quay\.io has a backslash") as raised:
        refuse_unwritable([item], FACTS)

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED


PAIR = (ClientPair(b"c", b"k"),)
OTHER = (ClientPair(b"d", b"k"),)
LOGIN = Auth("u", Secret("p"))
TWO = {
    "two CAs": (({"ca": (b"1",)}, {"ca": (b"2",)}), "ca"),
    "two client certificates": (({"client": PAIR}, {"client": OTHER}), "client"),
    "two logins": (({"auth": LOGIN}, {"auth": Auth("v", Secret("p"))}), "its login"),
    "a check and none": (({"skip_verify": True}, {}), "skip_verify"),
}


@pytest.mark.parametrize(("settings", "name"), TWO.values(), ids=TWO)
def test_a_host_with_two_values_of_a_setting_is_refused(
    settings: tuple[dict[str, Any], ...], name: str
) -> None:
    with pytest.raises(NodeError, match=f"m.test has two different values of {name}"):
        refuse_unwritable(hosts(*settings), FACTS)


ONE = {
    "the same CA twice": ({"ca": (b"1",)}, {"ca": (b"1",)}),
    "a CA and none": ({"ca": (b"1",)}, {}),
    "a login and none": ({"auth": LOGIN}, {}),
    "a rewrite that needs no escapes": ({}, {}),
}


@pytest.mark.parametrize("settings", ONE.values(), ids=ONE)
def test_a_host_with_one_value_of_a_setting_is_not_refused(
    settings: tuple[dict[str, Any], ...],
) -> None:
    items = hosts(*settings)
    rewritten = registry("gcr.io", "https://m.test", rewrite=(("^x/(.*)", "y/$1"),))

    refuse_unwritable([*items, rewritten], FACTS)


def test_no_fallback_is_refused_for_a_registry_in_configs() -> None:
    items = [registry("quay.io", "https://m.test", fallback=False)]

    refuse_fallback(items, {"configs": {"m.test": {}}}, FACTS)
    with pytest.raises(NodeError, match=r"fallback: never for quay\.io, which is in configs"):
        refuse_fallback(items, {"configs": {"quay.io": {}}}, FACTS)
    refuse_fallback([registry("quay.io", "https://m.test")], {"configs": {"quay.io": {}}}, FACTS)


def test_broken_rewrites_of_others_are_named() -> None:
    data = {"mirrors": {"a": {"rewrite": {"\\d": "x"}}, "b": {"rewrite": {"d": "x"}}, "c": {}}}

    assert list(broken_rewrites(data)) == ["a"]
