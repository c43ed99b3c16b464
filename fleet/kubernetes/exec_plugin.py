"""Credential plugins of a kubeconfig: commands that print a login for a cluster."""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fleet.core.text.documents import table, word
from fleet.kubernetes.errors import ClusterError, cluster_error

_LARGEST = 1 << 20
_CHUNK = 1 << 16
_POLL = 0.2
_EARLY = timedelta(minutes=1)
_API = "client.authentication.k8s.io/"


@dataclass(frozen=True, slots=True)
class Credential:
    """A login that a plugin has printed, as the `user` of a kubeconfig, and when it ends."""

    user: Mapping[str, str]
    expires: datetime | None = None

    def expired(self, now: datetime) -> bool:
        """Return whether the login has ended, or will within a minute."""
        return self.expires is not None and now >= self.expires - _EARLY


def run_plugin(
    plugin: Mapping[str, Any], folder: Path, cluster: Mapping[str, Any], seconds: float
) -> Credential:
    """Run a plugin without a terminal and return its login; raise a ClusterError.

    `folder` is that of the kubeconfig; a command with a slash is relative to it.
    """
    name = word(plugin, "command")
    if word(plugin, "interactiveMode") == "Always":
        raise _error(name, "needs a terminal", "log in with a plugin that needs none")
    version = word(plugin, "apiVersion")
    output = _output_of(
        _command(plugin, name, folder), _environment(plugin, cluster), folder, seconds
    )
    try:
        data = json.loads(output)
    except (ValueError, RecursionError):
        raise _error(name, "printed no JSON", _BY_HAND) from None
    if word(data, "kind") != "ExecCredential" or word(data, "apiVersion") != version:
        raise _error(name, f"printed no ExecCredential of {version}", _BY_HAND)
    return _credential(name, table(data, "status"))


_BY_HAND = "run it by hand; `kubectl get nodes` runs it as well"


def _command(plugin: Mapping[str, Any], name: str, folder: Path) -> list[str]:
    if not word(plugin, "apiVersion").startswith(_API):
        raise _error(
            name or "without a command", "has an unknown apiVersion", "correct the kubeconfig"
        )
    program = shutil.which(str(folder / name) if "/" in name else name) if name else None
    if program is None:
        hint = word(plugin, "installHint").strip().splitlines()
        raise _error(name, "is not installed", hint[0] if hint else "install it")
    arguments = plugin.get("args")
    return [program, *map(str, arguments if isinstance(arguments, list) else ())]


def _environment(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo") is True:
        spec["cluster"] = _cluster_info(cluster)
    info = {"apiVersion": word(plugin, "apiVersion"), "kind": "ExecCredential", "spec": spec}
    variables = plugin.get("env")
    given = {
        word(item, "name"): str(table(item).get("value", ""))
        for item in (variables if isinstance(variables, list) else ())
        if word(item, "name")
    }
    return {**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        "server",
        "tls-server-name",
        "insecure-skip-tls-verify",
        "certificate-authority-data",
        "proxy-url",
    )
    info = {key: cluster[key] for key in keys if cluster.get(key)}
    extensions = cluster.get("extensions")
    for extension in extensions if isinstance(extensions, list) else ():
        if word(extension, "name") == f"{_API}exec":
            info["config"] = table(extension).get("extension")
    return info


def _output_of(
    command: list[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> bytes:
    """Return what a command prints on stdout; end it and its children at the deadline."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the kubeconfig names it, as for kubectl
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=folder, env=dict(environment), start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "invalid arguments"
        raise _error(command[0], f"cannot be run ({reason})", "correct the kubeconfig") from None
    with process:
        try:
            output = _collect(process, time.monotonic() + seconds)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise _error(command[0], f"did not end within {seconds:.0f} s", _BY_HAND) from None
        except ValueError:
            raise _error(command[0], "printed more than 1 MiB", _BY_HAND) from None
        finally:
            _end(process)
    if process.returncode:
        message = f"failed with exit code {process.returncode}"
        raise _error(command[0], message, _BY_HAND, output["stderr"].decode("utf-8", "replace"))
    return bytes(output["stdout"])


def _collect(process: subprocess.Popen[bytes], until: float) -> dict[str, bytearray]:
    """Return all output of a process once it has ended; raise a TimeoutError or a ValueError.

    A child that stays in the background may keep the output open, and is not waited for.
    """
    output = {"stdout": bytearray(), "stderr": bytearray()}
    with selectors.DefaultSelector() as selector:
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            ready = selector.select(_POLL)
            for key, _ in ready:
                part = os.read(key.fd, _CHUNK)
                output[key.data] += part
                if not part:
                    selector.unregister(key.fileobj)
            if not ready and process.poll() is not None:
                break
            _check(output, until)
    process.wait(max(until - time.monotonic(), _POLL))
    return output


def _check(output: Mapping[str, bytearray], until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError
    if any(len(part) > _LARGEST for part in output.values()):
        raise ValueError


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has not ended, with its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _credential(name: str, status: Mapping[str, Any]) -> Credential:
    user: dict[str, str] = {}
    certificate, key = word(status, "clientCertificateData"), word(status, "clientKeyData")
    if word(status, "token"):
        user["token"] = word(status, "token")
    if certificate and key:
        user["client-certificate-data"] = base64.b64encode(certificate.encode()).decode()
        user["client-key-data"] = base64.b64encode(key.encode()).decode()
    if not user:
        raise _error(name, "printed neither a token nor a certificate with its key", _BY_HAND)
    return Credential(user, _time(word(status, "expirationTimestamp")))


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


def _error(name: str, problem: str, remedy: str, evidence: str = "") -> ClusterError:
    return cluster_error(f"the kubeconfig's credential plugin {name} {problem}", remedy, evidence)
