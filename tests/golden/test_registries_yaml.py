"""The registries.yaml of k3s and RKE2: what fleet writes into it, and what it keeps.

No k3s or RKE2 runs here: the file is judged by its format, and by the YAML reader of k3s.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fleet.config.load import load_mirrors
from fleet.core.masking import Fingerprints
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.mirror import Foreign
from tests.golden.cases import after, plan_for, text_of, wishes_of
from tests.golden.inputs import MIRRORS
from tests.lab.registries_yaml import k3s_reader

REGISTRIES = "/etc/rancher/k3s/registries.yaml"
TLS = """
mirrors:
  docker.io:
    endpoints: [{url: 'https://h.example:8443', ca: ca.pem, client: [[cert.pem, key.pem]]}]
  '*': {endpoints: [{url: https://w.example/v2/all, override_path: true}]}
configs:
  h.example:8443: {auth: {username: robot, password: env:FLEET_TEST_SECRET}}
  quay.io: {auth: {identity_token: env:FLEET_TEST_SECRET}}
"""


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TEST_SECRET", "s3cret")


@pytest.mark.parametrize("distro", ["k3s", "rke2"])
def test_registries_yaml_says_what_was_meant(distro: str, tmp_path: Path) -> None:
    wishes = wishes_of(TLS, tmp_path / "w")

    plan = plan_for(tmp_path / "a", distro, wishes)

    path = f"/etc/rancher/{distro}/registries.yaml"
    found = yaml.safe_load(text_of(plan, path))
    stem = f"/etc/rancher/{distro}/fleet/h.example_8443"
    assert found["mirrors"] == {
        "docker.io": {"endpoint": ["https://h.example:8443"]},
        "*": {"endpoint": ["https://w.example/v2/all"]},
    }
    assert found["configs"]["h.example:8443"] == {
        "auth": {"username": "robot", "password": "s3cret"},
        "tls": {
            "ca_file": f"{stem}.ca.pem",
            "cert_file": f"{stem}.client.pem",
            "key_file": f"{stem}.client.key.pem",
        },
    }
    modes = {change.path: change.after.mode for change in plan.changes if change.after}
    assert modes[path] == modes[f"{stem}.client.key.pem"] == 0o600
    assert all(not change.path.startswith("/var/lib/rancher") for change in plan.changes)


def test_what_fleet_writes_for_k3s_is_read_back_as_the_same_mirrors(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    text = text_of(plan_for(tmp_path / "a", "k3s", wishes), REGISTRIES)
    (tmp_path / "registries.yaml").write_text(text)

    again, warnings = load_mirrors(tmp_path / "registries.yaml")

    assert warnings == ()
    assert [(each.name, each.mirrors) for each in again.registries] == [
        (each.name, each.mirrors) for each in wishes.registries
    ]


FOREIGN = b"""
mirrors:
  docker.io: {endpoint: ["https://old.example"], rewrite: {"^a": "b"}}
  private.example: {endpoint: ["https://p.example"]}  # theirs
configs:
  p.example: {auth: {username: u, password: p}}
"""


def test_foreign_entries_of_registries_yaml_stay_and_fleets_own_go(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    tree = {REGISTRIES: FOREIGN}

    first = plan_for(tmp_path / "a", "k3s", wishes, tree)
    found = yaml.safe_load(text_of(first, REGISTRIES))

    assert list(found["mirrors"]) == ["docker.io", "private.example", "quay.io"] or set(
        found["mirrors"]
    ) == {"docker.io", "private.example", "quay.io"}
    assert found["mirrors"]["private.example"] == {"endpoint": ["https://p.example"]}
    assert found["mirrors"]["docker.io"]["endpoint"][0] == "https://a.example"
    assert found["configs"]["p.example"]["auth"]["password"] == "p"
    assert any("overwrites" in note for note in first.notes)
    tree = after(tree, first)
    assert plan_for(tmp_path / "b", "k3s", wishes, tree).changes == ()
    fewer = wishes_of("mirrors: {docker.io: {endpoints: [https://a.example]}}", tmp_path / "w")
    second = yaml.safe_load(text_of(plan_for(tmp_path / "c", "k3s", fewer, tree), REGISTRIES))
    assert set(second["mirrors"]) == {"docker.io", "private.example"}


THEIRS = """\
x-ours: &login {username: robot, password: 0123}
mirrors:
  private.example: {endpoint: ["https://p.example"]}  # theirs
configs:
  # kept: every spelling below means something else to another resolver
  p.example: {auth: *login}
  q.example:
    auth: {username: 0x1F, password: 1e3}
    tls: {insecure_skip_verify: yes}
  s.example: {auth: {username: !!str 1_000, password: !!binary aGk=}}
  r.example: {auth: {username: 3.10, password: "\N{GRINNING FACE}"}}
"""


def test_what_others_wrote_into_registries_yaml_keeps_every_byte(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")

    text = text_of(
        plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: THEIRS.encode()}), REGISTRIES
    )

    assert [line for line in text.splitlines() if line not in THEIRS.splitlines()] == [
        line for line in text.splitlines() if "docker.io" in line or "quay.io" in line
        or '"endpoint"' in line or '- "' in line
    ]  # fmt: skip
    assert [line for line in THEIRS.splitlines() if line not in text.splitlines()] == []


def test_k3s_reads_what_others_wrote_as_before(tmp_path: Path) -> None:
    reader = k3s_reader()
    if reader is None:
        pytest.skip("no Go on this machine to build k3s's YAML reader with")
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    plan = plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: THEIRS.encode()})

    found = reader.read(text_of(plan, REGISTRIES))

    assert found.error is None
    assert found.v2["configs"]["p.example"]["auth"]["password"] == "0123"
    assert found.v2["configs"]["q.example"]["tls"] == {"insecure_skip_verify": True}
    assert set(found.v2["mirrors"]) == {"private.example", "docker.io", "quay.io"}


def test_a_login_that_others_wrote_for_a_host_of_fleet_stays(tmp_path: Path) -> None:
    wishes = wishes_of(
        "mirrors: {docker.io: {endpoints: [{url: 'https://h.example', skip_verify: true}]}}",
        tmp_path / "w",
    )
    login = "configs:\n  h.example:\n    auth: {username: u, password: 0123}\n"
    tree = {REGISTRIES: login.encode()}

    first = after(tree, plan_for(tmp_path / "a", "k3s", wishes, tree))
    none = wishes_of("mirrors: {quay.io: {endpoints: [https://q.example]}}", tmp_path / "w")
    second = after(first, plan_for(tmp_path / "b", "k3s", none, first))

    assert 'auth: {username: u, password: 0123}\n    "tls":\n' in first[REGISTRIES].decode()
    assert second[REGISTRIES].decode().startswith(login)
    assert "tls" not in second[REGISTRIES].decode()


def test_keep_and_overwrite_of_registries_yaml(tmp_path: Path) -> None:
    wishes = wishes_of(MIRRORS["plain"], tmp_path / "w")
    tree = {REGISTRIES: FOREIGN}

    kept = plan_for(tmp_path / "a", "k3s", wishes, tree, Foreign.KEEP)
    over = plan_for(tmp_path / "b", "k3s", wishes, tree, Foreign.OVERWRITE)

    assert (kept.failure, kept.changes) == (None, ())
    assert set(yaml.safe_load(text_of(over, REGISTRIES))["mirrors"]) == {"docker.io", "quay.io"}


def test_no_diff_of_registries_yaml_shows_a_secret(tmp_path: Path) -> None:
    wishes = wishes_of(TLS, tmp_path / "w")
    old = b"configs: {a: {auth: {username: u, password: hunter2}}}\n"
    older = b'configs:\n  a:\n    auth:\n      "password": "hunter2"\n      auth: hunter2\n'

    for number, text in enumerate((old, older)):
        plan = plan_for(tmp_path / str(number), "k3s", wishes, {REGISTRIES: text})
        shown = "".join(unified_diff(change, Fingerprints(b"k")) for change in plan.changes)
        assert "***#" in shown
        assert "robot" in shown
        for secret in ("hunter2", "s3cret", "PRIVATE KEY"):
            assert secret not in shown


K3S_REFUSED = {
    "no upstream": ("closed", b"", "--disable-default-registry-endpoint"),
    "a header": ("full", b"", "has a header"),
    "a broken file": ("plain", b"mirrors: [", "not valid YAML"),
    "forms that it does not have": (
        "plain",
        b"mirrors: {}\nconfigs: [a]",
        "does not have the structure",
    ),
    "bytes of no text": ("plain", b"mirrors: {}\n# \xe9\n", "is not UTF-8 (byte 14)"),
    "an alias in the way": ("plain", b"x: &x {a: {}}\nmirrors: *x\n", "mirrors is not a mapping"),
}


@pytest.mark.parametrize(("wish", "text", "words"), K3S_REFUSED.values(), ids=list(K3S_REFUSED))
def test_what_registries_yaml_cannot_say_is_refused(
    wish: str, text: bytes, words: str, tmp_path: Path
) -> None:
    wishes = wishes_of(MIRRORS[wish], tmp_path / "w")
    plan = plan_for(tmp_path / "a", "k3s", wishes, {REGISTRIES: text} if text else None)

    assert plan.failure is not None
    assert words in f"{plan.failure.message}; {plan.failure.remedy}"
    assert plan.changes == ()
