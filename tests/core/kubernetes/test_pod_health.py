"""Pods, parsed from what an API returns: whether they are Ready, and their restarts."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.kubernetes.pod_health import ContainerHealth, has_ended, pod_health


def raw(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": "u1", "namespace": "web", "name": "web-1"},
        "spec": {"nodeName": "w1"},
        "status": {"phase": "Running", **status},
    }


def test_a_pod_is_read_with_its_containers() -> None:
    pod = pod_health(
        raw(
            conditions=[{"type": "PodScheduled", "status": "True"},
                        {"type": "Ready", "status": "True"}],
            initContainerStatuses=[{"name": "init", "restartCount": 0, "containerID": "c://0",
                                    "state": {"terminated": {"exitCode": 0}}}],
            containerStatuses=[{"name": "web", "restartCount": 2, "containerID": "c://1",
                                "state": {"running": {}},
                                "lastState": {"terminated": {"reason": "OOMKilled"}}}],
        )
    )  # fmt: skip

    assert pod is not None
    assert (pod.title, pod.node, pod.ready, pod.ends_by_itself) == ("web/web-1", "w1", True, False)
    assert pod.containers == {
        "init": ContainerHealth(0, "c://0", running=False),
        "web": ContainerHealth(2, "c://1", running=True, last_end="OOMKilled"),
    }


def test_the_pod_of_a_job_ends_by_itself() -> None:
    about = raw()
    about["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "backup"}]
    pod = pod_health(about)

    assert pod is not None
    assert pod.ends_by_itself


@pytest.mark.parametrize(("phase", "deleted", "ended"), [
    ("Running", "", False), ("Succeeded", "", True), ("Failed", "", True),
    ("Running", "2026-01-01T00:00:00Z", True),
])  # fmt: skip
def test_a_pod_has_ended_or_is_being_deleted(phase: str, deleted: str, ended: bool) -> None:
    about = raw(phase=phase)
    about["metadata"]["deletionTimestamp"] = deleted
    pod = pod_health(about)

    assert pod is not None
    assert has_ended(pod) is ended


@pytest.mark.parametrize("value", [
    None, 1, [], {}, {"metadata": []}, {"metadata": {"uid": 3}, "spec": {"nodeName": "w1"}},
    {"metadata": {"uid": "u"}}, {"metadata": {"uid": "u"}, "spec": {"nodeName": None}},
])  # fmt: skip
def test_what_is_no_pod_on_a_node_is_passed_over(value: Any) -> None:
    assert pod_health(value) is None


@pytest.mark.parametrize("statuses", [
    None, "x", [None, 3], [{"name": 1, "restartCount": "many", "state": [], "lastState": 4}],
])  # fmt: skip
def test_a_status_of_any_shape_is_read(statuses: Any) -> None:
    pod = pod_health(raw(containerStatuses=statuses, conditions=statuses))

    assert pod is not None
    assert all(container.restarts == 0 for container in pod.containers.values())
