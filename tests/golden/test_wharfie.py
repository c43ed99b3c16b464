"""registries.yaml by rancher/wharfie, which reads the file for k3s and RKE2.

It reads the examples of their documentation, and what fleet writes on a node that is to have the
same. Both must send the same requests: to the same hosts, paths and images, with the same logins.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from tests.golden.cases import plan_for, text_of, wishes_of
from tests.golden.inputs import MIRRORS
from tests.lab.registries_yaml import Read, Reader, k3s_reader

IMAGES = (
    "docker.io/library/busybox:1",
    "docker.io/rancher/k3s:1",
    "registry.k8s.io/pause:3.10",
    "registry.example/app/web:1",
    "registry.example:5000/app/web:1",
    "quay.io/a/b@sha256:" + "0" * 64,
)

DOCUMENTED = {
    "a mirror": "mirrors: {docker.io: {endpoint: ['https://mirror.example:5000']}}",
    "several mirrors": (
        "mirrors:\n  docker.io:\n    endpoint:\n      - https://a.example\n"
        "      - http://b.example:5000\n      - https://c.example/v2\n"
    ),
    "no scheme": "mirrors: {docker.io: {endpoint: ['mirror.example:5000', other.example]}}",
    "paths": (
        "mirrors:\n  docker.io: {endpoint: ['https://harbor.example/v2/hub']}\n"
        "  quay.io: {endpoint: ['harbor.example/proxy/quay/']}\n"
    ),
    "the registry itself": (
        "mirrors:\n  'registry.example:5000': {endpoint: ['https://registry.example:5000']}\n"
        "configs:\n  'registry.example:5000': {auth: {username: u, password: p}}\n"
    ),
    "the registry itself in plain HTTP": (
        "mirrors: {'registry.example:5000': {endpoint: ['http://registry.example:5000']}}"
    ),
    "upstream last": (
        "mirrors:\n  registry.example: {endpoint: ['https://a.example', registry.example]}\n"
    ),
    "upstream first": (
        "mirrors:\n  registry.example: {endpoint: ['https://registry.example', a.example]}\n"
    ),
    "upstream with a rewrite": (
        "mirrors:\n  registry.example:\n    endpoint: ['https://registry.example']\n"
        "    rewrite: {'^app/(.*)': 'team/app/$1'}\n"
    ),
    "rewrites": (
        "mirrors:\n  docker.io:\n    endpoint: ['https://mirror.example:5000']\n"
        "    rewrite: {'^rancher/(.*)': 'mirrorproject/rancher-images/$1'}\n"
    ),
    "the wildcard": (
        "mirrors:\n  '*': {endpoint: ['https://all.example']}\n"
        "  docker.io: {endpoint: ['https://hub.example']}\n"
    ),
    "the embedded registry": "mirrors:\n  docker.io:\n  registry.k8s.io:\n",
    "the embedded registry for all": "mirrors:\n  '*':\n",
    "a login": (
        "mirrors: {docker.io: {endpoint: ['https://mirror.example:5000']}}\n"
        "configs:\n  'mirror.example:5000': {auth: {username: u, password: 0123}}\n"
    ),
    "a login in one text": (
        "mirrors: {docker.io: {endpoint: ['https://mirror.example:5000']}}\n"
        "configs:\n  'mirror.example:5000': {auth: {auth: dTpwOnE=}}\n"
    ),
    "a login of Docker Hub": "configs: {docker.io: {auth: {username: u, password: yes}}}",
    "a login of Docker Hub beside a mirror": (
        "mirrors: {docker.io: {endpoint: ['https://mirror.example']}}\n"
        "configs: {docker.io: {auth: {username: u, password: '1e3'}}}\n"
    ),
    "configs alone": (
        "configs:\n  'registry.example:5000': {auth: {username: 3.10, password: 1_000}}\n"
        "  registry.example: {auth: {username: true, password: 'a \N{GRINNING FACE} \"b\"'}}\n"
    ),
    "a login for all": (
        "mirrors:\n  '*': {endpoint: ['https://all.example']}\n"
        "configs:\n  '*': {auth: {username: u, password: p}}\n"
        "  registry.example: {auth: {username: v, password: q}}\n"
    ),
    "a token": "configs: {registry.example: {auth: {token: x}}}\nmirrors: {docker.io: }\n",
    "keys without values": (
        "mirrors: {docker.io: {endpoint: ['https://mirror.example']}}\n"
        "configs:\n  mirror.example:\n    auth: {username: , password: }\n"
        "    tls: {cert_file: , key_file: , ca_file: , insecure_skip_verify: }\n"
    ),
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return the running wharfie."""
    found = k3s_reader()
    if found is None:
        pytest.skip("rancher/wharfie could not be built on this machine")
    return found


def written(text: str, folder: Path, before: str = "") -> str:
    """Return the registries.yaml that a k3s node gets for a mirrors.yaml."""
    path = "/etc/rancher/k3s/registries.yaml"
    tree = {path: before.encode()} if before else None
    return text_of(plan_for(folder / "root", "k3s", wishes_of(text, folder / "w"), tree), path)


def requests(read: Read) -> dict[str, list[tuple[str, str]]]:
    """Return the requests of each image; the fallback may follow the same host once more."""
    assert read.error is None
    return {
        image: [request for request, _ in groupby(asked)] for image, asked in read.asked.items()
    }


@pytest.mark.parametrize("text", DOCUMENTED.values(), ids=DOCUMENTED)
def test_an_example_of_the_documentation_comes_to_the_same_on_a_node(
    reader: Reader, text: str, tmp_path: Path
) -> None:
    result = written(text, tmp_path)

    meant, found = reader.read(text, IMAGES), reader.read(result, IMAGES)

    assert requests(found) == requests(meant), result
    assert all(requests(meant).values())


@pytest.mark.parametrize("text", DOCUMENTED.values(), ids=DOCUMENTED)
def test_a_node_that_has_the_file_already_keeps_its_meaning(
    reader: Reader, text: str, tmp_path: Path
) -> None:
    other = "mirrors: {ghcr.io: {endpoints: [https://g.example]}}\n"

    result = written(other, tmp_path, f"# ours\n{text}  # kept\n")

    assert result.startswith("# ours\n")
    assert requests(reader.read(result, IMAGES)) == requests(reader.read(text, IMAGES))
    (first, _) = reader.read(result, ["ghcr.io/app:1"]).asked["ghcr.io/app:1"]
    assert first[0] == "https://g.example/v2/app/manifests/1"


SECRETS = (
    "0123",
    "yes",
    "null",
    "~",
    "a: b",
    "'\"\\",
    "\N{GRINNING FACE}",
    "é ü",
    "#x",
    " x ",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_login_arrives_as_it_is_written(
    reader: Reader, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TEST_SECRET", secret)
    text = "configs: {registry.example: {auth: {username: u, password: env:FLEET_TEST_SECRET}}}\n"

    found = reader.read(written(text, tmp_path), ["registry.example/app:1"])

    assert requests(found) == {
        "registry.example/app:1": [("https://registry.example/v2/app/manifests/1", f"u:{secret}")]
    }


def test_certificates_are_named_where_fleet_puts_them(reader: Reader, tmp_path: Path) -> None:
    text = (
        "mirrors: {docker.io: {endpoint: ['https://h.example:8443']}}\n"
        "configs:\n  h.example:8443: {tls: {ca_file: ca.pem, cert_file: cert.pem,"
        " key_file: key.pem, insecure_skip_verify: yes}}\n"
        f"  registry.example: {{tls: {{ca_file: {tmp_path}/on/nodes/ca.crt}}}}\n"
    )

    found = reader.read(written(text, tmp_path)).v2

    stem = "/etc/rancher/k3s/fleet/h.example_8443"
    assert found["configs"] == {
        "h.example:8443": {
            "tls": {
                "ca_file": f"{stem}.ca.pem",
                "cert_file": f"{stem}.client.pem",
                "key_file": f"{stem}.client.key.pem",
                "insecure_skip_verify": True,
            }
        },
        "registry.example": {"tls": {"ca_file": f"{tmp_path}/on/nodes/ca.crt"}},
    }


@pytest.mark.parametrize("wish", ["plain", "wildcard"])
def test_mirrors_yaml_comes_to_the_hosts_that_it_names(
    reader: Reader, wish: str, tmp_path: Path
) -> None:
    registries = wishes_of(MIRRORS[wish], tmp_path / "w").registries
    images = {registry.name: f"{registry.name}/team/app:1" for registry in registries}

    asked = requests(reader.read(written(MIRRORS[wish], tmp_path), images.values()))

    for registry in registries:
        urls = [url.partition("/v2/")[0] for url, _ in asked[images[registry.name]]]
        assert urls[: len(registry.mirrors)] == [mirror.url for mirror in registry.mirrors]
