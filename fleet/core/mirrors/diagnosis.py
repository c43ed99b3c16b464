"""The diagnosis of an endpoint's check: the fault and its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fleet.core.mirrors.check import (
    CheckStep,
    Diagnosis,
    EndpointCheck,
    Observation,
    Target,
    Trouble,
)

SLOW = 2.0
"""Seconds to the first byte of a manifest from which a mirror counts as slow."""


SLOW_RATE = 100 * 1024
"""Bytes per second below which a mirror counts as slow, if the layer was large enough."""


_NAMED = 2


_TROUBLES = {
    Trouble.NO_DNS: (
        Diagnosis.NO_DNS,
        "the node cannot resolve {host} ({words}): check the name and the node's resolv.conf",
    ),
    Trouble.REFUSED: (
        Diagnosis.REFUSED,
        "{host} refuses the connection: nothing listens there; remove it if that stays so",
    ),
    Trouble.UNREACHABLE: (
        Diagnosis.UNREACHABLE,
        "the node has no route to {host} ({words}): check its routes and the firewall",
    ),
    Trouble.PROHIBITED: (
        Diagnosis.PROHIBITED,
        "the node's sshd forbids connections to {host} (PermitOpen): allow them for this user",
    ),
    Trouble.EXPIRED: (
        Diagnosis.EXPIRED,
        "the certificate of {host} has expired or is not valid yet ({words}): ask the mirror's"
        " operator to renew it",
    ),
    Trouble.WRONG_NAME: (
        Diagnosis.WRONG_NAME,
        "the certificate is not for {host} ({words}): check the URL, and for a proxy in between",
    ),
    Trouble.UNKNOWN_CA: (
        Diagnosis.UNKNOWN_CA,
        "the node does not trust the CA that signed the certificate of {host} ({words}): set `ca`,"
        " or add the CA to the node's bundle",
    ),
    Trouble.CERTIFICATE: (
        Diagnosis.CERTIFICATE,
        "TLS with {host} fails ({words}): check whether it needs a client certificate (`client`)",
    ),
    Trouble.NOT_TLS: (
        Diagnosis.NOT_TLS,
        "{host} does not speak TLS on this port ({words}): check whether it should be http://",
    ),
    Trouble.BAD_URL: (Diagnosis.STRANGE, "{host} redirects to an invalid URL ({words})"),
    Trouble.NO_TOKEN: (Diagnosis.STRANGE, "its token server {host} sends no token"),
    Trouble.NOT_HTTP: (Diagnosis.NOT_HTTP, "{host} does not speak HTTP ({words})"),
    Trouble.CORRUPT: (
        Diagnosis.CORRUPT,
        "{host} sends content that does not match its digest ({words}): its cache is broken",
    ),
}


_WAITS = "; containerd before 2.3 waits for it forever and tries no other mirror"


def diagnose(target: Target, seen: Observation) -> tuple[Diagnosis, str]:
    """Return the result of a test, and a message with the fault and its remedy.

    The first step without any response decides, else the last step. A registry may refuse /v2/ and
    still serve the image, so earlier responses do not decide.
    """
    for step in seen.steps:
        if step.trouble is not None:
            return _diagnose_trouble(target, step)
    last = seen.steps[-1] if seen.steps else None
    if last is not None and not last.ok:
        return _diagnose_response(target, seen, last)
    return _diagnose_speed(seen)


def _diagnose_trouble(target: Target, step: CheckStep) -> tuple[Diagnosis, str]:
    host = step.host or target.mirror.authority
    where = "" if step.host in {"", target.mirror.authority} else f" (at the {step.name} step)"
    match step.trouble:
        case Trouble.TIMEOUT if step.name == "tcp":
            text = f"no answer from {host}: a firewall drops the packets, or the host is down"
            cost = "; each request costs a pull 30 s, unless dial_timeout is shorter"
            return Diagnosis.DROPS, f"{text}{where}{cost}"
        case Trouble.TIMEOUT if step.name == "dns":
            return Diagnosis.NO_DNS, f"the node's DNS does not answer for {host} in time"
        case Trouble.TIMEOUT:
            text = f"{host} accepts the connection but never answers ({step.shown})"
            return Diagnosis.HANGS, text + _WAITS
        case Trouble.CLOSED:
            message = f"{host} closes the connection early ({step.shown}: {step.words})"
            return Diagnosis.HANGS_UP, message
        case _:
            diagnosis, text = _TROUBLES[step.trouble or Trouble.NOT_HTTP]
            return diagnosis, text.format(host=host, words=step.words or step.trouble) + where


def _diagnose_response(target: Target, seen: Observation, step: CheckStep) -> tuple[Diagnosis, str]:
    """Return the diagnosis of a failed response, which depends on the step and the status."""
    what = _request_text(target, step)
    if step.html and step.status in {200, 206}:
        text = f"a web page instead of {what}: a captive portal, a login page, or not a registry"
        return Diagnosis.PORTAL, f"{text}; a pull fails here and tries no other mirror"
    if step.name == "token":
        return _diagnose_token(target, step)
    if step.status == 401:
        return _diagnose_login(target, seen, what)
    return _diagnose_status(target, seen, step, what)


def _diagnose_status(
    target: Target, seen: Observation, step: CheckStep, what: str
) -> tuple[Diagnosis, str]:
    text = f"{step.status} for {what}"
    match step.status:
        case 403 if step.name == "layer":
            diagnosis = Diagnosis.NOT_ALLOWED
            text = (
                "it has the manifest but refuses the layers (403): the image is not in its"
                " allow-list; ask its operator, or list it after other mirrors"
            )
        case 403:
            diagnosis = Diagnosis.FORBIDDEN
            text += ": it refuses this image or this network; ask its operator"
        case 404:
            diagnosis = Diagnosis.NOT_FOUND
            text += _path_hint(target, seen)
        case 429 | 408:
            diagnosis = Diagnosis.LIMITED
            text += ": too many requests; set credentials in configs, or wait"
        case status if status >= 500:
            diagnosis = Diagnosis.SERVER_ERROR
            text += ": an error of the mirror itself"
        case _:
            diagnosis = Diagnosis.STRANGE
            text += "; it requires https://" if "https" in step.words.lower() else ""
    return diagnosis, text + (f" ({step.words})" if step.words else "")


def _request_text(target: Target, step: CheckStep) -> str:
    at = f" at {step.host}" if step.host else ""
    if step.name == "ping" or target.image is None:
        return f"/v2/{at}"
    words = {"manifest": f"the manifest of {target.image}", "layer": "its first layer"}
    return f"{words.get(step.name, step.name)}{at}"


def _diagnose_token(target: Target, step: CheckStep) -> tuple[Diagnosis, str]:
    known = target.mirror.auth is not None
    if step.status in {401, 403}:
        text = f"its token server {step.host} answers {step.status}"
        if known:
            return Diagnosis.LOGIN_REFUSED, f"{text}: it refuses the credentials in configs"
        return Diagnosis.LOGIN, f"{text}: it needs credentials; set them in configs"
    return Diagnosis.STRANGE, f"its token server {step.host} answers {step.status}"


def _diagnose_login(target: Target, seen: Observation, what: str) -> tuple[Diagnosis, str]:
    if target.mirror.auth is not None:
        return Diagnosis.LOGIN_REFUSED, f"401 for {what}: it refuses the credentials in configs"
    if seen.step("token") is not None:
        text = f"401 for {what}, even with an anonymous token"
        return Diagnosis.LOGIN, f"{text}: it needs credentials; set them in configs"
    return Diagnosis.LOGIN, f"401 for {what}: it needs credentials; set them in configs"


def _path_hint(target: Target, seen: Observation) -> str:
    mirror = target.mirror
    if seen.override_hurts:
        return "; it is found without override_path"
    if mirror.override_path and not mirror.path:
        return ": override_path without a path leaves /v2 out"
    if mirror.path:
        return f": check the path {mirror.path}, and whether the mirror has the image"
    return ": the mirror does not have it, or mirrors another registry"


def _diagnose_speed(seen: Observation) -> tuple[Diagnosis, str]:
    first, rate = seen.first_byte, seen.rate
    if first is not None and first >= SLOW:
        return Diagnosis.SLOW, f"{first:.1f} s to the first byte"
    if rate is not None and rate < SLOW_RATE:
        return Diagnosis.SLOW, f"{rate / 1024:.0f} KiB/s"
    return Diagnosis.OK, ""


def compared(nodes: Sequence[tuple[EndpointCheck, ...]]) -> list[tuple[EndpointCheck, ...]]:
    """Mark endpoints whose digest for a tag differs from that of most others.

    The digests from one node's own endpoints are compared. A digest that only other nodes got
    counts if more nodes got it than got this one. So a single node, whose results may be false,
    cannot change the result of another.
    """
    digests: _Digests = {}
    for number, results in enumerate(nodes):
        for check in results:
            if check.seen.digest and check.target.image is not None:
                by_digest = digests.setdefault(str(check.target.image), {})
                urls = by_digest.setdefault(check.seen.digest, {}).setdefault(number, set())
                urls.add(check.target.mirror.url)
    return [
        tuple(_mark_stale(check, digests, number) for check in results)
        for number, results in enumerate(nodes)
    ]


_Digests = dict[str, dict[str, dict[int, set[str]]]]
"""The URLs that gave an image a digest, by image, digest and node."""


def _relevant_digests(
    by_digest: dict[str, dict[int, set[str]]], own: str, node: int
) -> dict[str, set[str]]:
    """Return the digests that count for one node, with the URLs that gave them."""
    relevant = {digest: urls[node] for digest, urls in by_digest.items() if node in urls}
    for digest, urls in by_digest.items():
        others = urls.keys() - {node}
        if len(others) > len(by_digest[own]) or digest == own:
            relevant[digest] = set().union(*urls.values())
    return relevant


def _mark_stale(check: EndpointCheck, digests: _Digests, node: int) -> EndpointCheck:
    by_digest, own = digests.get(str(check.target.image), {}), check.seen.digest
    if not check.diagnosis.serves or own not in by_digest:
        return check
    relevant = _relevant_digests(by_digest, own, node)
    if len(relevant) < 2:
        return check
    counts = sorted((len(urls) for urls in relevant.values()), reverse=True)
    if len(relevant[own]) == counts[0] > counts[1]:
        return check
    others = sorted(_others(relevant, own), key=lambda digest: -len(relevant[digest]))
    urls = sorted(relevant[others[0]])
    more = f" and {len(urls) - _NAMED} others" if len(urls) > _NAMED else ""
    holders = f"{', '.join(urls[:_NAMED])}{more}"
    text = (
        f"{check.target.image} is {_short(own)} here and {_short(others[0])} at {holders}:"
        f" {'the tag is stale' if counts[0] > counts[1] else 'one of them is stale'}"
    )
    return replace(check, diagnosis=Diagnosis.STALE, message=text)


def _others(digests: dict[str, set[str]], own: str) -> Iterator[str]:
    return (digest for digest in digests if digest != own)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
