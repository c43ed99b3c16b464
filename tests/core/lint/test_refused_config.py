"""Valid TOML that a release refuses: forms, names of plugins, brackets and dotted keys."""

from __future__ import annotations

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.imports import config_view
from fleet.core.lint.refused_config import unreadable
from fleet.core.model.finding import Finding, FindingEffect
from tests.support.build import CONFIG, facts_with, release

CRI = f'[plugins."{CRI_1}".registry]\n'


def findings(version: str, text: str) -> list[Finding]:
    facts = facts_with({CONFIG: text}, version)
    return [*unreadable(config_view(facts, release(version), ""))]


FORMS = {
    "a config path": ('config_path = "/a"', True),
    "a number": ("config_path = 5", False),
    "a list": ("config_path = ['/a']", False),
    "no mirrors": ("mirrors = {}", True),
    "mirrors as a list": ("mirrors = []", False),
    "a mirror": ("mirrors.r.endpoint = ['https://m']", True),
    "a mirror as a text": ("mirrors.r = 'https://m'", False),
    "an endpoint as a text": ("mirrors.r.endpoint = 'https://m'", False),
    "an endpoint of numbers": ("mirrors.r.endpoint = [1]", False),
    "a mirror without endpoints": ("mirrors.r = {}", True),
    "configs": ("configs.h.auth.username = 'u'", True),
    "configs as a number": ("configs = 1", False),
    "a host as a number": ("configs.h = 1", False),
}


@pytest.mark.parametrize("version", ["1.7.24", "2.1.9"])
@pytest.mark.parametrize(("setting", "fine"), FORMS.values(), ids=list(FORMS))
def test_a_registry_setting_of_the_wrong_type_is_refused(
    version: str, setting: str, fine: bool
) -> None:
    found = findings(version, f"version = 2\n{CRI}{setting}\n")

    assert (found == []) is fine


def test_a_wrong_type_is_found_at_its_line() -> None:
    (finding,) = findings("1.7.24", f"version = 2\n{CRI}mirrors.r.endpoint = 'https://m'\n")

    assert (finding.code, finding.effect) == ("refused-config", FindingEffect.REFUSES)
    assert finding.where == f"{CONFIG}:3"
    assert finding.message == (
        f'plugins."{CRI_1}".registry.mirrors.r has a type that containerd refuses'
    )


def test_a_registry_that_is_not_a_table_is_refused() -> None:
    (finding,) = findings("1.7.24", f'version = 2\n[plugins."{CRI_1}"]\nregistry = 5\n')

    assert finding.message == f'plugins."{CRI_1}".registry has a type that containerd refuses'


def test_a_table_that_is_not_read_may_have_any_form() -> None:
    assert findings("1.7.24", f'version = 2\n[plugins."{IMAGES}".registry]\nmirrors = 5\n') == []


BRACKETS = '[host."http://[fd00::1]:5000"]\n'


@pytest.mark.parametrize(
    ("version", "fine"), [("1.4.13", True), ("1.5.0", False), ("1.7.24", False), ("2.0.0", True)]
)
def test_brackets_in_the_name_of_a_table(version: str, fine: bool) -> None:
    assert (findings(version, f"version = 2\n{BRACKETS}") == []) is fine


def test_brackets_in_a_key_are_read() -> None:
    assert findings("1.7.24", "version = 2\n[a]\n'x]' = 1\n") == []


@pytest.mark.parametrize(("version", "fine"), [("1.4.13", False), ("1.5.0", True)])
@pytest.mark.parametrize("text", ["a.b = 1\n", "[a]\nb.c = 1\n"], ids=["root", "table"])
def test_dotted_keys(version: str, fine: bool, text: str) -> None:
    assert (findings(version, f"version = 2\n{text}") == []) is fine


def test_a_key_of_a_dotted_header_is_not_dotted() -> None:
    assert findings("1.4.13", "version = 2\n[a.b]\nc = 1\n[[d.e]]\nf = 1\n") == []


NAMES = {
    "a full name": ("1.7.24", f'version = 2\n[plugins."{CRI_1}"]\n', True),
    "a short name": ("1.7.24", "version = 2\n[plugins.cri]\n", False),
    "a short name without a version": ("1.7.24", "[plugins.cri]\n", True),
    "a short name in version 1": ("1.7.24", "version = 1\n[plugins.cri]\n", True),
    "a short name on 2.x": ("2.1.9", "version = 2\n[plugins.cri]\n", True),
    "a disabled short name": ("1.7.24", 'version = 2\ndisabled_plugins = ["cri"]\n', False),
    "a disabled short name on 2.x": ("2.1.9", 'version = 2\ndisabled_plugins = ["cri"]\n', False),
    "a required short name": ("2.1.9", 'version = 2\nrequired_plugins = ["cri"]\n', False),
    "a disabled full name": ("2.1.9", f'version = 2\ndisabled_plugins = ["{CRI_1}"]\n', True),
    "a disabled short name without a version": ("1.7.24", 'disabled_plugins = ["cri"]\n', True),
    "a name of two parts": ("1.7.24", 'version = 2\n[plugins."io.containerd"]\n', False),
}


@pytest.mark.parametrize(("version", "text", "fine"), NAMES.values(), ids=list(NAMES))
def test_names_of_plugins_that_are_not_a_full_uri(version: str, text: str, fine: bool) -> None:
    assert (findings(version, text) == []) is fine


def test_before_2_0_the_version_of_the_merged_config_decides_for_every_file() -> None:
    files = {
        CONFIG: 'imports = ["/a.toml"]\nversion = 2\n',
        "/a.toml": "version = 1\n[plugins.cri]\n",
    }
    facts = facts_with(files)

    found = [*unreadable(config_view(facts, release("1.7.24"), ""))]

    assert [finding.where for finding in found] == []
