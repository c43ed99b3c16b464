"""The meaning of plans: effects on registries, whatever the files and their form."""

from __future__ import annotations

import pytest

from fleet.core.masking import Fingerprints
from fleet.core.model.change import Change, ManagedFile
from fleet.core.plan.meaning import Aspect, Effect, plan_meaning

MARK = Fingerprints(b"k" * 32)
QUAY = "/etc/containerd/certs.d/quay.io/hosts.toml"
CONFIG = "/etc/containerd/config.toml"
K3S = "/etc/rancher/k3s/registries.yaml"
A, B, C = "https://a.example", "https://b.example", "https://c.example"


def hosts(*urls: str, server: str = "https://quay.io", **settings: str) -> str:
    """Return a hosts.toml with a line of settings for hosts by the letter of their name."""
    tables = (
        f'[host."{url}"]\ncapabilities = ["pull", "resolve"]\n{settings.get(url[8], "")}\n'
        for url in urls
    )
    return f'server = "{server}"\n' + "".join(tables)


def never(*urls: str) -> str:
    """Return a hosts.toml whose last mirror is the server: upstream is not asked."""
    return hosts(*urls[:-1], server=urls[-1]).replace(
        "\n", '\ncapabilities = ["pull", "resolve"]\n', 1
    )


def change(path: str, before: str | None, after: str | None) -> Change:
    files = (None if text is None else ManagedFile(text.encode()) for text in (before, after))
    return Change(path, *files)


def effect(aspect: Aspect, item: str = "", **values: str) -> Effect:
    return Effect(subject="quay.io", aspect=aspect, item=item, **values)


ONE_REGISTRY = {
    "a new registry": (None, hosts(A, B), [effect(Aspect.REGISTRY, after=f"{A}, {B}")]),
    "a registry that goes": (hosts(A), None, [effect(Aspect.REGISTRY, before=A)]),
    "a mirror first": (hosts(A), hosts(B, A), [effect(Aspect.MIRROR, B, after="first")]),
    "a mirror last": (hosts(A), hosts(A, B), [effect(Aspect.MIRROR, B, after="last")]),
    "a mirror between": (hosts(A, B), hosts(A, C, B), [effect(Aspect.MIRROR, C, after="2 of 3")]),
    "a mirror that goes": (hosts(A, B), hosts(A), [effect(Aspect.MIRROR, B, before="there")]),
    "another order": (
        hosts(A, B), hosts(B, A), [effect(Aspect.ORDER, before=f"{A}, {B}", after=f"{B}, {A}")],
    ),
    "a setting": (
        hosts(A, a='dial_timeout = "3s"'), hosts(A, a='dial_timeout = "5s"'),
        [effect(Aspect.SETTING, "dial_timeout", before="3s", after="5s")],
    ),
    "a setting of one mirror of two": (
        hosts(A, B), hosts(A, B, b="skip_verify = true"),
        [effect(Aspect.SETTING, f"{B} skip_verify", after="true")],
    ),
    "a header is not shown": (
        hosts(A), hosts(A, a='header = {authorization = "Bearer x1"}'),
        [effect(Aspect.SETTING, "header", after="there")],
    ),
    "another upstream": (
        hosts(A), hosts(A, server="https://x.example"),
        [effect(Aspect.SERVER, after="https://x.example")],
    ),
    "no fallback": (
        hosts(A, B), never(A, B), [effect(Aspect.FALLBACK, before="allow", after="never")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "effects"), ONE_REGISTRY.values(), ids=ONE_REGISTRY)
def test_a_changed_hosts_toml_has_effects(
    before: str | None, after: str | None, effects: list[Effect]
) -> None:
    assert list(plan_meaning([change(QUAY, before, after)], MARK)) == effects


def legacy(url: str, login: str = "") -> str:
    table = '[plugins."io.containerd.grpc.v1.cri".registry'
    auth = f'{table}.configs."h.example".auth]\npassword = "{login}"\n' if login else ""
    return f'version = 2\n{table}.mirrors."quay.io"]\nendpoint = ["{url}"]\n{auth}'


def test_a_setting_that_moves_to_another_file_has_no_effect() -> None:
    path = '[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/c"\n'
    changes = [
        change(CONFIG, legacy(A), f"version = 2\n{path}"), change(QUAY, None, hosts(A)),
    ]  # fmt: skip

    assert plan_meaning(changes, MARK) == (
        Effect(subject=CONFIG, aspect=Aspect.CONFIG_PATH, after="/etc/c"),
    )


def test_a_login_is_never_shown() -> None:
    (found,) = plan_meaning([change(CONFIG, legacy(A, "one"), legacy(A, "two"))], MARK)

    assert found == Effect(subject="h.example", aspect=Aspect.LOGIN, before="there", after="there")


def test_a_registries_yaml_has_the_same_effects() -> None:
    text = "mirrors: {{quay.io: {{endpoint: [{}]}}}}\n"

    found = plan_meaning([change(K3S, text.format(A), text.format(f"{B}, {A}"))], MARK)

    assert found == (effect(Aspect.MIRROR, B, after="first"),)


def test_a_certificate_belongs_to_its_registry() -> None:
    path = "/etc/containerd/certs.d/r.example_5000_/m.example.0.ca.pem"

    assert plan_meaning([change(path, "a", "b")], MARK) == (
        Effect(
            subject="r.example:5000", aspect=Aspect.CERTIFICATE, item="m.example.0.ca.pem",
            before="there", after="there",
        ),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["[[[", "\0", "a = 1", "# other words\n" + hosts(A)])
def test_a_file_without_another_effect_is_named(text: str) -> None:
    path = QUAY if "server" in text else CONFIG
    before = hosts(A) if path == QUAY else "x = 1"

    assert plan_meaning([change(path, before, text)], MARK) == (
        Effect(subject=path, aspect=Aspect.FILE, before="there", after="there"),
    )


def test_a_new_secret_in_a_url_is_seen_as_a_change_and_not_shown() -> None:
    old, new = (f"https://robot:{secret}@mirror.example" for secret in ("hunter2Zq", "hunter3Zq"))

    found = plan_meaning([change(QUAY, hosts(old), hosts(new))], MARK)

    assert [effect.aspect for effect in found] == [Aspect.MIRROR, Aspect.MIRROR]
    assert "mirror.example" in str(found)
    assert "hunter" not in str(found)


@pytest.mark.parametrize(
    "url", ["https://u:hun?ter2@a.example", "https://a.example/x?key=hun@ter2"]
)
def test_an_ambiguous_url_is_not_shown(url: str) -> None:
    found = str(plan_meaning([change(QUAY, hosts(A), hosts(A, url))], MARK))

    assert "***" in found
    assert "hun" not in found
    assert "ter2" not in found
