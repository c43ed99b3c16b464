"""A mirror that misbehaves when told to; run as a program, with the standard library alone.

Arguments: address, port, the real registry's address, its own folder, the folder of certificates.
What it does is told by a file, or by the name that it is called by: portal.flaky.lab.test always
shows a page, expired.flaky.lab.test always has a certificate that is out of its time.
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
REFUSALS = {"404": 404, "401": 401, "403": 403, "429": 429, "500": 500}
SLOW_SECONDS = 3
SLUGGISH_SECONDS = 2.2
TOKEN = "lab-token"  # no secret: it is what this mirror gives to everybody
LOGIN = "Basic bGFiOmxhYg=="
"""What lets lab with the password lab in."""
PAGE = b"<!DOCTYPE html><title>Welcome</title><p>Please log in to the network."


def mode(client: str, host: str, path: str) -> str:
    """Read how to behave over a repository, towards a client or all; some names say it at once."""
    said, dot, rest = host.partition(":")[0].partition(".")
    if dot and rest == "flaky.lab.test":
        return said
    try:
        modes = json.loads((Path(FOLDER) / "repositories.json").read_text())
    except (OSError, ValueError):
        modes = {}
    for repository, told in modes.items():
        if path.startswith(f"/v2/{repository}/"):
            return str(told)
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
        now = mode(self.client_address[0], self.headers.get("Host", ""), self.path)
        if now == "hang":
            time.sleep(600)
        if now == "slow":
            time.sleep(SLOW_SECONDS)
        if now == "sluggish" and self.command == "HEAD":
            time.sleep(SLUGGISH_SECONDS)
        if not self._lets_in(now):
            return
        if now == "moved" and not self.path.startswith("/v2/docker.io/library/"):
            self._refuse(404)
        elif now == "corrupt" and "/blobs/" in self.path:
            self._send(200, [("Content-Type", "application/octet-stream")], b"not what it was")
        elif not self._refused(now):
            self._proxy(stale=now == "stale", dying=now == "die" and "/blobs/" in self.path)

    def _lets_in(self, now: str) -> bool:
        """Keep out whom the mode keeps out."""
        if now == "portal":
            self._send(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)
        elif now == "client" and not self.connection.getpeercert():
            self._refuse(403)
        elif now == "basic" and self.headers.get("Authorization") != LOGIN:
            self._send(401, [("WWW-Authenticate", 'Basic realm="lab"')], b"{}")
        else:
            return not now.startswith("token") or self._knows(now)
        return False

    def _knows(self, now: str) -> bool:
        """Give a token to all who ask for one, and ask for it; say whether this one had it."""
        if self.path.startswith("/token"):
            if now == "token-403":
                self._refuse(403)
            else:
                body = json.dumps({"token": TOKEN}).encode()
                self._send(200, [("Content-Type", "application/json")], body)
            return False
        if self.headers.get("Authorization") == f"Bearer {TOKEN}" and now != "token-useless":
            return True
        host = "[" if now == "token-nowhere" else self.headers.get("Host")
        realm = f'Bearer realm="https://{host}/token",service="lab"'
        self._send(401, [("WWW-Authenticate", realm)], b"{}")
        return False

    def _refused(self, now: str) -> bool:
        blob = "/blobs/" in self.path
        if now in REFUSALS:
            self._refuse(REFUSALS[now])
        elif now == "login" and "Authorization" not in self.headers:
            self._refuse(401, ("WWW-Authenticate", 'Basic realm="lab"'))
        elif now == "403-blobs" and blob:
            self._refuse(403)
        elif now == "led-nowhere" and blob:
            self._refuse(307, ("Location", "https://[/v2/"))
        else:
            return False
        return True

    def _refuse(self, status: int, *fields: tuple[str, str]) -> None:
        body = json.dumps(
            {"errors": [{"code": "LAB", "message": f"told to say {status}"}]}
        ).encode()
        self._send(status, [("Content-Type", "application/json"), *fields], body)

    def _proxy(self, *, stale: bool, dying: bool = False) -> None:
        path, mark, query = self.path.replace("/v2/docker.io/", "/v2/").partition("?")
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
        context.load_verify_locations(f"{TLS}/ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        others = {}
        for name in ("expired", "stranger"):
            others[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            others[name].load_cert_chain(f"{TLS}/{name}.crt", f"{TLS}/server.key")

        def by_name(wrapped: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            wrapped.context = others.get((name or "").partition(".")[0], context)

        context.sni_callback = by_name
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.serve_forever()


if __name__ == "__main__":
    main()
