"""The check of one endpoint: what its steps and diagnoses say of themselves."""

from __future__ import annotations

import pytest

from fleet.core.mirrors.check import CheckStep, Diagnosis, Observation, Trouble, WireError

STEPS = {
    "a connection": (CheckStep("tcp", 0.1), True),
    "200": (CheckStep("manifest", 0.1, 200), True),
    "206": (CheckStep("layer", 0.1, 206), True),
    "204": (CheckStep("manifest", 0.1, 204), False),
    "404": (CheckStep("manifest", 0.1, 404), False),
    "401 to a ping": (CheckStep("ping", 0.1, 401), True),
    "401 to a manifest": (CheckStep("manifest", 0.1, 401), False),
    "a page": (CheckStep("manifest", 0.1, 200, html=True), False),
    "a trouble": (CheckStep("tcp", 0.1, trouble=Trouble.REFUSED), False),
}


@pytest.mark.parametrize(("step", "ok"), STEPS.values(), ids=list(STEPS))
def test_whether_a_step_succeeded(step: CheckStep, ok: bool) -> None:
    assert step.ok is ok


def test_a_ping_is_shown_as_its_path() -> None:
    assert (CheckStep("ping", 0).shown, CheckStep("layer", 0).shown) == ("/v2/", "layer")


PING, MANIFEST = CheckStep("ping", 0.1, 200), CheckStep("manifest", 0.4, 200)


def test_a_step_is_found_by_its_name() -> None:
    assert Observation(steps=(PING, MANIFEST)).step("manifest") is MANIFEST


def test_a_step_that_was_not_reached_is_none() -> None:
    assert Observation(steps=(PING,)).step("manifest") is None


FIRST_BYTES = {
    "of the manifest": ((PING, MANIFEST), 0.4),
    "of a ping": ((PING,), 0.1),
    "none after a failure": ((PING, CheckStep("manifest", 0.4, 404)), None),
    "none without a step": ((), None),
}


@pytest.mark.parametrize(("steps", "seconds"), FIRST_BYTES.values(), ids=list(FIRST_BYTES))
def test_the_time_to_the_first_byte(steps: tuple[CheckStep, ...], seconds: float | None) -> None:
    assert Observation(steps=steps).first_byte == seconds


RATES = {
    "large enough": (2.0, 65_536, 32_768.0),
    "too small": (2.0, 65_535, None),
    "in no time": (0.0, 65_536, None),
}


@pytest.mark.parametrize(("seconds", "size", "rate"), RATES.values(), ids=list(RATES))
def test_the_rate_of_a_layer(seconds: float, size: int, rate: float | None) -> None:
    assert Observation(steps=(CheckStep("layer", seconds, 200),), size=size).rate == rate


def test_without_a_layer_there_is_no_rate() -> None:
    assert Observation(steps=(MANIFEST,), size=1 << 20).rate is None


def test_all_steps_count_for_the_time() -> None:
    assert Observation(steps=(PING, MANIFEST)).seconds == 0.5


def test_only_quick_and_slow_mirrors_serve() -> None:
    assert {item for item in Diagnosis if item.serves} == {Diagnosis.OK, Diagnosis.SLOW}


def test_a_host_that_hangs_and_a_web_page_end_a_pull() -> None:
    assert {item for item in Diagnosis if item.blocks} == {Diagnosis.HANGS, Diagnosis.PORTAL}


def test_a_label_is_in_words() -> None:
    assert Diagnosis.EXPIRED.label == "certificate expired"


@pytest.mark.parametrize(("words", "text"), [("reset by peer", "reset by peer"), ("", "closed")])
def test_an_error_of_the_wire_has_words(words: str, text: str) -> None:
    error = WireError(Trouble.CLOSED, words)

    assert (error.trouble, error.words, str(error)) == (Trouble.CLOSED, words, text)
