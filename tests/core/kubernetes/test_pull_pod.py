"""The pod of a verification pull: what it may do, how its pull is read, and what is left over."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.kubernetes.pull_pod import (
    LABELS,
    RUN_BY,
    SELECTOR,
    LeftPod,
    PodPull,
    PullPod,
    pull_result,
    verification_pods,
    waiting_for,
    warning_of,
)

IMAGE = "docker.io/library/busybox:1.36"
POD = PullPod(node="w1", image=IMAGE, owner="desk/17", seconds=90)
CAUSE = 'failed to do request: Head "https://m.example/v2/": connection refused'


def test_the_pod_is_pinned_pulls_always_and_may_do_nothing() -> None:
    pod = POD.manifest()
    spec, container = pod["spec"], pod["spec"]["containers"][0]

    assert (spec["nodeName"], container["image"]) == ("w1", IMAGE)
    assert container["imagePullPolicy"] == "Always"
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert (spec["restartPolicy"], spec["activeDeadlineSeconds"]) == ("Never", 150)
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes", "serviceAccountName"} & spec.keys()
    assert "imagePullSecrets" not in spec
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_container_cannot_be_configured_so_nothing_of_the_image_runs() -> None:
    container = POD.manifest()["spec"]["containers"][0]

    (variable,) = container["env"]
    assert variable["valueFrom"]["configMapKeyRef"]["name"] == "fleet-verify-starts-no-container"
    assert "optional" not in variable["valueFrom"]["configMapKeyRef"]
    assert not {"command", "args"} & container.keys()


def test_pull_secrets_are_those_of_the_account_or_the_named_ones() -> None:
    pod = PullPod(
        node="w1",
        image=IMAGE,
        owner="desk/17",
        namespace="web",
        service_account="puller",
        pull_secrets=("harbor", "hub"),
    ).manifest()

    assert pod["metadata"]["namespace"] == "web"
    assert pod["spec"]["serviceAccountName"] == "puller"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "harbor"}, {"name": "hub"}]


def with_state(state: Any, **more: Any) -> dict[str, Any]:
    containers = [{"name": "pull", "imageID": "", "state": state, **more}]
    return {"status": {"phase": "Pending", "startTime": "now", "containerStatuses": containers}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return with_state({"waiting": {"reason": reason, "message": message}})


PULLED = {
    "it cannot be configured": waiting("CreateContainerConfigError", "configmap not found"),
    "it cannot be created": waiting("CreateContainerError"),
    "it cannot be started": waiting("RunContainerError"),
    "it runs": with_state({"running": {"startedAt": "now"}}),
    "it has ended": with_state({"terminated": {"exitCode": 1}}),
    "it has an image": with_state({"waiting": {"reason": "PodInitializing"}}, imageID="a@sha256:1"),
}


@pytest.mark.parametrize("pod", PULLED.values(), ids=PULLED)
def test_what_comes_after_the_pull_shows_that_it_succeeded(pod: dict[str, Any]) -> None:
    assert pull_result(pod) == PodPull(pulled=True)


FAILED = {
    "a failed pull": (waiting("ErrImagePull", CAUSE), f"ErrImagePull: {CAUSE}"),
    "a back-off": (
        waiting("ImagePullBackOff", f"Back-off: {CAUSE}"),
        f"ImagePullBackOff: Back-off: {CAUSE}",
    ),
    "a bad name": (waiting("InvalidImageName", "no"), "InvalidImageName: no"),
    "a full node": (
        {"status": {"phase": "Failed", "reason": "OutOfpods", "message": "too many pods"}},
        "kubelet did not run the pod: OutOfpods: too many pods",
    ),
    "no reason": ({"status": {"phase": "Failed"}}, "kubelet did not run the pod: unknown"),
}


@pytest.mark.parametrize(("pod", "message"), FAILED.values(), ids=FAILED)
def test_a_failed_pull_has_the_words_of_kubelet(pod: dict[str, Any], message: str) -> None:
    begun = not message.startswith("kubelet did not run the pod")
    assert pull_result(pod) == PodPull(pulled=False, message=message, begun=begun)


UNDECIDED: dict[str, tuple[Any, str]] = {
    "an empty object": ({}, "kubelet has not begun with the pod"),
    "a status of another type": ({"status": ["Failed"]}, "kubelet has not begun with the pod"),
    "no containers": ({"status": {"startTime": "now"}}, "kubelet has begun with the pod"),
    "containers of another type": (
        {"status": {"startTime": "now", "containerStatuses": {"state": 1}}},
        "kubelet has begun with the pod",
    ),
    "a container of another type": (
        {"status": {"startTime": "now", "containerStatuses": ["x", None]}},
        "kubelet has begun with the pod",
    ),
    "no state": (with_state({}), "kubelet has begun with the pod"),
    "at its creation": (
        waiting("ContainerCreating"),
        "kubelet still pulls, or waits for another pull",
    ),
    "at its begin": (waiting("PodInitializing"), "the pod is at PodInitializing"),
}


@pytest.mark.parametrize(("pod", "words"), UNDECIDED.values(), ids=UNDECIDED)
def test_a_pod_that_has_not_pulled_yet_says_what_it_waits_for(pod: Any, words: str) -> None:
    assert pull_result(pod) is None
    assert waiting_for(pod) == words


def test_the_last_warning_of_a_pod_is_the_cause() -> None:
    events = [
        {"type": "Warning", "message": "first"},
        {"type": "Warning", "message": "failed to create the sandbox\x1b[2J"},
        {"type": "Normal", "message": "Pulling"},
    ]

    assert warning_of(events) == "failed to create the sandbox\\x1b[2J"
    assert warning_of(events[2:]) == ""


def raw_pod(name: Any, phase: str = "Pending", **metadata: Any) -> dict[str, Any]:
    about = {"name": name, "labels": LABELS, "annotations": {RUN_BY: "desk/17"}, **metadata}
    return {"metadata": about, "status": {"phase": phase}}


def test_left_pods_are_found_by_their_labels() -> None:
    pods = [
        raw_pod("a"),
        raw_pod("b", "Failed", annotations={}),
        raw_pod("c", labels={"app.kubernetes.io/managed-by": "containerd-fleet"}),
        raw_pod(None),
        "nonsense",
    ]

    assert list(verification_pods(pods)) == [
        LeftPod("a", "desk/17", ended=False),
        LeftPod("b", "", ended=True),
    ]
    assert SELECTOR == (
        "app.kubernetes.io/managed-by=containerd-fleet,app.kubernetes.io/component=verification"
    )


@pytest.mark.parametrize(
    ("owner", "process"),
    [("desk/17", 17), ("other/17", None), ("desk/x", None), ("desk/0", None), ("", None)],
)
def test_a_process_is_looked_for_on_its_own_host_only(owner: str, process: int | None) -> None:
    assert LeftPod("a", owner, ended=False).process_on("desk") == process
