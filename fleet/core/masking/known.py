"""Secrets of mirrors.yaml, in all forms that a server or a daemon may repeat."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

from fleet.core.failure import Failure
from fleet.core.model.mirror import Mirror, MirrorConfig
from fleet.core.model.outcome import NodeOutcome, Verified

_SHORTEST = 5
"""The shortest secret that is searched for, in characters; shorter ones occur in many words."""


def known_secrets(config: MirrorConfig) -> frozenset[str]:
    """Return the secrets of mirrors.yaml in all their forms."""
    registries = [*config.registries]
    for override in config.overrides:
        registries += override.registries.values()
    return frozenset().union(
        *(host_secrets(host) for registry in registries for host in registry.hosts)
    )


def host_secrets(host: Mirror) -> frozenset[str]:
    """Return the secrets that fleet sends to one host, in all their forms."""
    forms = {form for text in _secrets_of(host) for form in (text, quote(text, safe=""))}
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _secrets_of(host: Mirror) -> Iterator[str]:
    for _, values in host.header:
        for value in values:
            yield from (str(value), value.rpartition(" ")[2])
    auth = host.auth
    if auth is None:
        return
    if auth.identity_token is not None:
        yield str(auth.identity_token)
        return
    yield str(auth.password)
    yield base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()


def without_known(text: str, secrets: Iterable[str]) -> str:
    """Return text from a node without the secrets in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def clean_failure(failure: Failure, secrets: Iterable[str]) -> Failure:
    """Return a failure without known secrets."""
    return replace(
        failure,
        message=without_known(failure.message, secrets),
        remedy=without_known(failure.remedy, secrets),
        evidence=without_known(failure.evidence, secrets),
    )


def clean_outcome(outcome: NodeOutcome, secrets: Iterable[str]) -> NodeOutcome:
    """Return an outcome without known secrets."""
    failure = outcome.failure and clean_failure(outcome.failure, secrets)
    verified = tuple(_clean_verified(pull, secrets) for pull in outcome.verified)
    return replace(outcome, failure=failure, verified=verified)


def _clean_verified(pull: Verified, secrets: Iterable[str]) -> Verified:
    return replace(
        pull,
        detail=without_known(pull.detail, secrets),
        evidence=without_known(pull.evidence, secrets),
        attempts=tuple(
            replace(attempt, response=without_known(attempt.response, secrets))
            for attempt in pull.attempts
        ),
    )
