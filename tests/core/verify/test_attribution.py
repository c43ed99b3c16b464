"""Who served a pull: the rules, on lines of real nodes that were shortened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.mirror import Registry
from fleet.core.model.node import Node
from fleet.core.model.outcome import Liveness, LivenessState, PullClient, Served
from fleet.core.plan.node_plan import DaemonAccess, NodePlan, PlannedConfig
from fleet.core.plan.pull_tests import PullTest, unproven
from fleet.core.verify.attribution import Evidence, attribute_pull
from fleet.core.verify.trace import read_log, read_trace

IMAGE = "docker.io/library/busybox:1.36"
A, B, UP = "a.test", "b.test:5000", "registry-1.docker.io"
DIGEST = f"sha256:{'a' * 64}"
TEST = PullTest(IMAGE, "docker.io", b"", mirrors=(A, B), upstream=UP)
CERTS_D = NodePlan(
    node=Node(name="n", host="n"),
    strategy="certs.d",
    containerd="1.7.24~ds1",
    config=PlannedConfig(hosts_directory="/etc/containerd/certs.d"),
    daemon=DaemonAccess(crictl=True),
)
LEGACY = replace(
    CERTS_D, strategy="legacy", containerd="1.4.13~ds1", config=PlannedConfig(hosts_directory=None)
)
NOT_LOADED = replace(LEGACY, config=PlannedConfig(in_force=False))
LIVE = Liveness(LivenessState.LIVE)


def with_credentials(*hosts: str) -> NodePlan:
    return replace(CERTS_D, daemon=replace(CERTS_D.daemon, credentials=frozenset(hosts)))


def asked(host: str, path: str, status: str | None, size: int = 0, error: str = "") -> str:
    url = f'url="http://{host}/v2/library/busybox/{path}?ns=docker.io"'
    lines = [f'time="x" level=debug msg="do request" request.method=HEAD {url}']
    if status:
        about = f'response.header.content-length={size} response.status="{status}"'
        lines.append(f'time="x" level=debug msg="fetch response received" {about} {url}')
    if error:
        said = f'error="failed to do request: Head \\"http://{host}/v2/library/busybox/{path}\\"'
        said += f': {error}"'
        lines.append(f'time="x" level=info msg="trying next host" {said} host="{host}"')
    return "\n".join(lines)


def resolved(host: str) -> str:
    return f'time="x" level=debug msg=resolved desc.digest="{DIGEST}" host="{host}"'


def fetch(host: str, layers: str = "") -> str:
    from_where = layers or host
    return "\n".join(
        (
            'level=debug msg="loading host directory" dir=/x',
            asked(host, "manifests/1.36", "200 OK"),
            resolved(host),
            asked(host, f"manifests/{DIGEST}", "200 OK", 440),
            *([asked(host, f"blobs/{DIGEST}", "403 Forbidden")] if layers else []),
            asked(from_where, f"blobs/{DIGEST}", "200 OK", 120),
        )
    )


def evidence(
    trace: str,
    log: str = "",
    *,
    via: PullClient = PullClient.CRICTL,
    code: int = 0,
    output: str = "",
    present: bool = False,
    stayed: int = 0,
    transferred: int = 2,
) -> Evidence:
    return Evidence(
        via=via,
        code=code,
        seconds=0.1,
        output=output,
        present=present,
        trace=read_trace(trace),
        fetched=2,
        stayed=stayed,
        transferred=transferred,
        log=read_log(log, IMAGE),
    )


REFUSED = asked(A, "manifests/1.36", None, error="dial tcp: connect: connection refused")
PASSED = 'level=info msg="trying next host" error="failed to do request" host=a.test'
NO_LAYERS = f"{asked(A, 'manifests/1.36', '200 OK')}\n{resolved(A)}"
CLOSED = asked(A, "manifests/1.36", "401 Unauthorized")
READ = f'level=info msg="stop pulling image {IMAGE}: active requests=0, bytes read=733"'
V2 = replace(CERTS_D, containerd="2.1.9")
CASES = {
    "the first mirror": (evidence(fetch(A)), CERTS_D, LIVE, Served.MIRROR, A),
    "a port is part of a host": (evidence(fetch(B)), CERTS_D, LIVE, Served.MIRROR, B),
    "upstream": (evidence(fetch(UP)), CERTS_D, LIVE, Served.UPSTREAM, UP),
    "a mirror with layers refused": (evidence(fetch(A, B)), CERTS_D, LIVE, Served.MIRROR, B),
    "a dead first one, both say so": (
        evidence(f"{REFUSED}\n{fetch(B)}", PASSED), V2, LIVE, Served.MIRROR, B
    ),
    "a dead first one, and 2.x logged nothing": (
        evidence(f"{REFUSED}\n{fetch(B)}"), V2, LIVE, Served.UNKNOWN, None
    ),
    "a dead first one, and 1.x logged nothing": (
        evidence(f"{REFUSED}\n{fetch(B)}"), CERTS_D, LIVE, Served.MIRROR, B
    ),
    "the daemon passed over the one that served ctr": (
        evidence(fetch(A), PASSED), CERTS_D, LIVE, Served.UNKNOWN, None
    ),
    "the daemon refused the file": (
        evidence(fetch(A), 'level=error msg="failed to decode hosts.toml"'),
        CERTS_D, LIVE, Served.UNKNOWN, None,
    ),
    "a daemon that does not read its folder": (
        evidence(fetch(A)), CERTS_D, Liveness(LivenessState.NOT_READING), Served.UNKNOWN, None,
    ),
    "nobody asked the daemon": (evidence(fetch(A)), CERTS_D, None, Served.UNKNOWN, None),
    "it was there": (evidence(NO_LAYERS, present=True), CERTS_D, LIVE, Served.PRESENT, None),
    "its content was there": (evidence(NO_LAYERS), CERTS_D, LIVE, Served.PRESENT, None),
    "ctr could not fetch": (evidence(REFUSED), CERTS_D, LIVE, Served.UNKNOWN, None),
    "credentials that ctr has not": (
        evidence(f"{asked(A, 'manifests/1.36', '401 Unauthorized')}\n{fetch(B)}"),
        with_credentials(A), LIVE, Served.UNKNOWN, None,
    ),
    "credentials for another host": (
        evidence(f"{asked(A, 'manifests/1.36', '401 Unauthorized')}\n{fetch(B)}"),
        with_credentials("c.test"), LIVE, Served.MIRROR, B,
    ),
    "pull secrets that kubelet may have": (
        evidence(
            f"{asked(A, 'manifests/1.36', '401 Unauthorized')}\n{fetch(B)}",
            via=PullClient.KUBELET,
        ),
        CERTS_D, LIVE, Served.UNKNOWN, None,
    ),
    "kubelet": (evidence(fetch(A), via=PullClient.KUBELET), CERTS_D, LIVE, Served.MIRROR, A),
    "the only mirror, which lets kubelet in": (
        evidence(CLOSED, via=PullClient.KUBELET), CERTS_D, LIVE, Served.MIRROR, A,
    ),
    "the only mirror, of a daemon that may read others": (
        evidence(CLOSED, via=PullClient.KUBELET), CERTS_D, None, Served.UNKNOWN, None,
    ),
    "the first mirror, which 2.x does not log as failed": (
        evidence(f"{CLOSED}\n{fetch(B)}", READ, via=PullClient.KUBELET),
        V2, LIVE, Served.MIRROR, A,
    ),
    "the first mirror, which 1.x would not log": (
        evidence(f"{CLOSED}\n{fetch(B)}", READ, via=PullClient.KUBELET),
        CERTS_D, LIVE, Served.UNKNOWN, None,
    ),
    "the first mirror, which 2.x logs as failed": (
        evidence(f"{CLOSED}\n{fetch(B)}", f"{PASSED}\n{READ}", via=PullClient.KUBELET),
        V2, LIVE, Served.MIRROR, B,
    ),
    "a log that cannot be read": (
        evidence(f"{CLOSED}\n{fetch(B)}", via=PullClient.KUBELET),
        V2, LIVE, Served.UNKNOWN, None,
    ),
    "legacy, in force": (evidence(fetch(A)), LEGACY, None, Served.MIRROR, A),
    "legacy, not in force": (
        evidence(fetch(A)), NOT_LOADED, None, Served.UNKNOWN, None
    ),
    "k3s": (
        evidence(fetch(A)), replace(LEGACY, strategy="k3s"), None, Served.UNKNOWN, None
    ),
    "ctr alone": (evidence(fetch(A), via=PullClient.CTR), CERTS_D, None, Served.MIRROR, A),
    "a failed pull": (evidence(fetch(A), code=1), CERTS_D, LIVE, Served.UNKNOWN, None),
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "plan", "liveness", "served", "mirror"), CASES.values(), ids=CASES
)
def test_verdicts(
    found: Evidence,
    plan: NodePlan,
    liveness: Liveness | None,
    served: Served,
    mirror: str | None,
) -> None:
    verdict = attribute_pull(TEST, plan, found, liveness)

    assert (verdict.served, verdict.mirror) == (served, mirror), verdict
    assert verdict.evidence


PRESENT = {
    "a host answered for the name": (NO_LAYERS, frozenset(), True, "a.test resolved its name"),
    "no host answered": (
        REFUSED,
        frozenset(),
        False,
        "not verified, because no host resolved its name",
    ),
    "nothing was asked": (
        "",
        frozenset(),
        False,
        "not verified, because no host resolved its name",
    ),
    "CRI has the credentials": (CLOSED, frozenset({A}), True, "CRI resolved its name"),
    "nobody has the credentials": (CLOSED, frozenset(), False, "a.test (name): 401"),
}


@pytest.mark.parametrize(("trace", "known", "ok", "told"), PRESENT.values(), ids=PRESENT)
def test_an_image_that_was_there_is_proven_by_its_name_or_not_at_all(
    trace: str, known: frozenset[str], ok: bool, told: str
) -> None:
    plan = with_credentials(*known)

    verdict = attribute_pull(TEST, plan, evidence(trace, present=True), LIVE)

    assert (verdict.ok, verdict.served) == (ok, Served.PRESENT)
    assert told in verdict.detail


MEDIA = {
    "text/html": False,
    "application/json": False,
    "application/vnd.docker.distribution.manifest.v2+json": True,
    "application/vnd.oci.image.index.v1+json": True,
}


@pytest.mark.parametrize("via", PullClient)
@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize(("media", "ok"), MEDIA.items())
def test_what_is_not_an_image_is_never_ok(
    media: str, ok: bool, present: bool, via: PullClient
) -> None:
    told = f'time="x" level=debug msg=fetch digest="{DIGEST}" mediatype={media} size=69'

    verdict = attribute_pull(
        TEST, CERTS_D, evidence(f"{fetch(A)}\n{told}", via=via, present=present), LIVE
    )

    assert verdict.ok is ok
    assert (f"{A} answered with {media}" in verdict.detail) is not ok


FILES = {
    "one registry's file": (("/c/quay.io/hosts.toml",), ("quay.io",)),
    "one with a port": (("/c/r.test_5000_/hosts.toml",), ("r.test:5000",)),
    "what a restart reads": (("/etc/containerd/config.toml",), ("quay.io", "r.test:5000")),
    "one that is proven": (("/c/docker.io/hosts.toml",), ()),
    "nothing": ((), ()),
}


@pytest.mark.parametrize(("paths", "names"), FILES.values(), ids=FILES)
def test_changed_registries_without_a_pull_are_named(
    paths: tuple[str, ...], names: tuple[str, ...]
) -> None:
    tested = {"docker.io": IMAGE, "quay.io": None, "r.test:5000": None}
    registries = [Registry(name=n, server=None, mirrors=(), verify=v) for n, v in tested.items()]
    changes = [Change(path, None, ManagedFile(b"")) for path in paths]

    assert unproven(changes, registries) == names


def test_a_path_that_old_releases_take_otherwise_is_not_known() -> None:
    test = replace(TEST, paths=frozenset({A}))

    assert attribute_pull(test, LEGACY, evidence(fetch(A)), None).served is Served.UNKNOWN
    assert attribute_pull(test, LEGACY, evidence(fetch(B)), None).served is Served.MIRROR


def test_a_failure_tells_what_every_host_said() -> None:
    trace = f"{REFUSED}\n{asked(B, 'manifests/1.36', '403 Forbidden')}"
    found = evidence(trace, code=1, output="FATA: pulling image: not found")

    detail = attribute_pull(TEST, CERTS_D, found, LIVE).detail

    assert "not found" in detail
    assert "a.test (name): dial tcp: connect: connection refused" in detail
    assert "b.test:5000 (name): 403 Forbidden" in detail


def test_bytes_and_what_the_daemon_read_are_counted() -> None:
    log = f'msg="stop pulling image {IMAGE}: active requests=0, bytes read=733"'
    found = evidence(fetch(A), log)

    assert (found.trace.size, found.log.size, found.trace.digest) == (560, 733, DIGEST)
