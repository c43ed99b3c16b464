"""A mirror that misbehaves when told to; run as a program, with the standard library alone.

Arguments: address, port, the real registry's address, its own folder, the folder of certificates.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ADDRESS, PORT, UPSTREAM, FOLDER, TLS = sys.argv[1:6] if len(sys.argv) > 5 else ("",) * 5
REFUSALS = {"404": 404, "401": 401, "403": 403, "500": 500}
SLOW_SECONDS = 3


def mode(client: str) -> str:
    """Read how to behave towards a client, or towards all of them."""
    for name in (f"mode-{client}.json", "mode.json"):
        try:
            return str(json.loads((Path(FOLDER) / name).read_text())["mode"])
        except (OSError, ValueError, KeyError):
            continue
    return "ok"


class Handler(BaseHTTPRequestHandler):
    """Answer as the mode says, else as the real registry does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD."""
        self._answer()

    def _answer(self) -> None:
        now = mode(self.client_address[0])
        if now == "hang":
            time.sleep(600)
        if now == "slow":
            time.sleep(SLOW_SECONDS)
        if now in REFUSALS:
            self._refuse(REFUSALS[now])
        elif now == "403-blobs" and "/blobs/" in self.path:
            self._refuse(403)
        else:
            self._proxy(stale=now == "stale", dying=now == "die" and "/blobs/" in self.path)

    def _refuse(self, status: int) -> None:
        body = json.dumps(
            {"errors": [{"code": "LAB", "message": f"told to say {status}"}]}
        ).encode()
        self._send(status, [("Content-Type", "application/json")], body)

    def _proxy(self, *, stale: bool, dying: bool = False) -> None:
        path, mark, query = self.path.partition("?")
        head, slash, tag = path.rpartition("/")
        if stale and head.endswith("/manifests") and not tag.startswith("sha256:"):
            path = f"{head}{slash}stale-{tag}"
        connection = http.client.HTTPConnection(UPSTREAM, 80, timeout=10)
        wanted = {"Accept": self.headers.get("Accept", "*/*")}
        connection.request(self.command, path + mark + query, headers=wanted)
        answer = connection.getresponse()
        kept = ("content-type", "docker-content-digest", "docker-distribution-api-version")
        fields = [(key, value) for key, value in answer.getheaders() if key.lower() in kept]
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
        body = answer.read()
        if dying:  # promise the whole, send half, and hang up
            length, body = str(len(body)), body[: len(body) // 2]
            self.close_connection = True
        self._send(answer.status, fields, body, length)

    def _send(
        self, status: int, fields: list[tuple[str, str]], body: bytes, length: str | None = None
    ) -> None:
        self.send_response(status)
        for key, value in fields:
            self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_date_time_string(self) -> str:
        """Stamp the log as other registries do."""
        return datetime.now(timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000")  # noqa: UP017


class Server(ThreadingHTTPServer):
    """A server whose hanging requests do not keep it from ending."""

    daemon_threads = True


def main() -> None:
    """Serve until the end."""
    server = Server((ADDRESS, int(PORT)), Handler)
    if PORT == "443":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{TLS}/server.crt", f"{TLS}/server.key")
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.serve_forever()


if __name__ == "__main__":
    main()
