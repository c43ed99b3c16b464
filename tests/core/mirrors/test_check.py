"""What the steps of a test come to, and which order of endpoints follows from many of them."""

from __future__ import annotations

import pytest

from fleet.core.containerd.requests import parse_image
from fleet.core.mirrors.check import Diagnosis, EndpointCheck, Observation, Step, Target, Trouble
from fleet.core.mirrors.diagnosis import compared, diagnose
from fleet.core.mirrors.ranking import cell, rankings
from fleet.core.model.mirror import Auth, Mirror
from fleet.core.model.secret import Secret

IMAGE = parse_image("docker.io/library/busybox:1.36")
TARGET = Target("docker.io", Mirror(url="https://m.example"), IMAGE)
PING = Step("ping", 0.1, status=200)
FOUND = Step("manifest", 0.1, status=200)


@pytest.mark.parametrize(
    ("steps", "diagnosis"),
    [
        pytest.param((PING, FOUND, Step("layer", 0.1, status=200)), Diagnosis.OK, id="all well"),
        pytest.param((Step("tcp", 5, trouble=Trouble.TIMEOUT),), Diagnosis.DROPS, id="tcp"),
        pytest.param((Step("ping", 5, trouble=Trouble.TIMEOUT),), Diagnosis.HANGS, id="http"),
        pytest.param((Step("dns", 5, trouble=Trouble.TIMEOUT),), Diagnosis.NO_DNS, id="dns"),
        pytest.param((PING, Step("manifest", 0.1, 403)), Diagnosis.FORBIDDEN, id="403"),
        pytest.param((PING, FOUND, Step("layer", 0.1, 403)), Diagnosis.NOT_ALLOWED, id="layers"),
        pytest.param((PING, Step("manifest", 0.1, 401)), Diagnosis.LOGIN, id="401"),
        pytest.param((Step("ping", 0.1, 200, html=True),), Diagnosis.PORTAL, id="page"),
        pytest.param((Step("ping", 0.1, 404),), Diagnosis.NOT_FOUND, id="no image asked for"),
        pytest.param((Step("ping", 0.1, 404), FOUND), Diagnosis.OK, id="its own page is hidden"),
        pytest.param((PING, Step("manifest", 3, 200)), Diagnosis.SLOW, id="slow"),
        pytest.param((PING, Step("token", 0.1, 500, host="t")), Diagnosis.STRANGE, id="token"),
    ],
)
def test_the_first_step_without_an_answer_decides_else_the_last(
    steps: tuple[Step, ...], diagnosis: Diagnosis
) -> None:
    found, message = diagnose(TARGET, Observation(steps=steps))

    assert found is diagnosis
    assert bool(message) is (found is not Diagnosis.OK)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_words_that_name_the_host(trouble: Trouble) -> None:
    _, message = diagnose(TARGET, Observation(steps=(Step("tls", 0.1, trouble=trouble),)))

    assert "m.example" in message


def test_a_login_that_was_given_is_refused_and_not_missing() -> None:
    known = Mirror(url="https://m.example", auth=Auth("robot", Secret("hunter2")))
    target = Target("docker.io", known, IMAGE)

    found, message = diagnose(target, Observation(steps=(PING, Step("manifest", 0.1, 401))))

    assert found is Diagnosis.LOGIN_REFUSED
    assert "hunter2" not in message


def trial(
    url: str, seconds: float = 0.1, diagnosis: Diagnosis = Diagnosis.OK, digest: str = "sha256:a"
) -> EndpointCheck:
    steps = (Step("manifest", seconds, status=200),)
    target = Target("docker.io", Mirror(url=url), IMAGE)
    return EndpointCheck(
        target=target, seen=Observation(steps=steps, digest=digest), diagnosis=diagnosis
    )


def test_the_one_that_answers_otherwise_than_most_is_stale() -> None:
    (found,) = compared([(trial("a"), trial("b"), trial("c", digest="sha256:old"))])

    assert [each.diagnosis for each in found] == [Diagnosis.OK, Diagnosis.OK, Diagnosis.STALE]
    assert "a, b" in found[2].message


def test_of_two_that_differ_nobody_knows_which_is_stale() -> None:
    (found,) = compared([(trial("a"), trial("b", digest="sha256:old"))])

    assert {each.diagnosis for each in found} == {Diagnosis.STALE}
    assert "one of them is stale" in found[0].message


def test_what_one_node_claims_decides_nothing_for_another() -> None:
    honest = (trial("a"), trial("b"))
    lies = tuple(trial(url, digest="sha256:lie") for url in "abcdefgh")

    for nodes in ([honest, lies], [lies, honest], [honest, honest, lies], [honest, lies, honest]):
        found = compared(nodes)
        mine = [each for results in found for each in results if each.seen.digest != "sha256:lie"]
        assert {each.diagnosis for each in mine} == {Diagnosis.OK}


def test_a_node_that_is_alone_with_its_answer_has_a_stale_mirror() -> None:
    fresh, old = (trial("a"),), (trial("a", digest="sha256:old"),)

    *most, alone = compared([fresh, fresh, old])

    assert [each[0].diagnosis for each in most] == [Diagnosis.OK, Diagnosis.OK]
    assert alone[0].diagnosis is Diagnosis.STALE


@pytest.mark.parametrize(
    ("found", "order"),
    [
        pytest.param((trial("a", 0.3), trial("b", 0.2)), "ab", id="a little faster is no reason"),
        pytest.param((trial("a", 2.0), trial("b", 0.2)), "ba", id="much faster is one"),
        pytest.param((trial("a", 0.1, Diagnosis.REFUSED), trial("b", 3.0)), "ba", id="dead last"),
        pytest.param(
            (
                trial("a", diagnosis=Diagnosis.PORTAL),
                trial("b", diagnosis=Diagnosis.REFUSED),
                trial("c", diagnosis=Diagnosis.STALE),
                trial("d"),
            ),
            "dcba",
            id="what ends a pull is worse than what is dead",
        ),
    ],
)
def test_the_written_order_stays_but_where_another_is_clearly_better(
    found: tuple[EndpointCheck, ...], order: str
) -> None:
    ranking = rankings([found])[0]

    assert "".join(ranking.proposed) == order
    assert ranking.moves is (order != "".join(ranking.written))


def test_what_serves_some_nodes_comes_behind_what_serves_all() -> None:
    one = (trial("a", 0.1, Diagnosis.REFUSED), trial("b", 0.9))
    other = (trial("a", 0.1), trial("b", 0.9))

    assert rankings([one, other])[0].proposed == ("b", "a")


def test_lists_that_differ_between_nodes_are_ranked_apart() -> None:
    found = rankings([(trial("a"), trial("b")), (trial("c"), trial("a"))])

    assert [each.written for each in found] == [("a", "b"), ("c", "a")]


def test_a_cell_says_how_many_of_a_site_agree() -> None:
    found = cell([trial("a"), trial("a"), trial("a", diagnosis=Diagnosis.REFUSED)])

    assert found.text == "100 ms 2/3"
