"""Kubeconfigs: the files and the context that count, and files that cannot be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import Failure
from fleet.kubernetes.client import Cluster, ClusterError
from fleet.kubernetes.kubeconfig import context_names
from tests.support.api_server import Answer, api_server, write_kubeconfig

HTTPS = "https://127.0.0.1:1"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path


def config(path: Path, **user: Any) -> Path:
    return write_kubeconfig(path, HTTPS, user or {"token": "s3cret-token"})


def edited(path: Path, **parts: Any) -> Path:
    """Write a kubeconfig of which some parts are replaced."""
    data = json.loads(config(path).read_text())
    path.write_text(json.dumps({**data, **parts}))
    return path


def refused(path: Path | None = None, context: str | None = None) -> Failure:
    with pytest.raises(ClusterError) as caught:
        Cluster.connect(path and str(path), context)
    assert "s3cret" not in str(caught.value.failure)
    return caught.value.failure


def test_the_file_of_kubectl_is_the_default(folder: Path) -> None:
    (folder / ".kube").mkdir()
    config(folder / ".kube/config")

    assert Cluster.connect().name == "lab"


def test_several_files_are_merged_as_kubectl_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(folder / "a")
    other = json.loads(config(folder / "b").read_text())
    other["contexts"] = [{"name": "second", "context": {"cluster": "c", "user": "u"}}]
    (folder / "b").write_text(json.dumps({**other, "current-context": "second"}))
    monkeypatch.setenv("KUBECONFIG", f"{folder}/missing:~/a:{folder}/b")

    assert context_names(None) == ["lab", "second"]
    assert Cluster.connect(context="lab").name == "lab"


def test_an_empty_context_is_the_present_one(folder: Path) -> None:
    assert Cluster.connect(str(config(folder / "k")), "").name == "lab"


BROKEN = {
    "a broken text": "users: [{name: x, user: {token: 's3cret",
    "text": "s3cret",
    "nothing": "",
    "a list": "[s3cret]",
    "parts of other types": "contexts: s3cret\nusers: 3\nclusters: {a: b}\n",
    "a tag": "!!python/object/apply:os.system [s3cret]",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_of_another_shape_is_refused_without_its_text(text: str, folder: Path) -> None:
    path = folder / "k"
    path.write_text(text)

    assert refused(path).message.startswith(f"{path} is not a kubeconfig")


def test_a_missing_file_is_named(folder: Path) -> None:
    assert refused().message == f"{folder}/.kube/config: there is no kubeconfig"
    assert refused(folder / "x").message == f"{folder}/x: there is no kubeconfig"


def test_a_folder_is_not_a_kubeconfig(folder: Path) -> None:
    assert refused(folder).message == f"{folder}: cannot be read (Is a directory)"


def test_a_missing_context_names_the_others(folder: Path) -> None:
    path = config(folder / "k")
    failure = refused(path, "prod")

    assert failure.message == f"{path} has no context prod"
    assert failure.remedy == "name one of its contexts: lab"
    assert (
        "has no current context" in refused(edited(folder / "k", **{"current-context": ""})).message
    )


@pytest.mark.parametrize("part", ["cluster", "user"])
def test_a_context_whose_parts_are_missing_is_refused(part: str, folder: Path) -> None:
    path = edited(folder / "k", **{f"{part}s": []})
    name = part[0]

    assert refused(path).message == (
        f"{path}: the context lab names the {part} {name}, which is missing"
    )


@pytest.mark.parametrize("server", ["", "ftp://u:s3cret@h", "api.example", "https://", 7])
def test_a_server_must_be_a_url(server: Any, folder: Path) -> None:
    path = edited(folder / "k", clusters=[{"name": "c", "cluster": {"server": server}}])

    assert refused(path).message.endswith("is not the URL of an API server")


UNUSABLE = {
    "a certificate that is not there": {"client-certificate": "x.crt", "client-key": "x.key"},
    "no base64": {"client-certificate-data": "!s3cret", "client-key-data": "!s3cret"},
    "a provider that kubectl has dropped": {"auth-provider": {"name": "gcp", "config": {}}},
    "a provider without a token": {"auth-provider": {"name": "oidc", "config": {"x": "s3cret"}}},
    "a token file that is not there": {"tokenFile": "token"},
}


@pytest.mark.parametrize("user", UNUSABLE.values(), ids=UNUSABLE)
def test_a_login_that_cannot_be_read_is_refused(user: dict[str, Any], folder: Path) -> None:
    assert refused(config(folder / "k", **user)).remedy


LOGINS = {
    "a token": ({"token": "abc"}, "Bearer abc"),
    "a token file": ({"tokenFile": "token", "token": "old"}, "Bearer from-file"),
    "OpenID Connect": (
        {"auth-provider": {"name": "oidc", "config": {"id-token": "a.b.c"}}},
        "Bearer a.b.c",
    ),
    "a password": ({"username": "u", "password": "p"}, "Basic dTpw"),
    "nothing": ({"x": 1}, None),
}


@pytest.mark.parametrize(("user", "header"), LOGINS.values(), ids=LOGINS)
def test_logins_are_sent(user: dict[str, Any], header: str | None, folder: Path) -> None:
    (folder / "token").write_text("from-file\n")
    with api_server(lambda _: Answer()) as server:
        cluster = Cluster.connect(str(server.kubeconfig(folder, **user)))
        cluster.get("/version")
        cluster.close()

    assert server.requests[0].headers.get("Authorization") == header


def test_an_impersonation_of_the_kubeconfig_is_sent(folder: Path) -> None:
    with api_server(lambda _: Answer()) as server:
        user = {"token": "t", "as": "auditor", "as-groups": ["viewers"]}
        cluster = Cluster.connect(str(server.kubeconfig(folder, **user)))
        cluster.get("/version")
        cluster.close()

    headers = server.requests[0].headers
    assert (headers["Impersonate-User"], headers["Impersonate-Group"]) == ("auditor", "viewers")


def test_without_the_extra_the_message_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    failure = refused(config(folder / "k"))

    assert failure.message == "the Kubernetes client is not installed"
    assert ".[kubernetes]" in failure.remedy


def test_the_client_is_imported_only_for_a_cluster(folder: Path) -> None:
    (folder / "inventory.yaml").write_text("all: {hosts: {w1: }}")
    program = (
        "import pathlib, sys; import fleet.cli.app, fleet.actions.rollout, fleet.actions.clusters;"
        "from fleet.config.load import load_inventory; path = pathlib.Path('inventory.yaml');"
        "nodes = load_inventory(path).nodes; fleet.actions.clusters.connect_clusters(nodes);"
        "print({'kubernetes', 'urllib3'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
