"""Credential plugins: what they are given, what they may print, and plugins that misbehave."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import Failure
from fleet.kubernetes.client import Cluster, ClusterError
from fleet.kubernetes.exec_plugin import Credential, run_plugin
from tests.support.api_server import Answer, Request, api_server, status_object

V1 = "client.authentication.k8s.io/v1"


def plugin(script: str, **settings: Any) -> dict[str, Any]:
    return {"apiVersion": V1, "command": "/bin/sh", "args": ["-c", script], **settings}


def printing(**status: Any) -> dict[str, Any]:
    data = {"kind": "ExecCredential", "apiVersion": V1, "status": status}
    return plugin(f"cat <<'END'\n{json.dumps(data)}\nEND")


def refused(settings: dict[str, Any], folder: Path, seconds: float = 20) -> Failure:
    with pytest.raises(ClusterError) as caught:
        run_plugin(settings, folder, {}, seconds)
    return caught.value.failure


def test_a_token_is_a_login(tmp_path: Path) -> None:
    credential = run_plugin(
        printing(token="t", expirationTimestamp="2026-11-28T03:00:00Z"), tmp_path, {}, 20
    )
    end = datetime(2026, 11, 28, 3, tzinfo=UTC)

    assert credential == Credential({"token": "t"}, end)
    assert credential.expired(end - timedelta(seconds=59))
    assert not credential.expired(end - timedelta(seconds=61))


def test_a_certificate_with_its_key_is_a_login(tmp_path: Path) -> None:
    credential = run_plugin(
        printing(clientCertificateData="c", clientKeyData="k"), tmp_path, {}, 20
    )

    assert credential.user == {
        "client-certificate-data": base64.b64encode(b"c").decode(),
        "client-key-data": base64.b64encode(b"k").decode(),
    }
    assert not credential.expired(datetime.now(UTC))


def test_a_plugin_is_told_the_cluster_and_its_own_variables(tmp_path: Path) -> None:
    script = f"""token=$(printf %s "$KUBERNETES_EXEC_INFO$MINE$PWD" | base64 -w0)
        echo '{{"kind": "ExecCredential", "apiVersion": "{V1}",
            "status": {{"token": "'$token'"}}}}'"""
    settings = plugin(script, env=[{"name": "MINE", "value": "x"}], provideClusterInfo=True)
    cluster = {"server": "https://api", "certificate-authority-data": "Y2E="}
    told = base64.b64decode(run_plugin(settings, tmp_path, cluster, 20).user["token"]).decode()
    info = {"apiVersion": V1, "kind": "ExecCredential"}
    spec = {"interactive": False, "cluster": cluster}

    assert told == json.dumps({**info, "spec": spec}) + f"x{tmp_path}"


def test_a_command_with_a_slash_is_beside_the_kubeconfig(tmp_path: Path) -> None:
    script = tmp_path / "login"
    script.write_text(f"#!/bin/sh\n{printing(token='t')['args'][1]}\n")
    script.chmod(0o755)

    assert run_plugin({"apiVersion": V1, "command": "./login"}, tmp_path, {}, 20).user == {
        "token": "t"
    }


BROKEN = {
    "not installed": (
        {"apiVersion": V1, "command": "no-such-login", "installHint": "get it\x1b[2J\nthere"},
        "no-such-login is not installed",
    ),
    "no command": ({"apiVersion": V1}, " is not installed"),
    "an unknown version": ({"apiVersion": "v9", "command": "sh"}, "sh has an unknown apiVersion"),
    "a terminal": (plugin("true", interactiveMode="Always"), "/bin/sh needs a terminal"),
    "no JSON": (plugin("echo '{\"token\": s3cret'"), "/bin/sh printed no JSON"),
    "deep JSON": (plugin("yes [ | head -200000 | tr -d '\\n'"), "/bin/sh printed no JSON"),
    "another version": (
        plugin('echo \'{"kind": "ExecCredential", "apiVersion": "v2"}\''),
        f"/bin/sh printed no ExecCredential of {V1}",
    ),
    "nothing in it": (printing(), "/bin/sh printed neither a token nor a certificate with its key"),
    "a certificate alone": (
        printing(clientCertificateData="c"),
        "/bin/sh printed neither a token nor a certificate with its key",
    ),
    "a flood": (plugin("yes s3cret"), "/bin/sh printed more than 1 MiB"),
    "a flood of errors": (plugin("yes s3cret >&2"), "/bin/sh printed more than 1 MiB"),
}


@pytest.mark.parametrize(("settings", "what"), BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_cannot_be_used(settings: Any, what: str, tmp_path: Path) -> None:
    failure = refused(settings, tmp_path)

    assert failure.message == f"the kubeconfig's credential plugin {what}"
    assert failure.remedy
    assert "\x1b" not in failure.remedy
    assert "s3cret" not in str(failure)


def test_the_errors_of_a_plugin_are_shown_without_secrets(tmp_path: Path) -> None:
    script = "echo 'password: hunter2222' >&2; echo 'run sso login\x1b[2J' >&2; exit 3"
    failure = refused(plugin(script), tmp_path)

    assert failure.message.endswith("/bin/sh failed with exit code 3")
    assert failure.evidence.splitlines()[-1] == "run sso login\\x1b[2J"
    assert "hunter2222" not in failure.evidence


def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    failure = refused(plugin("(sleep 2; touch alive) & sleep 60"), tmp_path, 0.5)
    took = time.monotonic() - started
    time.sleep(max(0, 2.5 - took))

    assert failure.message.endswith("/bin/sh did not end within 0 s")
    assert took < 2
    assert not (tmp_path / "alive").exists()


def test_a_child_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    settings = printing(token="t")
    settings["args"][1] += "\nsleep 5 &"
    started = time.monotonic()

    assert run_plugin(settings, tmp_path, {}, 20).user == {"token": "t"}
    assert time.monotonic() - started < 4


def test_a_login_that_has_ended_is_renewed_once(tmp_path: Path) -> None:
    counter = "n=$(cat n 2>/dev/null || echo 0); n=$((n+1)); echo $n > n; "
    script = f"""{counter} echo '{{"kind": "ExecCredential", "apiVersion": "{V1}",
        "status": {{"token": "token-'$n'"}}}}'"""

    def respond(request: Request) -> Answer:
        current = request.headers["Authorization"] == "Bearer token-2"
        return Answer() if current else status_object(401, "Unauthorized")

    with api_server(respond) as server:
        path = server.kubeconfig(tmp_path, exec=plugin(script))
        cluster = Cluster.connect(str(path))
        cluster.get("/api/v1/nodes")
        cluster.get("/api/v1/nodes")
        cluster.close()

    assert [request.headers["Authorization"] for request in server.requests] == [
        "Bearer token-1",
        "Bearer token-2",
        "Bearer token-2",
    ]
