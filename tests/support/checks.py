"""Results of mirror tests."""

from __future__ import annotations

from fleet.core.mirrors.check import CheckStep, Diagnosis, EndpointCheck, Observation, Target
from fleet.core.model.mirror import Mirror

A, B = "https://a.example", "https://b.example"


def check(
    url: str,
    diagnosis: Diagnosis = Diagnosis.OK,
    *,
    seconds: float = 0.1,
    size: int = 0,
    message: str = "",
    proxy: str | None = None,
) -> EndpointCheck:
    """Return the check of an endpoint of docker.io; it took `seconds` to the first byte."""
    steps = [CheckStep("manifest", seconds, 200)] if diagnosis.serves else []
    steps += [CheckStep("layer", 0.5, 200)] if size else []
    seen = Observation(steps=tuple(steps), size=size)
    target = Target("docker.io", Mirror(url=url))
    return EndpointCheck(
        target=target, seen=seen, diagnosis=diagnosis, message=message, proxy=proxy
    )
