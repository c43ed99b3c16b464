"""The HTTP connections to a cluster's API, made by the official client from a kubeconfig."""

from __future__ import annotations

import copy
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.core.text.documents import word, words
from fleet.kubernetes.errors import ClusterError, cluster_error
from fleet.kubernetes.kubeconfig import Kubeconfig

_CONNECT = 10
"""The longest time for one TCP connection; a name may have several addresses."""
_LARGEST = 1 << 27
_CHUNK = 1 << 16
_CORRECT = "correct the kubeconfig"
_FILES = ("certificate-authority", "client-certificate", "client-key")


@dataclass(slots=True)
class Transport:
    """Connections with one login; `headers` carry it."""

    pool: Any
    server: str
    headers: Any
    certificate: str | None
    """The file of the client certificate."""

    def send(
        self, method: str, target: str, content: tuple[bytes | None, str], until: float
    ) -> tuple[int, bytes, str]:
        """Return the status, the body and Retry-After of an answer; raise a ClusterError."""
        import urllib3  # noqa: PLC0415 - comes with the extra

        body, kind = content
        headers = self.headers.copy()
        headers["Content-Type"] = kind
        left = max(until - time.monotonic(), 0.1)
        try:
            answer = self.pool.request(
                method, self.server + target, body=body, headers=headers, retries=False,
                redirect=False, preload_content=False,
                timeout=urllib3.Timeout(connect=min(_CONNECT, left), read=left),
            )  # fmt: skip
            try:
                data = self._read(answer, until)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError, zlib.error) as error:
            raise self._error(error) from None
        return answer.status, data, answer.headers.get("Retry-After", "")

    def _read(self, answer: Any, until: float) -> bytes:
        """Return the body; raise a TimeoutError at the deadline, however slowly it comes."""
        data = bytearray()
        while part := answer.read1(_CHUNK, decode_content=False):
            data += part
            if time.monotonic() > until:
                answer.close()
                raise TimeoutError
            if len(data) > _LARGEST:
                answer.close()
                raise ValueError
        if answer.headers.get("Content-Encoding", "") != "gzip":
            return bytes(data)
        return zlib.decompressobj(wbits=31).decompress(data, _LARGEST)

    def close(self) -> None:
        """Close all connections."""
        self.pool.clear()

    def _error(self, error: Exception) -> ClusterError:
        from urllib3 import exceptions  # noqa: PLC0415

        where = f"the API server {self.server}"
        if isinstance(error, exceptions.ProxyError):
            reason = _reason(error.original_error)
            return cluster_error(
                f"the proxy to {where} cannot be used: {reason}",
                "correct `proxy-url` in the kubeconfig, or HTTPS_PROXY and NO_PROXY",
            )
        if isinstance(error, (exceptions.SSLError, ssl.SSLError)):
            return cluster_error(f"no TLS with {where}: {_reason(error)}", _tls_remedy(error))
        if isinstance(error, (exceptions.TimeoutError, TimeoutError)) and not isinstance(
            error, exceptions.NewConnectionError
        ):
            return cluster_error(f"{where} did not answer in time", _REACH)
        return cluster_error(f"{where} cannot be reached: {_reason(error)}", _REACH)


_REACH = "check the network and `server` in the kubeconfig, then run the command again"


def _tls_remedy(error: Exception) -> str:
    if isinstance(_root(error), ssl.SSLCertVerificationError):
        return "correct `certificate-authority` or `tls-server-name` in the kubeconfig"
    return "check the certificates in the kubeconfig"


def _root(error: BaseException) -> BaseException:
    """Return the innermost error."""
    for _ in range(8):
        inner = error.__cause__ or error.__context__ or (error.args[-1] if error.args else None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def _reason(error: BaseException) -> str:
    """Return why a connection failed, in the system's words."""
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return root.verify_message.rstrip(".")
    if isinstance(root, ssl.SSLError):
        return (root.reason or "handshake failed").replace("_", " ").lower()
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    if isinstance(root, TimeoutError):
        return "no answer in time"
    return type(root).__name__


def open_transport(files: Kubeconfig, user: Mapping[str, Any]) -> Transport:
    """Return the transport of a context whose user is replaced by `user`."""
    import urllib3  # noqa: PLC0415
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415
    from kubernetes.config.kube_config import KubeConfigLoader  # noqa: PLC0415

    _refuse_missing_files(files)
    merged = copy.deepcopy(files.merged)
    for item in merged.value["users"]:
        if item.value.get("name") == files.user:
            item.value["user"] = dict(user)
    configuration = Configuration()
    try:
        loader = KubeConfigLoader(merged, active_context=files.context, config_base_path=None)
        loader.load_and_set(configuration)
        # Older releases of the client do not read it.
        configuration.proxy = word(files.entry("cluster", files.cluster)[0], "proxy-url") or (
            configuration.proxy
        )
        headers = _headers(configuration, user)
        # The kubeconfig asks for it, and kubectl does not warn either.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        pool = RESTClientObject(configuration).pool_manager
    except Exception:  # noqa: BLE001 - any shape of file; the texts of these errors hold secrets
        text = f"{files.shown}: the login of the context {files.context} cannot be read"
        raise cluster_error(text, _CORRECT) from None
    return Transport(pool, configuration.host.rstrip("/"), headers, configuration.cert_file)


def _refuse_missing_files(files: Kubeconfig) -> None:
    """Raise a ClusterError for a certificate or key of the context that is not there."""
    for kind, name in (("cluster", files.cluster), ("user", files.user)):
        entry, folder = files.entry(kind, name) if name else ({}, Path())
        for key in _FILES:
            file = folder / word(entry, key)
            if word(entry, key) and f"{key}-data" not in entry and not file.is_file():
                raise cluster_error(f"{files.shown}: `{key}`: {file} is not there", _CORRECT)


def _headers(configuration: Any, user: Mapping[str, Any]) -> Any:
    """Return the headers with the login, and with the user that it acts as."""
    import urllib3  # noqa: PLC0415

    headers = urllib3.HTTPHeaderDict({"Accept": "application/json", "Accept-Encoding": "gzip"})
    for setting in configuration.auth_settings().values():
        if setting["value"]:
            headers["Authorization"] = setting["value"]
    if word(user, "as"):
        headers["Impersonate-User"] = word(user, "as")
    for group in words(user, "as-groups"):
        headers.add("Impersonate-Group", group)
    return headers
