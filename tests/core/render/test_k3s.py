"""The strategy for k3s and RKE2: registries.yaml."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Auth, ClientPair, Foreign, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.k3s import K3s
from tests.support.build import facts_with, owned_by, owning, registry

PATH = "/etc/rancher/k3s/registries.yaml"
LOGIN = Mirror(url="https://m.test:5000", auth=Auth("robot", Secret("hunter2")))
HUB = registry("docker.io", "https://m.test")


def node(text: str | None = None, *, no_upstream: bool = False) -> NodeFacts:
    files = {} if text is None else {PATH: text}
    return owned_by(facts_with(files), "k3s", no_upstream=no_upstream)


def render(
    *registries: Registry, facts: NodeFacts | None = None, foreign: Foreign = Foreign.ADOPT
) -> DesiredFiles:
    return K3s().render(facts or node(), DesiredConfig(registries, False, foreign))


def body(desired: DesiredFiles, path: str = PATH) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(desired.files[path].content)
    return loaded


def test_a_new_file_has_the_header_of_fleet() -> None:
    desired = render(HUB)

    assert desired.files[PATH].content.startswith(b"# Managed by fleet: ")
    assert body(desired) == {"mirrors": {"docker.io": {"endpoint": ["https://m.test"]}}}
    assert desired.hosts_directory is None


def test_rke2_has_a_folder_of_its_own() -> None:
    desired = render(HUB, facts=owned_by(facts_with({}), "rke2"))

    assert list(desired.files) == ["/etc/rancher/rke2/registries.yaml"]


ENDPOINTS = {
    "the registry itself is implied": (registry("quay.io", "https://a"), False, ["https://a"]),
    "another server comes last": (
        registry("quay.io", "https://a", server="https://q"),
        False,
        ["https://a", "https://q"],
    ),
    "the registry, where k3s has no fallback": (
        registry("quay.io", "https://a"),
        True,
        ["https://a", "https://quay.io"],
    ),
    "no fallback wanted": (registry("quay.io", "https://a", fallback=False), True, ["https://a"]),
    "an endpoint twice": (registry("quay.io", "https://a", "https://a"), False, ["https://a"]),
    "a server that is a mirror too": (
        registry("quay.io", "https://q", server="https://q"),
        False,
        ["https://q"],
    ),
}


@pytest.mark.parametrize(("item", "no_upstream", "urls"), ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_the_endpoints_of_a_registry(item: Registry, no_upstream: bool, urls: list[str]) -> None:
    desired = render(item, facts=node(no_upstream=no_upstream))

    assert body(desired)["mirrors"] == {"quay.io": {"endpoint": urls}}


def test_the_wildcard_is_a_star_with_a_note() -> None:
    desired = render(registry("_default", "https://a"))

    assert list(body(desired)["mirrors"]) == ["*"]
    assert any("lost that fallback" in note for note in desired.notes)


def test_a_rewrite_is_part_of_its_mirror() -> None:
    desired = render(registry("quay.io", "https://a", rewrite=(("^x/(.*)", "y/$1"),)))

    assert body(desired)["mirrors"]["quay.io"]["rewrite"] == {"^x/(.*)": "y/$1"}


def test_a_login_makes_the_file_private() -> None:
    desired = render(registry("quay.io", mirrors=(LOGIN,)))

    assert body(desired)["configs"] == {
        "m.test:5000": {"auth": {"username": "robot", "password": "hunter2"}}
    }
    assert (desired.files[PATH].mode, desired.files[PATH].secret) == (0o600, True)


def test_an_identity_token_has_the_name_that_k3s_reads() -> None:
    token = replace(LOGIN, auth=Auth("robot", Secret("x"), Secret("t0ken")))

    assert body(render(registry("quay.io", mirrors=(token,))))["configs"] == {
        "m.test:5000": {"auth": {"identity_token": "t0ken"}}
    }


def test_tls_settings_name_files_of_fleet() -> None:
    """Only the first client certificate is used: there is room for one."""
    mirror = Mirror(
        url="https://m.test:5000",
        skip_verify=True,
        ca=(b"one\n", b"two\n"),
        client=(ClientPair(b"cert", b"key"), ClientPair(b"second", b"second")),
    )

    desired = render(registry("quay.io", mirrors=(mirror,)))

    stem = "/etc/rancher/k3s/fleet/m.test_5000"
    assert body(desired)["configs"]["m.test:5000"]["tls"] == {
        "ca_file": f"{stem}.ca.pem",
        "cert_file": f"{stem}.client.pem",
        "key_file": f"{stem}.client.key.pem",
        "insecure_skip_verify": True,
    }
    assert {
        path: (file.content, file.mode) for path, file in desired.files.items() if path != PATH
    } == {
        f"{stem}.ca.pem": (b"one\ntwo\n", 0o644),
        f"{stem}.client.pem": (b"cert", 0o644),
        f"{stem}.client.key.pem": (b"key", 0o600),
    }


def test_the_entries_that_fleet_owns_are_named() -> None:
    desired = render(registry("quay.io", mirrors=(LOGIN,)))

    assert desired.legacy == ('mirrors."quay.io"', 'configs."m.test:5000".auth')


THEIRS = "# ours\nmirrors:\n  gcr.io: {endpoint: [https://g]} # keep\n"


def test_entries_of_others_stay_with_their_comments() -> None:
    desired = render(HUB, facts=node(THEIRS))

    assert desired.files[PATH].content.startswith(THEIRS.encode())
    assert set(body(desired)["mirrors"]) == {"gcr.io", "docker.io"}


def test_overwrite_leaves_no_entry_of_others() -> None:
    desired = render(HUB, facts=node(THEIRS), foreign=Foreign.OVERWRITE)

    assert list(body(desired)["mirrors"]) == ["docker.io"]


def test_keep_leaves_a_file_of_others() -> None:
    desired = render(HUB, facts=node(THEIRS), foreign=Foreign.KEEP)

    assert desired.files == {}
    assert desired.notes == (f"keeps {PATH}, which differs from what fleet wrote",)


OWNED_LOGIN = "configs:\n  h:\n    auth: {username: u}\n    tls: {ca_file: /a}\n"
GONE = {
    "a mirror": ("mirrors:\n  gcr.io: {endpoint: [https://g]}\n", 'mirrors."gcr.io"', {}),
    "a login": (OWNED_LOGIN, "configs.h.auth", {"h": {"tls": {"ca_file": "/a"}}}),
    "a host, as releases before owned it": (OWNED_LOGIN, "configs.h", {}),
}


@pytest.mark.parametrize(("text", "name", "configs"), GONE.values(), ids=list(GONE))
def test_an_entry_of_fleet_that_is_not_wanted_any_more_is_removed(
    text: str, name: str, configs: dict[str, Any]
) -> None:
    desired = render(HUB, facts=owning(node(text), PATH, legacy=(name,)))

    assert list(body(desired)["mirrors"]) == ["docker.io"]
    assert body(desired).get("configs", {}) == configs


def test_a_file_that_is_as_wanted_is_left_as_it_is() -> None:
    text = render(HUB).files[PATH].content.decode()
    facts = node(text)

    assert render(HUB, facts=facts).files[PATH] is facts.files[PATH]


REFUSED = {
    "fallback: never": (registry("quay.io", fallback=False), "fallback: never for quay.io"),
    "a header": (
        registry("quay.io", mirrors=(Mirror(url="https://m", header=(("X", (Secret("h"),)),)),)),
        "https://m has a header",
    ),
    "capabilities": (
        registry("quay.io", mirrors=(Mirror(url="https://m", capabilities=("pull",)),)),
        "https://m has capabilities other than pull and resolve",
    ),
    "override_path without a path": (
        registry("quay.io", mirrors=(Mirror(url="https://m", override_path=True),)),
        "https://m has override_path but no path",
    ),
}


@pytest.mark.parametrize(("item", "words"), REFUSED.values(), ids=list(REFUSED))
def test_what_registries_yaml_cannot_express_is_refused(item: Registry, words: str) -> None:
    with pytest.raises(NodeError, match=words) as raised:
        render(item)

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED


BROKEN = {
    "no YAML": "mirrors: [\n",
    "a list": "- a\n",
    "mirrors as a list": "mirrors: [a]\n",
    "a key twice": "mirrors: {}\nmirrors: {}\n",
    "endpoints as a text": "mirrors:\n  gcr.io: {endpoint: https://g}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_file_with_which_k3s_does_not_start_is_refused(text: str) -> None:
    with pytest.raises(NodeError, match=r"registries\.yaml") as raised:
        render(HUB, facts=node(text))

    assert raised.value.failure.kind is FailureKind.CONFLICT


def test_a_file_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(NodeError, match=r"is not UTF-8 \(byte 2\)"):
        render(HUB, facts=node("# \udcff\n"))


def test_a_broken_entry_that_is_replaced_is_not_refused() -> None:
    desired = render(HUB, facts=node("mirrors:\n  docker.io: {endpoint: https://g}\n"))

    assert body(desired)["mirrors"]["docker.io"] == {"endpoint": ["https://m.test"]}


def test_keys_that_k3s_does_not_read_are_noted() -> None:
    desired = render(HUB, facts=node("mirrors: {}\nmirror: {}\n"))

    assert [(finding.code, finding.where) for finding in desired.findings] == [
        ("unread-keys", PATH)
    ]


@pytest.mark.parametrize("name", ["config.toml.tmpl", "config-v3.toml.tmpl"])
def test_a_template_of_the_user_is_noted(name: str) -> None:
    path = f"/var/lib/rancher/k3s/agent/etc/containerd/{name}"

    desired = render(HUB, facts=owned_by(facts_with({path: ""}), "k3s"))

    assert [(finding.code, finding.where) for finding in desired.findings] == [
        ("user-template", path)
    ]


def test_a_dial_timeout_is_left_out_with_a_note() -> None:
    item = registry("quay.io", mirrors=(Mirror(url="https://m", dial_timeout="1s"),))

    assert "registries.yaml has no dial_timeout, so this node ignores it" in render(item).notes


def test_a_rewrite_of_others_that_k3s_breaks_is_noted() -> None:
    theirs = "mirrors:\n  gcr.io: {endpoint: [https://g], rewrite: {'\\\\d': x}}\n"

    desired = render(HUB, facts=node(theirs))

    assert [(finding.code, finding.where) for finding in desired.findings] == [
        ("broken-rewrite", PATH)
    ]


def test_no_fallback_beside_configs_of_others_is_refused() -> None:
    theirs = "configs: {quay.io: {auth: {username: u}}}\n"
    item = registry("quay.io", "https://a", fallback=False)

    with pytest.raises(NodeError, match="which is in configs as well"):
        render(item, facts=node(theirs, no_upstream=True))
