"""The diagnosis of a check: its fault in every case, and digests that differ from most."""

from __future__ import annotations

import pytest

from fleet.core.containerd.requests import parse_image
from fleet.core.mirrors.check import CheckStep, Diagnosis, Observation, Target, Trouble
from fleet.core.mirrors.diagnosis import compared, diagnose
from fleet.core.model.mirror import Auth, Mirror
from fleet.core.model.secret import Secret
from tests.support.build import endpoint_check

IMAGE = parse_image("docker.io/library/busybox:1.36")
TARGET = Target("docker.io", Mirror(url="https://m.example"), IMAGE)
PING = CheckStep("ping", 0.1, status=200)
FOUND = CheckStep("manifest", 0.1, status=200)


@pytest.mark.parametrize(
    ("steps", "diagnosis"),
    [
        pytest.param(
            (PING, FOUND, CheckStep("layer", 0.1, status=200)), Diagnosis.OK, id="all well"
        ),
        pytest.param((CheckStep("tcp", 5, trouble=Trouble.TIMEOUT),), Diagnosis.DROPS, id="tcp"),
        pytest.param((CheckStep("ping", 5, trouble=Trouble.TIMEOUT),), Diagnosis.HANGS, id="http"),
        pytest.param((CheckStep("dns", 5, trouble=Trouble.TIMEOUT),), Diagnosis.NO_DNS, id="dns"),
        pytest.param((PING, CheckStep("manifest", 0.1, 403)), Diagnosis.FORBIDDEN, id="403"),
        pytest.param(
            (PING, FOUND, CheckStep("layer", 0.1, 403)), Diagnosis.NOT_ALLOWED, id="layers"
        ),
        pytest.param((PING, CheckStep("manifest", 0.1, 401)), Diagnosis.LOGIN, id="401"),
        pytest.param((CheckStep("ping", 0.1, 200, html=True),), Diagnosis.PORTAL, id="page"),
        pytest.param((CheckStep("ping", 0.1, 404),), Diagnosis.NOT_FOUND, id="no image asked for"),
        pytest.param(
            (CheckStep("ping", 0.1, 404), FOUND), Diagnosis.OK, id="its own page is hidden"
        ),
        pytest.param((PING, CheckStep("manifest", 3, 200)), Diagnosis.SLOW, id="slow"),
        pytest.param((PING, CheckStep("token", 0.1, 500, host="t")), Diagnosis.STRANGE, id="token"),
    ],
)
def test_the_first_step_without_an_answer_decides_else_the_last(
    steps: tuple[CheckStep, ...], diagnosis: Diagnosis
) -> None:
    found, message = diagnose(TARGET, Observation(steps=steps))

    assert found is diagnosis
    assert bool(message) is (found is not Diagnosis.OK)


TROUBLES = {
    Trouble.NO_DNS: (Diagnosis.NO_DNS, "cannot resolve m.example (words)"),
    Trouble.REFUSED: (Diagnosis.REFUSED, "m.example refuses the connection"),
    Trouble.UNREACHABLE: (Diagnosis.UNREACHABLE, "m.example (words)"),
    Trouble.TIMEOUT: (Diagnosis.HANGS, "m.example accepts the connection but never answers (tls)"),
    Trouble.CLOSED: (Diagnosis.HANGS_UP, "m.example closes the connection early (tls: words)"),
    Trouble.PROHIBITED: (Diagnosis.PROHIBITED, "PermitOpen"),
    Trouble.EXPIRED: (Diagnosis.EXPIRED, "m.example has expired or is not valid yet (words)"),
    Trouble.WRONG_NAME: (Diagnosis.WRONG_NAME, "is not for m.example (words)"),
    Trouble.UNKNOWN_CA: (Diagnosis.UNKNOWN_CA, "m.example (words): set `ca`"),
    Trouble.CERTIFICATE: (Diagnosis.CERTIFICATE, "TLS with m.example fails (words)"),
    Trouble.NOT_TLS: (Diagnosis.NOT_TLS, "check whether it should be http://"),
    Trouble.NOT_HTTP: (Diagnosis.NOT_HTTP, "m.example does not speak HTTP (words)"),
    Trouble.BAD_URL: (Diagnosis.STRANGE, "redirects to an invalid URL (words)"),
    Trouble.NO_TOKEN: (Diagnosis.STRANGE, "m.example sends no token"),
    Trouble.CORRUPT: (Diagnosis.CORRUPT, "content that does not match its digest (words)"),
}


@pytest.mark.parametrize("trouble", Trouble)
def test_the_diagnosis_of_each_trouble(trouble: Trouble) -> None:
    step = CheckStep("tls", 0.1, trouble=trouble, words="words")

    diagnosis, message = diagnose(TARGET, Observation(steps=(PING, step, FOUND)))

    assert diagnosis is TROUBLES[trouble][0]
    assert TROUBLES[trouble][1] in message


def test_trouble_at_another_host_names_it_and_the_step() -> None:
    step = CheckStep("layer", 0.1, trouble=Trouble.REFUSED, host="cdn.example")

    _, message = diagnose(TARGET, Observation(steps=(PING, FOUND, step)))

    assert message.startswith("cdn.example refuses the connection")
    assert message.endswith("(at the layer step)")


def test_a_trouble_without_words_is_named_itself() -> None:
    _, message = diagnose(TARGET, Observation(steps=(CheckStep("tcp", 1, trouble=Trouble.NO_DNS),)))

    assert "(no_dns)" in message


RESPONSES: dict[str, tuple[CheckStep, Diagnosis, str]] = {
    "a page": (
        CheckStep("manifest", 0.1, 200, html=True),
        Diagnosis.PORTAL,
        "a web page instead of the manifest of docker.io/library/busybox:1.36",
    ),
    "a page of part of a layer": (
        CheckStep("layer", 0.1, 206, html=True),
        Diagnosis.PORTAL,
        "layer",
    ),
    "a page with 404": (CheckStep("manifest", 0.1, 404, html=True), Diagnosis.NOT_FOUND, "404 for"),
    "401": (
        CheckStep("manifest", 0.1, 401),
        Diagnosis.LOGIN,
        "401 for the manifest of docker.io/library/busybox:1.36: it needs credentials",
    ),
    "403": (CheckStep("manifest", 0.1, 403), Diagnosis.FORBIDDEN, "403 for the manifest of"),
    "403 for a layer": (CheckStep("layer", 0.1, 403), Diagnosis.NOT_ALLOWED, "allow-list"),
    "404": (
        CheckStep("manifest", 0.1, 404),
        Diagnosis.NOT_FOUND,
        ": the mirror does not have it, or mirrors another registry",
    ),
    "408": (CheckStep("manifest", 0.1, 408), Diagnosis.LIMITED, "408 for"),
    "429": (CheckStep("layer", 0.1, 429), Diagnosis.LIMITED, "429 for its first layer"),
    "500": (CheckStep("manifest", 0.1, 500), Diagnosis.SERVER_ERROR, "500 for"),
    "503": (
        CheckStep("ping", 0.1, 503, words="busy"),
        Diagnosis.SERVER_ERROR,
        "/v2/: an error of the mirror itself (busy)",
    ),
    "499": (CheckStep("manifest", 0.1, 499), Diagnosis.STRANGE, "499 for"),
    "400 that wants TLS": (
        CheckStep("ping", 0.1, 400, words="sent to an HTTPS server"),
        Diagnosis.STRANGE,
        "it requires https://",
    ),
    "at another host": (
        CheckStep("layer", 0.1, 500, host="cdn.example"),
        Diagnosis.SERVER_ERROR,
        "500 for its first layer at cdn.example",
    ),
    "a token server that fails": (
        CheckStep("token", 0.1, 500, host="auth.example"),
        Diagnosis.STRANGE,
        "its token server auth.example answers 500",
    ),
    "a token server that wants a login": (
        CheckStep("token", 0.1, 401, host="auth.example"),
        Diagnosis.LOGIN,
        "its token server auth.example answers 401: it needs credentials",
    ),
}


@pytest.mark.parametrize(("step", "diagnosis", "words"), RESPONSES.values(), ids=list(RESPONSES))
def test_the_diagnosis_of_a_last_response(
    step: CheckStep, diagnosis: Diagnosis, words: str
) -> None:
    actual, message = diagnose(TARGET, Observation(steps=(PING, step)))

    assert actual is diagnosis
    assert words in message


def test_a_token_server_that_refuses_a_known_login() -> None:
    known = Mirror(url="https://m.example", auth=Auth("robot", Secret("hunter2")))
    step = CheckStep("token", 0.1, 403, host="auth.example")

    diagnosis, message = diagnose(Target("docker.io", known), Observation(steps=(PING, step)))

    assert diagnosis is Diagnosis.LOGIN_REFUSED
    assert message == (
        "its token server auth.example answers 403: it refuses the credentials in configs"
    )


def test_an_anonymous_token_that_does_not_help_is_mentioned() -> None:
    steps = (PING, CheckStep("token", 0.1, 200), CheckStep("manifest", 0.1, 401))

    assert "even with an anonymous token" in diagnose(TARGET, Observation(steps=steps))[1]


PATHS = {
    "a path": ("https://m.example/a", False, False, "check the path /a"),
    "override_path without a path": ("https://m.example", True, False, "leaves /v2 out"),
    "override_path with a path": ("https://m.example/a", True, False, "check the path /a"),
    "override_path that hurts": (
        "https://m.example/a",
        True,
        True,
        "it is found without override_path",
    ),
}


@pytest.mark.parametrize(("url", "override", "hurts", "words"), PATHS.values(), ids=list(PATHS))
def test_the_hint_about_a_path_that_is_not_found(
    url: str, override: bool, hurts: bool, words: str
) -> None:
    target = Target("docker.io", Mirror(url=url, override_path=override), IMAGE)
    seen = Observation(steps=(PING, CheckStep("manifest", 0.1, 404)), override_hurts=hurts)

    assert words in diagnose(target, seen)[1]


SPEEDS = {
    "quick": (0.1, 1.0, 1 << 20, Diagnosis.OK, ""),
    "just quick enough": (1.99, 1.0, 1 << 20, Diagnosis.OK, ""),
    "slow to begin": (2.0, 1.0, 1 << 20, Diagnosis.SLOW, "2.0 s to the first byte"),
    "slow to go on": (0.1, 10.0, 1000 * 1024, Diagnosis.OK, ""),
    "slower to go on": (0.1, 10.0, 999 * 1024, Diagnosis.SLOW, "100 KiB/s"),
    "too small to measure": (0.1, 10.0, 65_535, Diagnosis.OK, ""),
}


@pytest.mark.parametrize(
    ("first", "seconds", "size", "diagnosis", "message"), SPEEDS.values(), ids=list(SPEEDS)
)
def test_a_mirror_that_serves_may_be_slow(
    first: float, seconds: float, size: int, diagnosis: Diagnosis, message: str
) -> None:
    steps = (PING, CheckStep("manifest", first, 200), CheckStep("layer", seconds, 200))

    assert diagnose(TARGET, Observation(steps=steps, size=size)) == (diagnosis, message)


def test_a_check_without_steps_is_well() -> None:
    assert diagnose(TARGET, Observation()) == (Diagnosis.OK, "")


def test_a_login_that_was_given_is_refused_and_not_missing() -> None:
    known = Mirror(url="https://m.example", auth=Auth("robot", Secret("hunter2")))
    target = Target("docker.io", known, IMAGE)

    found, message = diagnose(target, Observation(steps=(PING, CheckStep("manifest", 0.1, 401))))

    assert found is Diagnosis.LOGIN_REFUSED
    assert "hunter2" not in message


def test_the_one_that_answers_otherwise_than_most_is_stale() -> None:
    (found,) = compared(
        [(endpoint_check("a"), endpoint_check("b"), endpoint_check("c", digest="sha256:old"))]
    )

    assert [each.diagnosis for each in found] == [Diagnosis.OK, Diagnosis.OK, Diagnosis.STALE]
    assert "a, b" in found[2].message


def test_of_two_that_differ_nobody_knows_which_is_stale() -> None:
    (found,) = compared([(endpoint_check("a"), endpoint_check("b", digest="sha256:old"))])

    assert {each.diagnosis for each in found} == {Diagnosis.STALE}
    assert "one of them is stale" in found[0].message


def test_what_one_node_claims_decides_nothing_for_another() -> None:
    honest = (endpoint_check("a"), endpoint_check("b"))
    lies = tuple(endpoint_check(url, digest="sha256:lie") for url in "abcdefgh")

    for nodes in ([honest, lies], [lies, honest], [honest, honest, lies], [honest, lies, honest]):
        found = compared(nodes)
        mine = [each for results in found for each in results if each.seen.digest != "sha256:lie"]
        assert {each.diagnosis for each in mine} == {Diagnosis.OK}


def test_a_node_that_is_alone_with_its_answer_has_a_stale_mirror() -> None:
    fresh, old = (endpoint_check("a"),), (endpoint_check("a", digest="sha256:old"),)

    *most, alone = compared([fresh, fresh, old])

    assert [each[0].diagnosis for each in most] == [Diagnosis.OK, Diagnosis.OK]
    assert alone[0].diagnosis is Diagnosis.STALE


def test_the_holders_of_another_digest_are_named_at_most_twice() -> None:
    checks = [endpoint_check(url) for url in "abcd"] + [endpoint_check("e", digest="sha256:old")]

    (marked,) = compared([tuple(checks)])

    assert marked[4].message == (
        "docker.io/library/busybox:1.36 is old here and a at a, b and 2 others: the tag is stale"
    )


def test_an_endpoint_that_does_not_serve_keeps_its_diagnosis() -> None:
    refused = endpoint_check("c", diagnosis=Diagnosis.REFUSED, digest="sha256:old")

    (marked,) = compared([(endpoint_check("a"), endpoint_check("b"), refused)])

    assert marked[2] is refused


def test_an_endpoint_without_a_digest_is_not_compared() -> None:
    (marked,) = compared([(endpoint_check("a"), endpoint_check("b", digest=""))])

    assert {check.diagnosis for check in marked} == {Diagnosis.OK}
