"""hosts.toml in what each version can read."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.containerd.hosts_toml import hosts_files
from fleet.core.failure import NodeError
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
    "_default before 1.6.17": (ContainerdVersion(1, 6, 16), "_default", Mirror(url="https://a")),
    "override_path on 1.5": (
        ContainerdVersion(1, 5, 18),
        "docker.io",
        Mirror(url="https://a/x", override_path=True),
    ),
}


@pytest.mark.parametrize(("version", "name", "mirror"), REFUSED.values(), ids=REFUSED)
def test_what_a_version_would_ignore_is_refused(
    version: ContainerdVersion, name: str, mirror: Mirror
) -> None:
    with pytest.raises(NodeError):
        rendered(version, mirror, name=name)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_quoting(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text
