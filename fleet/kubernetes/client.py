"""A client of one cluster's API: raw JSON, a deadline for each call, failures without secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fleet.core.masking import without_logins
from fleet.core.text.documents import table, word
from fleet.kubernetes.certificates import expired_on
from fleet.kubernetes.errors import ClusterError, answered_error, cluster_error
from fleet.kubernetes.exec_plugin import Credential, run_plugin
from fleet.kubernetes.kubeconfig import Kubeconfig, read_kubeconfig, secrets_of, stored_token
from fleet.kubernetes.transport import Transport, open_transport

__all__ = ["Cluster", "ClusterError", "api_path"]

SECONDS = 30
"""The deadline of one call."""
PAGE = 500
_MOST_PAGES = 1000
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"


def api_path(*parts: str) -> str:
    """Return a path of the API from its parts, each quoted: `api`, `v1`, `nodes`, a name."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Cluster:
    """The API of one cluster. Every call raises a ClusterError if it fails."""

    def __init__(self, kubeconfig: Kubeconfig, seconds: float) -> None:
        self._kubeconfig = kubeconfig
        self._seconds = seconds
        self._credential: Credential | None = None
        self._secrets: frozenset[str] = frozenset()
        self._transport = self._log_in()

    @classmethod
    def connect(
        cls, kubeconfig: str | None = None, context: str | None = None, seconds: float = SECONDS
    ) -> Cluster:
        """Return the cluster of a context; None means kubectl's own files and present context.

        Nothing is asked of the API yet.
        """
        return cls(read_kubeconfig(kubeconfig, context or None), seconds)

    @property
    def name(self) -> str:
        """Return the name of the context."""
        return self._kubeconfig.context

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Return one object, or one page of a list."""
        return self._call("GET", path, query=query)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list; if it expires meanwhile, go on with what is there now."""
        token = ""
        for _ in range(_MOST_PAGES):
            asked = {"limit": PAGE, **query, **({"continue": token} if token else {})}
            try:
                page = self._call("GET", path, query=asked)
            except ClusterError as error:
                if error.status != 410 or not error.resume:
                    raise
                page = self._call("GET", path, query={**asked, "continue": error.resume})
            yield page
            token = word(table(page, "metadata"), "continue")
            if not token:
                return
        raise cluster_error(
            f"the cluster {self.name} sends an endless list", "report it to the cluster's owner"
        )

    def items(self, path: str, **query: str | int) -> list[Any]:
        """Return the items of a list, from all its pages; the first of two with one uid."""
        found: dict[str, Any] = {}
        for page in self.pages(path, **query):
            items = page.get("items")
            for item in items if isinstance(items, list) else ():
                metadata = table(item, "metadata")
                key = (
                    word(metadata, "uid")
                    or f"{word(metadata, 'namespace')}/{word(metadata, 'name')}"
                )
                found.setdefault(key, item)
        return list(found.values())

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object."""
        return self._call("POST", path, body=body)

    def patch(self, path: str, body: Mapping[str, Any] | list[Any]) -> dict[str, Any]:
        """Change an object by a merge patch; by a JSON patch if the body is a list."""
        return self._call("PATCH", path, body=body)

    def delete(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Delete an object; the body is its DeleteOptions."""
        return self._call("DELETE", path, body=body)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _call(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: Any = None
    ) -> dict[str, Any]:
        """Call the API; log in once more if the login has ended meanwhile."""
        if self._credential is not None and self._credential.expired(datetime.now(UTC)):
            self._log_in_again()
        until = time.monotonic() + self._seconds
        answer = self._send(method, path, query, body, until)
        if answer[0] == 401 and self._credential is not None:
            self._log_in_again()
            answer = self._send(method, path, query, body, until)
        status, content, _ = answer
        if status == 401 and (day := expired_on(self._transport.certificate, datetime.now(UTC))):
            raise cluster_error(
                f"the client certificate for the cluster {self.name} expired on {day}",
                "renew it: `kubeadm certs renew admin.conf`, or as your distribution does",
            )
        if not 200 <= status < 300:
            raise answered_error(self.name, (method, path), answer, self._secrets)
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise cluster_error(
                f"the cluster {self.name} answered {method} {path} with something that is not JSON",
                "check `server` and `proxy-url` in the kubeconfig",
            )
        return data

    def _send(
        self, method: str, path: str, query: Mapping[str, str | int] | None, body: Any, until: float
    ) -> tuple[int, bytes, str]:
        target = f"{path}?{urlencode(query)}" if query else path
        content = None if body is None else json.dumps(body).encode()
        kind = "application/json"
        if method == "PATCH":
            kind = _JSON_PATCH if isinstance(body, list) else _MERGE_PATCH
        return self._transport.send(method, target, (content, kind), until)

    def _log_in_again(self) -> None:
        self._transport.close()
        self._transport = self._log_in()

    def _log_in(self) -> Transport:
        """Return a transport with the context's login; run its credential plugin."""
        files = self._kubeconfig
        cluster, _ = files.entry("cluster", files.cluster)
        _refuse_server(files.shown, word(cluster, "server"))
        user, folder = files.entry("user", files.user) if files.user else ({}, Path())
        plugin = user.get("exec")
        if isinstance(plugin, Mapping):
            self._credential = run_plugin(plugin, folder, cluster, 2 * self._seconds)
            user = dict(self._credential.user)
        if token := stored_token(user, folder):
            user = {key: user[key] for key in user if key != "auth-provider"} | {"token": token}
        self._secrets = secrets_of(user)
        return open_transport(files, user)


def _refuse_server(shown: str, server: str) -> None:
    parts = urlsplit(server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        text = f"{shown}: {without_logins(server)!r} is not the URL of an API server"
        raise cluster_error(text, "correct `server` in the kubeconfig")
