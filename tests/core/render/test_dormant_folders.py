"""Folders that come to life with config_path, and what fails every pull, told before it happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.actions.render import offline_facts
from fleet.core.lint.explain import explain
from fleet.core.lint.hosts_toml import hosts_findings
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.version import ContainerdVersion, parse_version
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig

CERTS = "/etc/containerd/certs.d"
HOST = '[host."https://m.test"]\n'
PEM = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
CONFIG_PATH = f'[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "{CERTS}"\n'
WISHES = (
    Registry(name="docker.io", server="https://docker.io", mirrors=(Mirror(url="https://m.test"),)),
)


def release(text: str) -> ContainerdVersion:
    version = parse_version(text)
    assert version is not None
    return version


def facts_of(
    root: Path, files: dict[str, str], config: str = "", version: str = "1.7.24"
) -> NodeFacts:
    tree = {f"{CERTS}/{path}": text for path, text in files.items()}
    for path, text in {**tree, "/etc/containerd/config.toml": f"version = 2\n{config}"}.items():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return offline_facts(release(version), None, root)


def planned(facts: NodeFacts, foreign: Foreign = Foreign.ADOPT) -> NodePlan:
    return plan_node(Node(name="n", host="h"), facts, DesiredConfig(WISHES, False, foreign))


def codes(findings: tuple[Finding, ...]) -> dict[str, FindingEffect]:
    return {each.code: each.effect for each in findings}


MISSING = {"quay.io/hosts.toml": HOST + '  ca = "/etc/ssl/gone.pem"\n'}
CUT_OFF = {"_default/hosts.toml": f'server = "https://dead.test"\n{HOST}'}


@pytest.mark.parametrize("files", [MISSING, CUT_OFF], ids=["a lost ca", "a server for all"])
def test_what_would_break_other_registries_is_not_brought_to_life(
    files: dict[str, str], tmp_path: Path
) -> None:
    facts = facts_of(tmp_path, files)

    plan = planned(facts)
    kept = planned(facts, Foreign.KEEP)
    over = planned(facts, Foreign.OVERWRITE)

    assert plan.failure is not None
    assert (
        "config_path would activate folders that containerd does not read" in plan.failure.message
    )
    assert next(iter(files)) in plan.failure.message or "gone.pem" in plan.failure.message
    assert plan.changes == ()
    assert FindingEffect.REFUSES in codes(plan.findings).values()
    assert kept.failure is None
    assert set(codes(kept.findings).values()) == {FindingEffect.NOTES}
    assert over.failure is None
    assert FindingEffect.REFUSES not in codes(over.findings).values()
    assert "wakes" not in codes(over.findings)


def test_what_comes_to_life_is_named(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path, {"quay.io/hosts.toml": HOST, "a.test/x.crt": "-----BEGIN CERTIFICATE"}
    )
    (tmp_path / CERTS[1:] / "ghcr.io").mkdir()
    facts = facts_of(tmp_path, {"_default/hosts.toml": HOST, "docker.io/hosts.toml": HOST,
                                "a.test/x.crt": PEM})  # fmt: skip

    plan = planned(facts)

    assert plan.failure is None
    told = [each for each in plan.findings if each.code == "wakes"]
    assert [(each.where, each.effect) for each in told] == [(CERTS, FindingEffect.NOTES)]
    assert told[0].message.endswith(
        "after the change: every registry without a folder (_default), a.test, ghcr.io, quay.io"
    )


FOLDERS = {
    "quay.io": True,
    "quay.io:5000": True,
    "quay.io_5000_": True,
    "Quay.io": True,
    "[2001:db8::1]:5000": True,
    "_default.bak": False,
    "quay.io~": False,
    ".quay.io": False,
    "my_registry": False,
    "lost+found": False,
}


@pytest.mark.parametrize(("name", "asked"), FOLDERS.items())
def test_a_folder_that_no_image_can_name_is_no_reason_to_refuse(
    name: str, asked: bool, tmp_path: Path
) -> None:
    plan = planned(facts_of(tmp_path, {f"{name}/hosts.toml": MISSING["quay.io/hosts.toml"]}))

    assert (plan.failure is not None) is asked
    assert ("fails-every-pull" in codes(plan.findings)) is asked


def test_a_joined_config_path_that_is_not_read_wakes_the_same(tmp_path: Path) -> None:
    joined = CONFIG_PATH.replace(CERTS, f"{CERTS}:/etc/docker/certs.d")

    asleep = planned(facts_of(tmp_path / "a", MISSING, joined, "2.1.9"))
    awake = planned(facts_of(tmp_path / "b", MISSING, joined, "1.7.24"))

    assert asleep.failure is not None
    assert awake.failure is None


def test_what_is_read_already_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, MISSING, CONFIG_PATH)

    plan = planned(facts)

    assert plan.failure is None
    assert codes(plan.findings) == {"fails-every-pull": FindingEffect.NOTES}
    assert plan.findings[0].where == "/etc/ssl/gone.pem"
    assert plan.findings[0].message.endswith("every pull of quay.io fails")
    found = explain(facts, "quay.io")
    assert found.hosts == ()
    assert any("gone.pem" in each and "every pull fails" in each for each in found.findings)


def test_the_registry_that_fleet_writes_is_healed_by_that(tmp_path: Path) -> None:
    plan = planned(facts_of(tmp_path, {"docker.io/hosts.toml": MISSING["quay.io/hosts.toml"]}))

    assert plan.failure is None
    assert "fails-every-pull" not in codes(plan.findings)


READ = {
    "a port that is no number": (f'[host."http://m.test:port"]\n{HOST}', "hosts-refused"),
    "one slash": (f'server = "https:/r.test"\n{HOST}', "hosts-misread"),
    "a table for server": (f"{HOST}[server]\nurl = 'https://r.test'\n", "hosts-refused"),
    "a space in the server": (f'server = "https://a b"\n{HOST}', "hosts-refused"),
    "no host in a host": (f'[host."https://"]\n{HOST}', "hosts-misread"),
    "a header that is a number": (
        f"{HOST}[host.'https://m.test'.header]\nx = 1\n",
        "hosts-refused",
    ),
    "a client of three": (f'{HOST}  client = [["a", "b", "c"]]\n', "hosts-refused"),
    "nothing wrong": (HOST, ""),
}


@pytest.mark.parametrize(("text", "code"), READ.values(), ids=list(READ))
@pytest.mark.parametrize("version", ["1.6.20", "2.3.4"])
def test_a_hosts_toml_is_read_as_containerd_reads_it(version: str, text: str, code: str) -> None:
    found = [each.code for each in hosts_findings("p", text, release(version), FindingEffect.NOTES)]

    assert found == ([code] if code else [])


def test_a_dial_timeout_beside_http_is_tls_to_2_0_alone() -> None:
    text = '[host."http://m.test:5000"]\n  dial_timeout = "3s"\n'

    for version, expected in {"1.7.24": 0, "2.0.11": 1, "2.1.9": 0}.items():
        assert (
            len(list(hosts_findings("p", text, release(version), FindingEffect.NOTES))) == expected
        )


def test_explain_says_who_is_asked_where_a_server_names_no_host(tmp_path: Path) -> None:
    slash = {"r.test/hosts.toml": f'server = "https:/registry.corp.test"\n{HOST}'}
    port = {"p.test/hosts.toml": 'server = "https://p.test"\n[host."http://m.test:port"]\n'}
    facts = facts_of(tmp_path, {**slash, **port}, CONFIG_PATH)

    one, other = explain(facts, "r.test"), explain(facts, "p.test")

    assert [each.url for each in one.hosts] == ["https://m.test", "https://r.test"]
    assert [each.url for each in other.hosts] == ["https://p.test"]
    assert other.hosts[0].where.endswith("is ignored as a whole")


def test_the_first_drop_in_of_k0s_wakes_a_folder_as_well(tmp_path: Path) -> None:
    lost = tmp_path / "etc/k0s/certs.d/quay.io/hosts.toml"
    lost.parent.mkdir(parents=True)
    lost.write_text(MISSING["quay.io/hosts.toml"])
    first = planned(offline_facts(release("1.7.24"), "k0s", tmp_path))
    drop_in = tmp_path / "etc/k0s/containerd.d/fleet.toml"
    drop_in.parent.mkdir()
    drop_in.write_text("version = 2\n")

    later = planned(offline_facts(release("1.7.24"), "k0s", tmp_path))

    assert first.failure is not None
    assert "/etc/ssl/gone.pem" in first.failure.message
    assert later.failure is None
    assert codes(later.findings)["fails-every-pull"] is FindingEffect.NOTES
