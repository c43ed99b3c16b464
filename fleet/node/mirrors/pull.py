"""The steps of a pull from one endpoint: its own page, token, manifest and first layer."""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

from fleet.core.containerd.requests import ACCEPT, Image, ping_path, pull_path
from fleet.core.masking.known import host_secrets, without_known
from fleet.core.masking.shown_text import tail
from fleet.core.mirrors.check import CheckStep, Observation, Target, Trouble, WireError
from fleet.core.model.mirror import Auth, Mirror
from fleet.node.mirrors.http import HttpResponse, Site
from fleet.node.mirrors.manifests import parse_json, platform_digests
from fleet.ssh.forward.tcp import Tunnel
from fleet.ssh.forward.tls import tls_context

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


def try_endpoint(test: EndpointTest) -> Observation:
    """Run the steps until one fails; return what was observed in either case."""
    try:
        context = tls_context(test.target.mirror, test.roots)
    except (ssl.SSLError, OSError, ValueError) as error:
        words = f"ca or client cannot be loaded: {error}"
        return Observation(steps=(CheckStep("tls", 0.0, trouble=Trouble.CERTIFICATE, words=words),))
    return _Pull(test, context).run()


@dataclass(slots=True)
class _Pull:
    """A test in progress; `token` authorizes the next request."""

    test: EndpointTest
    context: ssl.SSLContext
    token: str = ""
    observed: Observation = field(default_factory=Observation)
    steps: list[CheckStep] = field(default_factory=list)

    @property
    def mirror(self) -> Mirror:
        return self.test.target.mirror

    def run(self) -> Observation:
        site = self._make_site(self.mirror.scheme, self.mirror.authority)
        site.addresses = self.test.addresses
        if self.test.addresses:
            self.steps.append(CheckStep("dns", 0.0))
        with suppress(WireError):
            self._run_steps(site)
        site.close()
        secrets = host_secrets(self.mirror)  # a mirror may repeat the request's secrets
        steps = (replace(step, words=without_known(step.words, secrets)) for step in self.steps)
        return replace(self.observed, steps=tuple(steps), address=site.address)

    def _make_site(self, scheme: str, authority: str, *, record_host: bool = False) -> Site:
        site = Site(self.test.tunnel, scheme, authority, self.context, self.test.seconds)
        site.steps = self.steps
        site.step_host = authority if record_host else ""
        return site

    def _run_steps(self, site: Site) -> None:
        response = site.request("ping", ping_path(self.mirror), self._headers())
        image = self.test.target.image
        if image is None or response.html:
            return
        response = self._request_manifest(site, image, "HEAD", image.name)
        digest = response.headers.get("docker-content-digest", "")
        if response.status in {405, 501} or (response.status == 200 and not digest):
            response = self._request_manifest(site, image, "GET", image.name)
            digest = digest or f"sha256:{hashlib.sha256(response.body).hexdigest()}"
        if response.status == 404:
            self._check_override_path(site, image)
        if response.status != 200 or response.html:
            return
        self.observed = replace(self.observed, digest=digest)
        self._check_layer(site, image, self._platform_manifest(site, image, digest, response))

    def _platform_manifest(
        self, site: Site, image: Image, digest: str, response: HttpResponse
    ) -> dict[str, Any]:
        """Return the manifest of the node's own architecture."""
        if not response.body:
            response = self._fetch_manifest(site, image, digest)
        body = parse_json(response)
        entries = body.get("manifests")
        if not isinstance(entries, list):
            return body
        chosen = next(platform_digests(entries, self.test.architecture), None)
        return parse_json(self._fetch_manifest(site, image, chosen)) if chosen else {}

    def _fetch_manifest(self, site: Site, image: Image, digest: str) -> HttpResponse:
        """Request a manifest by digest; record its step only if it fails."""
        before = len(self.steps)
        response = site.request(
            "manifest", self._image_path(image, "manifests", digest), self._headers(ACCEPT)
        )
        if response.status == 200 and not response.html:
            other_steps = [step for step in self.steps[before:] if step.name != "manifest"]
            self.steps[before:] = other_steps
        else:
            raise WireError(Trouble.CLOSED)
        return response

    def _check_layer(self, site: Site, image: Image, manifest: Mapping[str, Any]) -> None:
        layers = manifest.get("layers") or []
        first = layers[0] if isinstance(layers, list) and layers else {}
        digest = str(first.get("digest", "")) if isinstance(first, dict) else ""
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            return
        response = self._fetch_layer(site, self._image_path(image, "blobs", digest))
        if response.status == 200 and not response.html:
            self.observed = replace(self.observed, size=len(response.body))
            if (
                response.complete
                and f"sha256:{hashlib.sha256(response.body).hexdigest()}" != digest
            ):
                words = f"{len(response.body)} bytes of the layer"
                self.steps[-1] = replace(self.steps[-1], trouble=Trouble.CORRUPT, words=words)

    def _fetch_layer(self, site: Site, path: str) -> HttpResponse:
        """Request a layer; follow redirects, and reach other hosts from the node too."""
        response = site.request("layer", path, self._headers(), max_bytes=self.test.size)
        url = f"{site.scheme}://{site.authority}{path}"
        for _ in range(_HOPS):
            if response.status not in _REDIRECTS or "location" not in response.headers:
                break
            parts = self._resolve_url("layer", url, response.headers["location"])
            url = parts.geturl()
            if parts.scheme not in {"http", "https"}:
                break
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            other = parts.netloc != site.authority
            del self.steps[-1]
            target_site = (
                self._make_site(parts.scheme, parts.netloc, record_host=other) if other else site
            )
            headers = {"User-Agent": _AGENT} if other else self._headers()
            response = target_site.request(
                "layer", target or "/", headers, max_bytes=self.test.size
            )
            if other:
                target_site.close()
        return response

    def _check_override_path(self, site: Site, image: Image) -> None:
        """Check whether override_path is the reason why an image was not found."""
        if not self.mirror.override_path:
            return
        mirror = replace(self.mirror, override_path=False)
        before = list(self.steps)
        with suppress(WireError):
            path = pull_path(mirror, image, "manifests", image.name)
            response = site.request("manifest", path, self._headers(ACCEPT), method="HEAD")
            self.observed = replace(self.observed, override_hurts=response.status in {200, 401})
        self.steps[:] = before

    # -- authorization -----------------------------------------------------------------------

    def _request_manifest(self, site: Site, image: Image, method: str, name: str) -> HttpResponse:
        """Request a manifest, with a token if the registry requires one."""
        path = self._image_path(image, "manifests", name)
        response = site.request("manifest", path, self._headers(ACCEPT), method=method)
        challenge = response.headers.get("www-authenticate", "")
        if response.status != 401 or self.token or not challenge:
            return response
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self.mirror.auth is not None:
            self.token = _basic_auth(self.mirror.auth)
        elif scheme.lower() == "bearer":
            self.token = self._fetch_token(dict(_CHALLENGE.findall(rest)), image, site)
        if not self.token:
            return response
        self.steps[:] = [step for step in self.steps if step.name != "manifest"]
        return site.request("manifest", path, self._headers(ACCEPT), method=method)

    def _fetch_token(self, challenge: Mapping[str, str], image: Image, site: Site) -> str:
        """Fetch a token from the challenge's realm, with the endpoint's own login if it has one."""
        base = f"{site.scheme}://{site.authority}"
        realm = self._resolve_url("token", base, challenge.get("realm", ""))
        scope = challenge.get("scope") or f"repository:{image.repository}:pull"
        fields = {"service": challenge.get("service", ""), "scope": scope}
        same_host = realm.netloc == site.authority and realm.scheme == site.scheme
        token_site = (
            site if same_host else self._make_site(realm.scheme, realm.netloc, record_host=True)
        )
        headers = {"User-Agent": _AGENT, "Accept": "application/json"}
        exposed = site.scheme == "https" and realm.scheme == "http"
        auth = None if exposed else self.mirror.auth
        if auth is not None and auth.identity_token is not None:
            form = {**fields, "grant_type": "refresh_token", "client_id": "fleet"}
            body = urlencode({**form, "refresh_token": str(auth.identity_token)}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            response = token_site.request(
                "token", realm.path or "/", headers, method="POST", body=body
            )
        else:
            if auth is not None:
                headers["Authorization"] = _basic_auth(auth)
            query = "&".join(filter(None, (realm.query, urlencode(fields, quote_via=quote))))
            response = token_site.request("token", f"{realm.path or '/'}?{query}", headers)
        self._set_token_host(realm.netloc)
        if not same_host:
            token_site.close()
        content = parse_json(response) if response.status == 200 else {}
        token = content.get("token") or content.get("access_token")
        if _is_token(token):
            return f"Bearer {token}"
        if response.status == 200 and not response.html:
            self.steps[-1] = replace(self.steps[-1], trouble=Trouble.NO_TOKEN)
        return ""

    def _resolve_url(self, step: str, base: str, location: str) -> SplitResult:
        """Return the parts of the URL that a response refers to, without a login."""
        try:
            parts = urlsplit(urljoin(base, location))
            usable = bool(parts.hostname) and _HOST.fullmatch(parts.netloc) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            words = tail(location[:_WORDS], 1)
            self.steps.append(CheckStep(step, 0.0, trouble=Trouble.BAD_URL, words=words))
            raise WireError(Trouble.BAD_URL, words)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2])

    def _set_token_host(self, host: str) -> None:
        self.steps[-1] = replace(self.steps[-1], host=host)

    def _headers(self, accept: str = "*/*") -> dict[str, str]:
        """Return the headers of a request to the endpoint itself; other hosts must not get them."""
        headers = {"User-Agent": _AGENT, "Accept": accept}
        headers |= {name: ", ".join(str(v) for v in values) for name, values in self.mirror.header}
        if self.token:
            headers["Authorization"] = self.token
        return headers

    def _image_path(self, image: Image, kind: str, name: str) -> str:
        return pull_path(self.mirror, image, kind, name)


def _is_token(token: object) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable()


def _basic_auth(auth: Auth) -> str:
    text = f"{auth.username}:{auth.password}"
    return f"Basic {base64.b64encode(text.encode()).decode()}"
