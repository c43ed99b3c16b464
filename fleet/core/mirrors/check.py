"""The check of one endpoint from one node: the steps seen, and their result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.core.containerd.requests import Image
from fleet.core.model.mirror import Mirror

MEASURABLE = 64 * 1024
"""Bytes of a layer below which its throughput is not measured."""


class Trouble(StrEnum):
    """The causes below HTTP that end a step without a response."""

    NO_DNS = "no_dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    PROHIBITED = "prohibited"
    EXPIRED = "expired"
    WRONG_NAME = "wrong_name"
    UNKNOWN_CA = "unknown_ca"
    CERTIFICATE = "certificate"
    NOT_TLS = "not_tls"
    NOT_HTTP = "not_http"
    BAD_URL = "bad_url"
    NO_TOKEN = "no_token"  # noqa: S105 - not a secret
    CORRUPT = "corrupt"


class WireError(Exception):
    """An error below HTTP that ends a step early; `words` is its text."""

    def __init__(self, trouble: Trouble, words: str = "") -> None:
        self.trouble, self.words = trouble, words
        super().__init__(words or str(trouble))


class Diagnosis(StrEnum):
    """The possible results of a test of one endpoint."""

    OK = "ok"
    SLOW = "slow"
    STALE = "stale"
    NO_DNS = "no_dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DROPS = "drops_packets"
    HANGS = "hangs"
    HANGS_UP = "hangs_up"
    EXPIRED = "certificate_expired"
    WRONG_NAME = "certificate_wrong_name"
    UNKNOWN_CA = "unknown_ca"
    CERTIFICATE = "bad_certificate"
    NOT_TLS = "no_tls"
    NOT_HTTP = "no_http"
    LOGIN = "needs_login"
    LOGIN_REFUSED = "login_refused"
    FORBIDDEN = "forbidden"
    NOT_ALLOWED = "not_in_allow_list"
    NOT_FOUND = "not_found"
    LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    STRANGE = "strange_answer"
    PORTAL = "web_page"
    CORRUPT = "corrupt"
    PROHIBITED = "not_forwarded"

    @property
    def serves(self) -> bool:
        """Return whether nodes get what they ask for, however slowly."""
        return self in {Diagnosis.OK, Diagnosis.SLOW}

    @property
    def blocks(self) -> bool:
        """Return whether a pull ends here and asks no other mirror: worse than a dead endpoint."""
        return self in {Diagnosis.HANGS, Diagnosis.PORTAL}

    @property
    def label(self) -> str:
        """Return the diagnosis in words."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a test: one endpoint of a registry, and an image of the registry if known."""

    registry: str
    mirror: Mirror
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One observed step: dns, tcp, tls, ping (which is /v2/), token, manifest or layer.

    `status` is that of HTTP, 0 if there was none. `host` is set if a redirect or a token server led
    to another host than the endpoint's own.
    """

    name: str
    seconds: float
    status: int = 0
    html: bool = False
    trouble: Trouble | None = None
    words: str = ""
    host: str = ""

    @property
    def shown(self) -> str:
        """Return the name of the step as users see it."""
        return "/v2/" if self.name == "ping" else self.name

    @property
    def ok(self) -> bool:
        """Return whether the step succeeded; a ping succeeds with status 401 too."""
        expected = self.status in {0, 200, 206} or (self.name == "ping" and self.status == 401)
        return self.trouble is None and expected and not self.html


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that one test observed; `size` is the bytes of the layer that its step received."""

    steps: tuple[CheckStep, ...] = ()
    address: str = ""
    digest: str = ""
    size: int = 0
    override_hurts: bool = False

    def step(self, name: str) -> CheckStep | None:
        """Return a step by its name; None if the test did not reach it."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def first_byte(self) -> float | None:
        """Return the seconds that the manifest took, else those of /v2/; None if it failed."""
        step = self.step("manifest") or self.step("ping")
        return step.seconds if step and step.ok else None

    @property
    def rate(self) -> float | None:
        """Return the layer's bytes per second; None if the layer was too small to measure."""
        layer = self.step("layer")
        if layer is None or self.size < MEASURABLE or not layer.seconds:
            return None
        return self.size / layer.seconds

    @property
    def seconds(self) -> float:
        """Return the seconds that all steps took together."""
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCheck:
    """The result of one test; `proxy` is the proxy that the daemon would use, unlike the test."""

    target: Target
    seen: Observation
    diagnosis: Diagnosis
    message: str = ""
    proxy: str | None = None
