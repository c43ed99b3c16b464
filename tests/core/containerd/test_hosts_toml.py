"""hosts.toml in what each version can read."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.containerd.hosts_toml import certificate_stem, ctr_hosts, hosts_files
from fleet.core.containerd.managed_header import HEADER, MIGRATED
from fleet.core.failure import FailureKind, NodeError
from fleet.core.masking import masked_file, stars
from fleet.core.model.change import ManagedFile
from fleet.core.model.mirror import ClientPair, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.toml_scan import quoted

OLD, NEW = ContainerdVersion(1, 6, 20), ContainerdVersion(2, 1, 9)
FOLDER = "/etc/containerd/certs.d/docker.io"
FULL = Mirror(
    url="https://a.example:8443/v2/hub",
    override_path=True,
    skip_verify=True,
    ca=(b"CA",),
    client=(ClientPair(b"CERT", b"KEY"),),
    header=(("X-Token", (Secret("s3cret"),)),),
    dial_timeout="3s",
)
PLAIN = Mirror(url="http://b.example", dial_timeout="3s")


def rendered(
    version: ContainerdVersion, *mirrors: Mirror, **registry: Any
) -> tuple[dict[str, Any], dict[str, ManagedFile]]:
    wanted = {"name": "docker.io", "server": "https://registry-1.docker.io", **registry}
    files = dict(hosts_files(Registry(mirrors=mirrors, **wanted), FOLDER, version))
    return tomllib.loads(files[f"{FOLDER}/hosts.toml"].content.decode()), files


def test_every_key_and_every_file() -> None:
    data, files = rendered(NEW, FULL, PLAIN)

    assert data["server"] == "https://registry-1.docker.io"
    assert list(data["host"]) == ["https://a.example:8443/v2/hub", "http://b.example"]
    stem = f"{FOLDER}/a.example_8443.0"
    assert data["host"]["https://a.example:8443/v2/hub"] == {
        "capabilities": ["pull", "resolve"],
        "override_path": True,
        "skip_verify": True,
        "ca": [f"{stem}.ca.pem"],
        "client": [[f"{stem}.client.pem", f"{stem}.client.key.pem"]],
        "dial_timeout": "3s",
        "header": {"X-Token": ["s3cret"]},
    }
    modes = {path.removeprefix(f"{FOLDER}/"): kept.mode for path, kept in files.items()}
    assert modes == {
        "hosts.toml": 0o600,
        "a.example_8443.0.ca.pem": 0o644,
        "a.example_8443.0.client.pem": 0o644,
        "a.example_8443.0.client.key.pem": 0o600,
    }


def test_a_url_that_an_old_parser_refuses_as_a_table_is_written_dotted() -> None:
    six = Mirror(url="https://[2001:db8::1]:5000")

    data, files = rendered(OLD, FULL, six)
    text = files[f"{FOLDER}/hosts.toml"].content.decode()
    modern, _ = rendered(NEW, FULL, six)

    assert list(data["host"]) == ["https://a.example:8443/v2/hub", "https://[2001:db8::1]:5000"]
    assert all("]" not in line[:-1] for line in text.splitlines() if line.startswith("["))
    for each in modern["host"].values():
        each.pop("dial_timeout", None)
    assert data["host"] == modern["host"]
    assert "s3cret" not in masked_file("hosts.toml", text, stars)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_any_other_url_is_written_as_a_table(version: ContainerdVersion) -> None:
    text = rendered(version, PLAIN)[1][f"{FOLDER}/hosts.toml"].content.decode()

    assert '\n[host."http://b.example"]\n' in text


def test_dial_timeout_only_where_it_is_read() -> None:
    assert "dial_timeout" not in rendered(OLD, PLAIN)[0]["host"]["http://b.example"]
    early = rendered(ContainerdVersion(2, 0, 7), PLAIN)[0]
    assert "dial_timeout" not in early["host"]["http://b.example"]
    assert rendered(NEW, PLAIN)[0]["host"]["http://b.example"]["dial_timeout"] == "3s"


def test_without_fallback_the_last_mirror_is_the_server() -> None:
    two, _ = rendered(OLD, Mirror(url="https://a"), Mirror(url="https://b"), fallback=False)
    one, _ = rendered(OLD, Mirror(url="https://a"), fallback=False)

    assert (two["server"], list(two["host"])) == ("https://b", ["https://a"])
    assert (one["server"], list(one["host"])) == ("https://a", ["https://a"])


REFUSED = {
    "_default before 1.6.17": (
        ContainerdVersion(1, 6, 16),
        "_default",
        Mirror(url="https://a"),
        "containerd 1.6.16 does not support _default (1.6.17 does)",
    ),
    "override_path on 1.5": (
        ContainerdVersion(1, 5, 18),
        "docker.io",
        Mirror(url="https://a/x", override_path=True),
        "containerd 1.5.18 does not support override_path, which docker.io uses (1.6 does)",
    ),
    "referrers before 2.2": (
        NEW,
        "docker.io",
        Mirror(url="https://a", capabilities=("pull", "referrers")),
        "the capability referrers, which docker.io uses (2.2 does)",
    ),
}


@pytest.mark.parametrize(("version", "name", "mirror", "words"), REFUSED.values(), ids=REFUSED)
def test_what_a_version_would_ignore_is_refused(
    version: ContainerdVersion, name: str, mirror: Mirror, words: str
) -> None:
    with pytest.raises(NodeError) as raised:
        rendered(version, mirror, name=name)

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    assert words in raised.value.failure.message


def test_a_rewrite_is_refused_outside_of_k3s() -> None:
    with pytest.raises(NodeError, match="only the containerd of k3s and RKE2 supports rewrite"):
        rendered(NEW, PLAIN, rewrite=(("^a", "b"),))


KNOWN = {
    "_default": (ContainerdVersion(1, 6, 17), "_default", Mirror(url="https://a")),
    "override_path": (
        ContainerdVersion(1, 6, 0),
        "docker.io",
        Mirror(url="https://a/x", override_path=True),
    ),
    "referrers": (
        ContainerdVersion(2, 2, 0),
        "docker.io",
        Mirror(url="https://a", capabilities=("pull", "referrers")),
    ),
}


@pytest.mark.parametrize(("version", "name", "mirror"), KNOWN.values(), ids=KNOWN)
def test_a_setting_is_written_from_its_first_release_on(
    version: ContainerdVersion, name: str, mirror: Mirror
) -> None:
    assert list(rendered(version, mirror, name=name)[0]["host"]) == [mirror.url]


def test_the_wildcard_has_no_server() -> None:
    assert "server" not in rendered(NEW, PLAIN, name="_default", server=None)[0]


def test_the_settings_of_an_upstream_are_those_of_the_server() -> None:
    upstream = Mirror(url="https://registry-1.docker.io", skip_verify=True, ca=(b"CA",))

    data, files = rendered(NEW, PLAIN, upstream=upstream)

    path = f"{FOLDER}/registry-1.docker.io.0.ca.pem"
    assert (data["skip_verify"], data["ca"]) == (True, [path])
    assert files[path].content == b"CA"


def test_certificates_of_the_node_are_named_as_they_are() -> None:
    mirror = Mirror(url="https://a", ca_paths=("/etc/a.pem",), client_paths=(("/c", "/k"),))

    data, files = rendered(NEW, mirror)

    assert data["host"]["https://a"]["ca"] == ["/etc/a.pem"]
    assert data["host"]["https://a"]["client"] == [["/c", "/k"]]
    assert list(files) == [f"{FOLDER}/hosts.toml"]


def test_a_file_with_a_certificate_and_its_key_is_private() -> None:
    data, files = rendered(NEW, Mirror(url="https://a", client=(ClientPair(b"BOTH", None),)))

    path = f"{FOLDER}/a.0.client.pem"
    assert data["host"]["https://a"]["client"] == [[path]]
    assert (files[path].mode, files[path].secret) == (0o600, True)


def test_without_fallback_the_server_has_the_settings_of_the_last_mirror() -> None:
    data, _ = rendered(NEW, Mirror(url="https://b"), FULL, fallback=False)

    assert data["server"] == FULL.url
    assert (data["override_path"], data["skip_verify"]) == (True, True)
    assert data["header"] == {"X-Token": ["s3cret"]}


@pytest.mark.parametrize("header", [HEADER, MIGRATED])
def test_the_file_begins_with_its_header(header: str) -> None:
    registry = Registry(name="r", server="https://r", mirrors=(PLAIN,))

    files = dict(hosts_files(registry, FOLDER, NEW, header))

    assert files[f"{FOLDER}/hosts.toml"].content.startswith(f"{header}server = ".encode())


@pytest.mark.parametrize(
    ("url", "stem"),
    [
        ("https://a", "a"),
        ("https://a:5000/x", "a_5000"),
        ("https://[fd00::1]:5000", "fd00__1_5000"),
    ],
)
def test_the_names_of_a_mirrors_certificates(url: str, stem: str) -> None:
    assert certificate_stem(Mirror(url=url)) == stem


@pytest.mark.parametrize(
    ("version", "capabilities"),
    [(NEW, ["pull"]), (ContainerdVersion(2, 2, 0), ["pull", "referrers"])],
)
def test_a_file_for_ctr_leaves_out_what_its_release_refuses(
    version: ContainerdVersion, capabilities: list[str]
) -> None:
    mirror = Mirror(url="https://a", capabilities=("pull", "referrers"))
    registry = Registry(name="r", server="https://r", mirrors=(mirror,))

    data = tomllib.loads(ctr_hosts(registry, FOLDER, version).decode())

    assert data["host"]["https://a"]["capabilities"] == capabilities


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_quoting(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text


SELF = "https://r.example"


def test_a_registry_without_mirrors_is_its_own_host() -> None:
    upstream = Mirror(url=SELF, ca_paths=("/etc/ssl/ca.crt",))

    data, _ = rendered(OLD, name="r.example", server=SELF, upstream=upstream)

    assert data == {
        "server": SELF,
        "ca": ["/etc/ssl/ca.crt"],
        "host": {SELF: {"capabilities": ["pull", "resolve"], "ca": ["/etc/ssl/ca.crt"]}},
    }


EVERY_HOST = Mirror(url="https://_default", skip_verify=True)


def test_the_settings_of_every_host_need_no_server() -> None:
    data, _ = rendered(NEW, name="_default", server=None, upstream=EVERY_HOST)

    assert data == {"skip_verify": True}


def test_the_settings_of_every_host_stand_beside_the_mirrors_of_all() -> None:
    data, _ = rendered(NEW, PLAIN, name="_default", server=None, upstream=EVERY_HOST)

    assert data == {
        "skip_verify": True,
        "host": {"http://b.example": {"capabilities": ["pull", "resolve"], "dial_timeout": "3s"}},
    }


def test_a_release_that_would_ignore_the_settings_of_every_host_is_refused() -> None:
    with pytest.raises(NodeError, match=r"TLS settings for all registries .* \(1.7.32 does\)"):
        rendered(ContainerdVersion(1, 7, 24), name="_default", server=None, upstream=EVERY_HOST)
