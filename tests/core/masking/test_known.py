"""Secrets of mirrors.yaml: every form that may come back, and texts without them."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from fleet.core.masking.known import (
    clean_failure,
    clean_outcome,
    host_secrets,
    known_secrets,
    without_known,
)
from fleet.core.model.mirror import Auth, Mirror, MirrorConfig, Override, Registry
from fleet.core.model.outcome import HostAttempt, NodeOutcome, NodeStatus, PullClient, Verified
from fleet.core.model.secret import Secret
from tests.support.build import failure

HOST = Mirror(url="https://m.test")
LOGIN = replace(HOST, auth=Auth("robot", Secret("pa ss/word")))
JOINED = base64.b64encode(b"robot:pa ss/word").decode()


def with_header(*values: str) -> Mirror:
    return replace(HOST, header=(("Authorization", tuple(map(Secret, values))),))


FORMS = {
    "no secret": (HOST, set()),
    "a login": (LOGIN, {"pa ss/word", "pa%20ss%2Fword", JOINED, JOINED.replace("=", "%3D")}),
    "an identity token": (
        replace(HOST, auth=Auth("robot", Secret("unused"), Secret("to+ken"))),
        {"to+ken", "to%2Bken"},
    ),
    "a header": (with_header("plainvalue"), {"plainvalue"}),
    "a header with a scheme": (
        with_header("Bearer abcdef"),
        {"Bearer abcdef", "Bearer%20abcdef", "abcdef"},
    ),
    "two values of a header": (with_header("value-1", "value-2"), {"value-1", "value-2"}),
    "five characters": (with_header("abcde"), {"abcde"}),
    "four characters are not searched for": (with_header("abcd"), set()),
    "a long form of a short secret": (with_header("a/b/"), {"a%2Fb%2F"}),
}


@pytest.mark.parametrize(("host", "forms"), FORMS.values(), ids=list(FORMS))
def test_the_secrets_of_a_host_in_all_forms(host: Mirror, forms: set[str]) -> None:
    assert host_secrets(host) == forms


def registry(*hosts: Mirror, upstream: Mirror | None = None) -> Registry:
    return Registry(name="r", server="https://r", mirrors=hosts, upstream=upstream)


def test_the_secrets_of_mirrors_their_upstream_and_overrides() -> None:
    config = MirrorConfig(
        (registry(with_header("mirror-1"), upstream=with_header("upstream")),),
        (Override("group", {"r": registry(with_header("override"))}),),
    )

    assert known_secrets(config) == {"mirror-1", "upstream", "override"}


def test_a_config_without_registries_has_no_secrets() -> None:
    assert known_secrets(MirrorConfig(())) == frozenset()


def test_every_secret_is_replaced_the_longest_first() -> None:
    assert without_known("abc abcdef abc", ["abc", "abcdef"]) == "*** *** ***"


def test_a_text_without_a_secret_stays() -> None:
    assert without_known("text", ["secret"]) == "text"


FAILURE = failure(message="got secret", remedy="use secret", evidence="log: secret")


def test_a_failure_is_cleaned_and_keeps_its_kind_and_step() -> None:
    clean = clean_failure(FAILURE, ["secret"])

    assert (clean.kind, clean.step) == (FAILURE.kind, FAILURE.step)
    assert (clean.message, clean.remedy, clean.evidence) == ("got ***", "use ***", "log: ***")


def test_an_outcome_is_cleaned_with_its_failure_and_its_pulls() -> None:
    attempt = HostAttempt("m.test", "manifest", "401 secret")
    pull = Verified("image", False, PullClient.CTR, "m", detail="a secret", attempts=(attempt,))
    outcome = NodeOutcome(
        node="a",
        status=NodeStatus.FAILED,
        failure=FAILURE,
        verified=(replace(pull, evidence="b secret"),),
    )

    clean = clean_outcome(outcome, ["secret"])

    assert clean.failure == clean_failure(FAILURE, ["secret"])
    (verified,) = clean.verified
    assert (verified.detail, verified.evidence) == ("a ***", "b ***")
    assert verified.attempts == (HostAttempt("m.test", "manifest", "401 ***"),)
    assert (clean.node, clean.status) == ("a", NodeStatus.FAILED)


def test_an_outcome_without_a_failure_stays_without_one() -> None:
    outcome = NodeOutcome(node="a", status=NodeStatus.CONVERGED)

    assert clean_outcome(outcome, ["secret"]) == outcome
