"""A Kubernetes API server on loopback: its answers come from a function."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked; `query` has the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; data that is not bytes is sent as JSON."""

    status: int = 200
    data: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


Respond = Callable[[Request], Answer]


@dataclass(slots=True)
class ApiServer:
    """A server while it runs: its URL, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)

    def kubeconfig(self, folder: Path, **user: Any) -> Path:
        """Write a kubeconfig with one context, `lab`; `user` is its user's login."""
        return write_kubeconfig(folder / "kubeconfig", self.url, user or {"token": "t0ken-of-lab"})


def write_kubeconfig(path: Path, server: str, user: Mapping[str, Any]) -> Path:
    """Write a kubeconfig with the context `lab`, as JSON, which is YAML as well."""
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": dict(user)}],
    }
    path.write_text(json.dumps(data))
    return path


@contextmanager
def api_server(respond: Respond) -> Iterator[ApiServer]:
    """Serve on loopback until the block ends."""
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                json.loads(body) if body else None,
                dict(self.headers),
            )
            seen.append(request)
            answer = respond(request)
            data = (
                answer.data if isinstance(answer.data, bytes) else json.dumps(answer.data).encode()
            )
            with suppress(OSError):  # the client may have left
                self._send(answer, data)

        def _send(self, answer: Answer, data: bytes) -> None:
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(data)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - their names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Write no log."""

        def log_error(self, format: str, *args: object) -> None:  # noqa: A002
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield ApiServer(f"http://127.0.0.1:{server.server_address[1]}", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status_object(code: int, reason: str, message: str = "", *causes: str) -> Answer:
    """Return an error as the API sends it: a Status object."""
    details = {"causes": [{"reason": cause} for cause in causes]}
    data = {"kind": "Status", "status": "Failure", "code": code, "reason": reason}
    return Answer(code, {**data, "message": message, "details": details})


def node_object(name: str, address: str = "", **status: Any) -> dict[str, Any]:
    """Return a Node object that is Ready, as raw JSON; `status` adds to its status."""
    kinds = {"InternalIP": address, "Hostname": name}
    return {
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": {}, "resourceVersion": "1"},
        "spec": {},
        "status": {
            "addresses": [{"type": kind, "address": text} for kind, text in kinds.items() if text],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {
                "containerRuntimeVersion": "containerd://1.7.24",
                "operatingSystem": "linux",
            },
            **status,
        },
    }


def listing(objects: list[dict[str, Any]]) -> Respond:
    """Return what answers any list by these objects, in pages as large as the client asks."""

    def respond(request: Request) -> Answer:
        start = int(request.query.get("continue", "0"))
        end = start + int(request.query.get("limit", str(len(objects) or 1)))
        rest = str(end) if end < len(objects) else ""
        page = {"kind": "List", "metadata": {"continue": rest}, "items": objects[start:end]}
        return Answer(data=page)

    return respond
