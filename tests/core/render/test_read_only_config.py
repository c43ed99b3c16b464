"""A config below a read-only /usr: its copy, and the unit that names the copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.render.read_only_config import OWN_CONFIG, moved_config
from tests.support.build import facts_with

SHIPPED = "/usr/share/containerd/config.toml"
DROP_IN = "/etc/systemd/system/containerd.service.d/zz-fleet.conf"


def node(*arguments: str, files: Mapping[str, str] | None = None) -> NodeFacts:
    facts = facts_with({SHIPPED: "version = 2\n"} if files is None else files)
    return replace(
        facts,
        config=replace(facts.config, path=SHIPPED),
        daemon=replace(facts.daemon, arguments=arguments),
    )


LINES = {
    "apart": (
        ("/usr/bin/containerd", "--config", SHIPPED, "-l", "debug"),
        f"/usr/bin/containerd --config {OWN_CONFIG} -l debug",
    ),
    "joined": (
        ("/usr/bin/containerd", f"--config={SHIPPED}"),
        f"/usr/bin/containerd --config={OWN_CONFIG}",
    ),
}


@pytest.mark.parametrize(("arguments", "line"), LINES.values(), ids=list(LINES))
def test_the_unit_is_started_with_the_copy(arguments: tuple[str, ...], line: str) -> None:
    files = moved_config(node(*arguments), b"new", secret=False)

    assert set(files) == {OWN_CONFIG, DROP_IN}
    assert files[OWN_CONFIG].content == b"new"
    assert files[DROP_IN].content.decode() == (
        f"# Managed by fleet: {SHIPPED} is read-only, its copy is not.\n"
        f"[Service]\nExecStart=\nExecStart={line}\n"
    )


def test_the_drop_in_is_that_of_the_nodes_own_unit() -> None:
    facts = node("/usr/bin/containerd", "--config", SHIPPED)
    facts = replace(facts, daemon=replace(facts.daemon, unit_name="mine"))

    assert "/etc/systemd/system/mine.service.d/zz-fleet.conf" in moved_config(
        facts, b"", secret=False
    )


@pytest.mark.parametrize(("secret", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_copy_with_credentials_is_private(secret: bool, mode: int) -> None:
    facts = node("/usr/bin/containerd", "--config", SHIPPED)

    assert moved_config(facts, b"", secret=secret)[OWN_CONFIG].mode == mode


REFUSED = {
    "the shipped file is not there": (
        ("containerd", "-c", SHIPPED),
        {},
        "is below /usr and missing",
    ),
    "the copy is there already": (
        ("containerd", "-c", SHIPPED),
        {SHIPPED: "", OWN_CONFIG: ""},
        f"{OWN_CONFIG} exists",
    ),
    "no command line": ((), None, "fleet does not write into a unit"),
    "a space in an argument": (
        ("containerd", "-c", SHIPPED, "a b"),
        None,
        "fleet does not write into a unit",
    ),
    "a percent sign in an argument": (
        ("containerd", "-c", SHIPPED, "%h"),
        None,
        "fleet does not write into a unit",
    ),
}


@pytest.mark.parametrize(("arguments", "files", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_unit_that_cannot_be_pointed_to_a_copy_is_refused(
    arguments: tuple[str, ...], files: Mapping[str, str] | None, words: str
) -> None:
    with pytest.raises(NodeError, match=words):
        moved_config(node(*arguments, files=files), b"", secret=False)
