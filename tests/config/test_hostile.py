"""Files that are typed wrongly or hostile: always a mistake with a line, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.config.files import read_text
from fleet.config.inventory.yaml import InventoryReader
from fleet.config.load import load_files
from fleet.config.mirrors.yaml import MirrorsReader
from fleet.core.text.yaml import parse_yaml
from fleet.errors import ConfigErrors


def inventory_mistakes(text: str) -> list[str]:
    reader = InventoryReader("i")
    reader.read(parse_yaml(text, "i"))
    return [str(problem) for problem in reader.reader.problems]


def mirror_mistakes(text: str, folder: Path = Path()) -> list[str]:
    reader = MirrorsReader("m", folder)
    reader.read(parse_yaml(text, "m"))
    return [str(problem) for problem in reader.reader.problems]


def one(endpoint: str) -> str:
    return f"mirrors:\n  quay.io:\n    endpoints:\n      - {endpoint}\n"


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "- " * 200_000])
def test_deep_nesting_is_a_mistake_and_no_crash(text: str) -> None:
    with pytest.raises(ConfigErrors, match="nested too deeply"):
        parse_yaml(text, "x.yaml")


INVENTORY = {
    "a number of 5,000 digits": ("all: {hosts: {n: {port: %s}}}" % ("1" * 5000), "an integer"),
    "a range of 5,000 digits": ("all:\n  hosts:\n    ? 'w[1-%s]'" % ("1" * 5000), "is not a range"),
    "a host for a whole group": (
        "w: {vars: {host: x}, hosts: {a: , b: }}",
        "i:1:18: w.vars: host is for one node",
    ),
    "a range as a host": ("w: {hosts: {a: {host: 'x[1-3]'}}}", "expected a plain word"),
    "nobody at a time": ("w: {vars: {max_unavailable: 0}, hosts: {a: }}", "expected a number"),
    "a swapped letter": ("w: {hosts: {a: {prot: 1}}}", 'did you mean "port"?'),
}


@pytest.mark.parametrize(("text", "expected"), INVENTORY.values(), ids=INVENTORY)
def test_inventory_mistakes(text: str, expected: str) -> None:
    assert expected in "\n".join(inventory_mistakes(text))


@pytest.mark.parametrize(
    "name", ["users", "ports", "ansible_become_exe", "ansible_hostname", "ansible_user_id"]
)
def test_the_words_of_others_are_no_near_misses(name: str) -> None:
    assert inventory_mistakes(f"all: {{hosts: {{n: {{{name}: 1}}}}}}") == []


MIRRORS = {
    "a key where a CA should be": (one("{url: https://a, ca: key}"), "contains no PEM"),
    "a certificate without its key": (
        one("{url: https://a, client: cert}"),
        "contains no PEM private",
    ),
    "a home of nobody": (one("{url: https://a, ca: ~nobody9/x}"), "cannot be read"),
    "a port with a zero in front": (one("https://a:05000"), "is not HOST or HOST:PORT"),
    "a Kelvin sign": (one("https://\u212aey.io"), "is not HOST or HOST:PORT"),
    "an open bracket in a match": (
        one("https://a") + "overrides: [{match: 'w[1-', mirrors: {quay.io: {fallback: never}}}]",
        "m:5:21: overrides[0].match: 'w[1-': unbalanced bracket",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MIRRORS.values(), ids=MIRRORS)
def test_mirror_mistakes(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "cert").write_text("-----BEGIN CERTIFICATE-----\n")

    assert expected in "\n".join(mirror_mistakes(text, tmp_path))


def test_a_registry_that_speaks_plain_http_is_its_own_mirror() -> None:
    """The commonest registries.yaml of k3s and k3d."""
    text = 'mirrors: {"reg.example:5000": {endpoint: ["http://reg.example:5000"]}}'
    (registry,) = MirrorsReader("m", Path()).read(parse_yaml(text, "m")).registries

    assert registry.server == "http://reg.example:5000"
    assert [mirror.url for mirror in registry.mirrors] == ["http://reg.example:5000"]


def test_the_default_port_does_not_part_a_mirror_from_its_credentials() -> None:
    text = (
        one("https://a.example:443")
        + "configs: {'a.example:443': {auth: {username: u, password: p}}}"
    )
    (registry,) = MirrorsReader("m", Path()).read(parse_yaml(text, "m")).registries

    (mirror,) = registry.mirrors
    assert mirror.auth is not None
    assert (mirror.auth.username, str(mirror.auth.password)) == ("u", "p")


AUTHS = {
    "joined": ("{auth: dTpw}", ("u", "p")),
    "parted": ("{username: u, password: p}", ("u", "p")),
    "nothing": ("", None),
    "empty": ('{username: "", password: "", auth: "", identity_token: ""}', None),
}


@pytest.mark.parametrize(("auth", "expected"), AUTHS.values(), ids=AUTHS)
def test_all_forms_of_auth_in_a_registries_yaml(
    auth: str, expected: tuple[str, str] | None
) -> None:
    text = one("https://a.example") + f"configs: {{a.example: {{auth: {auth}}}}}"
    reader = MirrorsReader("m", Path())
    (registry,) = reader.read(parse_yaml(text, "m")).registries

    found = registry.mirrors[0].auth
    assert reader.reader.problems == []
    assert (found and (found.username, str(found.password))) == expected


def test_an_override_for_nobody_is_worth_a_warning(tmp_path: Path) -> None:
    (tmp_path / "i").write_text("edge: {hosts: {a: }}\n")
    text = one("https://a") + "overrides: [{match: egde, mirrors: {quay.io: {fallback: never}}}]\n"
    (tmp_path / "m").write_text(text)

    (warning,) = load_files(tmp_path / "i", tmp_path / "m").warnings

    assert (warning.line, warning.column) == (5, 21)
    assert "'egde' selects no node" in warning.message


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_values_or_mistakes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        root = parse_yaml(read_text(path, "-m"), str(path))
        inventory, mirrors = InventoryReader("i"), MirrorsReader("m", Path())
        nodes, registries = inventory.read(root).nodes, mirrors.read(root).registries
        results = [(nodes, inventory.reader.problems), (registries, mirrors.reader.problems)]
    except ConfigErrors as error:
        results = [((), list(error.problems))]

    assert [bool(values or problems) for values, problems in results] == [True] * len(results)
