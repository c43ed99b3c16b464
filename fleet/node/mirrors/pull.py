"""The steps of a pull from one endpoint: its own page, token, manifest and first layer."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from fleet.core.containerd.requests import ACCEPT, Image, ping_path, pull_path
from fleet.core.masking.known import host_secrets, without_known
from fleet.core.masking.shown_text import tail
from fleet.core.mirrors.check import Observation, Step, Target, Trouble, WireError
from fleet.core.model.mirror import Auth, Mirror
from fleet.node.mirrors.http import HttpResponse, Site
from fleet.ssh.forward.tcp import Tunnel
from fleet.ssh.forward.tls import trust

_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


_HOST = re.compile(r"[^\x00-\x20\x7f]+")


_WORDS = 200


_REDIRECTS = {301, 302, 303, 307, 308}


_HOPS = 3


_AGENT = "containerd/1.7 (fleet mirrors test)"
"""The User-Agent of containerd: some operators let only known clients in."""


@dataclass(frozen=True, slots=True)
class EndpointTest:
    """One test: its target, its tunnel, and the node's properties that it depends on."""

    target: Target
    tunnel: Tunnel
    roots: str = ""
    architecture: str = "amd64"
    seconds: float = 5
    size: int = 1 << 20
    addresses: tuple[str, ...] = ()


def try_endpoint(probe: EndpointTest) -> Observation:
    """Run the steps until one fails; return what was observed in either case."""
    try:
        context = trust(probe.target.mirror, probe.roots)
    except (ssl.SSLError, OSError, ValueError) as error:
        words = f"ca or client cannot be loaded: {error}"
        return Observation(steps=(Step("tls", 0.0, trouble=Trouble.CERTIFICATE, words=words),))
    return _Pull(probe, context).run()


@dataclass(slots=True)
class _Pull:
    """A test in progress; `token` authorizes the next request."""

    probe: EndpointTest
    context: ssl.SSLContext
    token: str = ""
    found: Observation = field(default_factory=Observation)
    steps: list[Step] = field(default_factory=list)

    @property
    def mirror(self) -> Mirror:
        return self.probe.target.mirror

    def run(self) -> Observation:
        site = self._site(self.mirror.scheme, self.mirror.authority)
        site.addresses = self.probe.addresses
        if self.probe.addresses:
            self.steps.append(Step("dns", 0.0))
        with suppress(WireError):
            self._steps(site)
        site.close()
        secrets = host_secrets(self.mirror)  # a mirror may repeat the request's secrets
        steps = (replace(step, words=without_known(step.words, secrets)) for step in self.steps)
        return replace(self.found, steps=tuple(steps), address=site.address)

    def _site(self, scheme: str, authority: str, *, other: bool = False) -> Site:
        site = Site(self.probe.tunnel, scheme, authority, self.context, self.probe.seconds)
        site.steps = self.steps
        site.named = authority if other else ""
        return site

    def _steps(self, site: Site) -> None:
        said = site.ask("ping", ping_path(self.mirror), self._headers())
        image = self.probe.target.image
        if image is None or said.html:
            return
        said = self._authorized(site, image, "HEAD", image.name)
        digest = said.headers.get("docker-content-digest", "")
        if said.status in {405, 501} or (said.status == 200 and not digest):
            said = self._authorized(site, image, "GET", image.name)
            digest = digest or f"sha256:{hashlib.sha256(said.body).hexdigest()}"
        if said.status == 404:
            self._look_elsewhere(site, image)
        if said.status != 200 or said.html:
            return
        self.found = replace(self.found, digest=digest)
        self._layer(site, image, self._manifest(site, image, digest, said))

    def _manifest(
        self, site: Site, image: Image, digest: str, said: HttpResponse
    ) -> dict[str, Any]:
        """Return the manifest of the node's own architecture."""
        if not said.body:
            said = self._quiet(site, image, digest)
        body = _json(said)
        entries = body.get("manifests")
        if not isinstance(entries, list):
            return body
        chosen = next(_of_platform(entries, self.probe.architecture), None)
        return _json(self._quiet(site, image, chosen)) if chosen else {}

    def _quiet(self, site: Site, image: Image, digest: str) -> HttpResponse:
        """Request a manifest by digest; record its step only if it fails."""
        before = len(self.steps)
        said = site.ask("manifest", self._path(image, "manifests", digest), self._headers(ACCEPT))
        if said.status == 200 and not said.html:
            kept = [step for step in self.steps[before:] if step.name != "manifest"]
            self.steps[before:] = kept
        else:
            raise WireError(Trouble.CLOSED)
        return said

    def _layer(self, site: Site, image: Image, manifest: Mapping[str, Any]) -> None:
        layers = manifest.get("layers") or []
        first = layers[0] if isinstance(layers, list) and layers else {}
        digest = str(first.get("digest", "")) if isinstance(first, dict) else ""
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            return
        said = self._followed(site, self._path(image, "blobs", digest))
        if said.status == 200 and not said.html:
            self.found = replace(self.found, size=len(said.body))
            if said.whole and f"sha256:{hashlib.sha256(said.body).hexdigest()}" != digest:
                words = f"{len(said.body)} bytes of the layer"
                self.steps[-1] = replace(self.steps[-1], trouble=Trouble.CORRUPT, words=words)

    def _followed(self, site: Site, path: str) -> HttpResponse:
        """Request a layer; follow redirects, and reach other hosts from the node too."""
        said = site.ask("layer", path, self._headers(), most=self.probe.size)
        url = f"{site.scheme}://{site.authority}{path}"
        for _ in range(_HOPS):
            if said.status not in _REDIRECTS or "location" not in said.headers:
                break
            parts = self._led("layer", url, said.headers["location"])
            url = parts.geturl()
            if parts.scheme not in {"http", "https"}:
                break
            where = parts.path + (f"?{parts.query}" if parts.query else "")
            other = parts.netloc != site.authority
            del self.steps[-1]
            to = self._site(parts.scheme, parts.netloc, other=other) if other else site
            headers = {"User-Agent": _AGENT} if other else self._headers()
            said = to.ask("layer", where or "/", headers, most=self.probe.size)
            if other:
                to.close()
        return said

    def _look_elsewhere(self, site: Site, image: Image) -> None:
        """Check whether override_path is the reason why an image was not found."""
        if not self.mirror.override_path:
            return
        turned = replace(self.mirror, override_path=False)
        before = list(self.steps)
        with suppress(WireError):
            path = pull_path(turned, image, "manifests", image.name)
            said = site.ask("manifest", path, self._headers(ACCEPT), method="HEAD")
            self.found = replace(self.found, override_hurts=said.status in {200, 401})
        self.steps[:] = before

    # -- authorization -----------------------------------------------------------------------

    def _authorized(self, site: Site, image: Image, method: str, name: str) -> HttpResponse:
        """Request a manifest, with a token if the registry requires one."""
        path = self._path(image, "manifests", name)
        said = site.ask("manifest", path, self._headers(ACCEPT), method=method)
        challenge = said.headers.get("www-authenticate", "")
        if said.status != 401 or self.token or not challenge:
            return said
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self.mirror.auth is not None:
            self.token = _basic(self.mirror.auth)
        elif scheme.lower() == "bearer":
            self.token = self._bearer(dict(_CHALLENGE.findall(rest)), image, site)
        if not self.token:
            return said
        self.steps[:] = [step for step in self.steps if step.name != "manifest"]
        return site.ask("manifest", path, self._headers(ACCEPT), method=method)

    def _bearer(self, about: Mapping[str, str], image: Image, site: Site) -> str:
        """Fetch a token from the challenge's realm, with the endpoint's own login if it has one."""
        base = f"{site.scheme}://{site.authority}"
        realm = self._led("token", base, about.get("realm", ""))
        scope = about.get("scope") or f"repository:{image.repository}:pull"
        asked = {"service": about.get("service", ""), "scope": scope}
        own = realm.netloc == site.authority and realm.scheme == site.scheme
        to = site if own else self._site(realm.scheme, realm.netloc, other=True)
        headers = {"User-Agent": _AGENT, "Accept": "application/json"}
        exposed = site.scheme == "https" and realm.scheme == "http"
        auth = None if exposed else self.mirror.auth
        if auth is not None and auth.identity_token is not None:
            form = {**asked, "grant_type": "refresh_token", "client_id": "fleet"}
            body = urlencode({**form, "refresh_token": str(auth.identity_token)}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            said = to.ask("token", realm.path or "/", headers, method="POST", body=body)
        else:
            if auth is not None:
                headers["Authorization"] = _basic(auth)
            query = "&".join(filter(None, (realm.query, urlencode(asked, quote_via=quote))))
            said = to.ask("token", f"{realm.path or '/'}?{query}", headers)
        self._name_token(realm.netloc)
        if not own:
            to.close()
        body_ = _json(said) if said.status == 200 else {}
        token = body_.get("token") or body_.get("access_token")
        if _is_token(token):
            return f"Bearer {token}"
        if said.status == 200 and not said.html:
            self.steps[-1] = replace(self.steps[-1], trouble=Trouble.NO_TOKEN)
        return ""

    def _led(self, step: str, base: str, given: str) -> SplitResult:
        """Return the parts of the URL that a response refers to, without a login."""
        try:
            parts = urlsplit(urljoin(base, given))
            usable = bool(parts.hostname) and _HOST.fullmatch(parts.netloc) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            words = tail(given[:_WORDS], 1)
            self.steps.append(Step(step, 0.0, trouble=Trouble.BAD_URL, words=words))
            raise WireError(Trouble.BAD_URL, words)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2])

    def _name_token(self, host: str) -> None:
        self.steps[-1] = replace(self.steps[-1], host=host)

    def _headers(self, accept: str = "*/*") -> dict[str, str]:
        """Return the headers of a request to the endpoint itself; other hosts must not get them."""
        found = {"User-Agent": _AGENT, "Accept": accept}
        found |= {name: ", ".join(str(v) for v in values) for name, values in self.mirror.header}
        if self.token:
            found["Authorization"] = self.token
        return found

    def _path(self, image: Image, kind: str, name: str) -> str:
        return pull_path(self.mirror, image, kind, name)


def _is_token(token: object) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable()


def _basic(auth: Auth) -> str:
    text = f"{auth.username}:{auth.password}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def _json(said: HttpResponse) -> dict[str, Any]:
    try:
        body = json.loads(said.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _of_platform(entries: list[Any], architecture: str) -> Iterator[str]:
    """Yield the digests of manifests for a node's architecture under Linux."""
    for each in entries:
        platform = each.get("platform") if isinstance(each, dict) else None
        about = platform if isinstance(platform, dict) else {}
        if about.get("architecture") == architecture and about.get("os", "linux") == "linux":
            yield str(each.get("digest", ""))
