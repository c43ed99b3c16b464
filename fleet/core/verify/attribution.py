"""The mirror that served a verification pull, decided by evidence or left undecided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import (
    HostAttempt,
    Liveness,
    LivenessState,
    PullClient,
    Served,
    Verified,
)
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.pull_tests import PullTest
from fleet.core.verify.closed_hosts import host_with_login
from fleet.core.verify.trace import Log, Trace
from fleet.core.verify.trace_notes import mixed_notes, passed_over

_LOGS_ALL = (2, 0, 0)
"""The release from which on the daemon's log names every host that did not resolve."""


_KNOWS_PATHS = (1, 6, 0)


_LEGACY = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of one verification pull.

    `present` is whether CRI had the image before. Of the `fetched` objects, `stayed` counts those
    that could not be deleted before the pull, `transferred` those that the store has only since.
    """

    via: PullClient
    code: int
    seconds: float
    output: str
    present: bool
    trace: Trace
    fetched: int = 0
    stayed: int = 0
    transferred: int = 0
    log: Log = field(default_factory=Log)


def attribute_pull(
    test: PullTest, plan: NodePlan, evidence: Evidence, liveness: Liveness | None
) -> Verified:
    """Return the result of one pull, and the host that served it if the evidence decides."""
    trace = evidence.trace
    result = Verified(
        image=test.image,
        ok=evidence.code == 0,
        via=evidence.via,
        seconds=evidence.seconds,
        size=trace.size,
        digest=trace.digest,
        attempts=trace.hops,
    )
    if evidence.code != 0:
        return replace(result, detail=_failure_detail(evidence), evidence="the pull failed")
    if trace.no_image:
        return replace(result, ok=False, detail=_not_an_image(trace), evidence="not an image")
    if evidence.present:
        return _present_result(
            result, trace, "the image", _hosts_closed_to_ctr(test, plan, evidence)
        )
    if trace.resolved is not None and not trace.content:
        return _present_result(result, trace, "its content", set())
    return _transferred_result(result, test, plan, (evidence, liveness))


def _transferred_result(
    result: Verified, test: PullTest, plan: NodePlan, seen: tuple[Evidence, Liveness | None]
) -> Verified:
    """Return the result of a pull that has transferred the image."""
    evidence, liveness = seen
    trace = evidence.trace
    if host := _host_with_login(test, plan, evidence, liveness):
        return _login_result(result, test, host)
    doubt = _reason_unknown(test, plan, evidence, liveness)
    if doubt:
        would = f"; ctr got it from {_host(trace)}" if _host(trace) else ""
        return replace(result, detail=f"unknown: {doubt}{would}", evidence=doubt)
    return _served_result(result, test, evidence)


def _failure_detail(evidence: Evidence) -> str:
    """Return the reason why a pull failed, with each host's response."""
    reason = "timed out" if evidence.code == 124 else tail(evidence.output, 2)
    hops = "; ".join(
        dict.fromkeys(_describe_attempt(hop) for hop in evidence.trace.hops if not hop.good)
    )
    if evidence.trace.no_image:
        hops = "; ".join(filter(None, (hops, _not_an_image(evidence.trace))))
    return tail(f"{reason}\n{hops}" if hops else reason)


def _not_an_image(trace: Trace) -> str:
    return tail(
        f"{trace.resolved} answered with {trace.media}, which is not an image (a login page or a"
        " proxy?)",
        1,
    )


def _describe_attempt(hop: HostAttempt) -> str:
    what = {"resolve": "name", "manifest": "manifest"}
    return f"{hop.host} ({what.get(hop.what, 'layer')}): {hop.response}"


def _present_result(result: Verified, trace: Trace, where: str, closed: set[str]) -> Verified:
    """Return the result for an image that was already present: a host must resolve its name.

    If hosts require credentials that ctr does not have, CRI's own pull has resolved the name.
    """
    about = f"{where} was on the node before the pull"
    if trace.resolved:
        outcome = f"{trace.resolved} resolved its name, nothing was downloaded"
    elif closed:
        hosts = ", ".join(sorted(closed))
        outcome = f"CRI resolved its name, nothing was downloaded; {hosts} refused ctr"
    else:
        reason = (
            "; ".join(dict.fromkeys(_describe_attempt(hop) for hop in trace.hops))
            or "ctr tried no host"
        )
        outcome = f"not verified, because no host resolved its name ({reason})"
        result, about = replace(result, ok=False), f"{about}, and no host resolved its name"
    detail = tail(f"{where} was already on the node: {outcome}", 1)
    return replace(result, served=Served.PRESENT, detail=detail, evidence=about)


def _reason_unknown(
    test: PullTest, plan: NodePlan, evidence: Evidence, liveness: Liveness | None
) -> str | None:
    """Return why the serving host is unknown; None if the evidence decides."""
    trace = evidence.trace
    if trace.resolved is None:
        return "ctr could not fetch the image from the same hosts"
    if evidence.via is PullClient.CTR:
        return None
    return (
        _reason_other_responses(test, plan, evidence)
        or _reason_other_hosts(plan, liveness)
        or _reason_not_moved(evidence)
        or _reason_log_differs(plan, evidence)
    )


def _reason_other_responses(test: PullTest, plan: NodePlan, evidence: Evidence) -> str | None:
    """Return why CRI may have got other responses than ctr; None if nothing suggests it."""
    closed = _hosts_closed_to_ctr(test, plan, evidence) - set(evidence.log.passed_over)
    if closed:
        hosts = ", ".join(sorted(closed))
        if evidence.via is PullClient.KUBELET:
            return f"credentials are needed, which kubelet may have but ctr does not: {hosts}"
        return f"credentials are needed, which CRI has but ctr does not: {hosts}"
    if test.rewritten:
        return "CRI of k3s and RKE2 rewrites names, but ctr does not"
    version = parse_version(plan.containerd or "")
    old = version is None or version.release < _KNOWS_PATHS
    if old and {hop.host for hop in evidence.trace.hops} & test.paths:
        return f"containerd {plan.containerd} uses a mirror's path in another way than ctr"
    return None


def _hosts_closed_to_ctr(test: PullTest, plan: NodePlan, evidence: Evidence) -> set[str]:
    """Return the hosts that refuse ctr, but may accept CRI with its credentials.

    kubelet has pull secrets and credential plugins that fleet does not know.
    """
    closed = {hop.host for hop in evidence.trace.hops if hop.response.startswith("401")}
    known = test.credentials | plan.daemon.credentials
    any_host = "*" in known or evidence.via is PullClient.KUBELET
    return closed if closed & known or any_host else set()


def _host_with_login(
    test: PullTest, plan: NodePlan, evidence: Evidence, liveness: Liveness | None
) -> str | None:
    """Return the host that has refused ctr and served kubelet; None if that is not certain."""
    known = plan.config.hosts_directory and not _reason_other_hosts(plan, liveness)
    if evidence.via is not PullClient.KUBELET or not known or test.rewritten:
        return None
    closed = _hosts_closed_to_ctr(test, plan, evidence)
    version = parse_version(plan.containerd or "")
    logs_all = version is not None and version.release >= _LOGS_ALL
    return host_with_login(evidence.trace, evidence.log, closed, logs_all=logs_all)


def _login_result(result: Verified, test: PullTest, host: str) -> Verified:
    upstream = host == test.upstream and host not in test.mirrors
    return replace(
        result,
        mirror=tail(host),
        served=Served.UPSTREAM if upstream else Served.MIRROR,
        detail=f"{tail(host)} refused ctr, and let kubelet in",
        evidence="kubelet's pull succeeded, and no other host could resolve the name",
    )


def _reason_other_hosts(plan: NodePlan, liveness: Liveness | None) -> str | None:
    """Return why the daemon may ask other hosts than ctr did; None if nothing suggests it."""
    if plan.config.hosts_directory:
        match liveness.state if liveness else LivenessState.UNCHECKED:
            case LivenessState.LIVE:
                return None
            case LivenessState.NOT_READING:
                return f"the running containerd does not read {plan.config.hosts_directory}"
            case LivenessState.UNCHECKED:
                folder = plan.config.hosts_directory
                return f"it was not checked whether the running containerd reads {folder}"
    if plan.strategy != _LEGACY:
        return f"{plan.strategy} keeps its mirrors where ctr does not look"
    return (
        None
        if plan.config.in_force
        else "the running containerd has other mirrors than mirrors.yaml"
    )


def _reason_not_moved(evidence: Evidence) -> str | None:
    """Return a doubt if objects that ctr had fetched were still in the store for CRI's pull."""
    if not evidence.stayed:
        return None
    return (
        f"{evidence.stayed} of {evidence.fetched} objects were already in the store when CRI began"
        " to pull"
    )


def _reason_log_differs(plan: NodePlan, evidence: Evidence) -> str | None:
    """Return a doubt if the daemon's own log contradicts ctr's trace."""
    trace, log = evidence.trace, evidence.log
    if log.refused != trace.refused:
        return "containerd and ctr disagree on whether hosts.toml can be read"
    refused = set(trace.turned_down)
    unexpected = [host for host in log.passed_over if host not in refused]
    if unexpected:
        return f"containerd's log names other failed hosts: {', '.join(unexpected)}"
    version = parse_version(plan.containerd or "")
    missing = [host for host in trace.turned_down if host not in log.passed_over]
    if missing and version is not None and version.release >= _LOGS_ALL:
        return f"containerd's log does not name these failed hosts: {', '.join(missing)}"
    return None


def _host(trace: Trace) -> str | None:
    """Return the host that served the last layer, else the one that resolved the name."""
    return trace.layers[-1] if trace.layers else trace.resolved


def _served_result(result: Verified, test: PullTest, evidence: Evidence) -> Verified:
    trace = evidence.trace
    host = _host(trace)
    upstream = host == test.upstream and host not in test.mirrors
    notes = [*passed_over(trace), *mixed_notes(trace, host), *_store_notes(evidence)]
    if not trace.layers:
        notes.append("its layers were already on the node")
    if evidence.via is PullClient.CTR:
        notes.insert(0, "ctr only, CRI not verified")
    return replace(
        result,
        mirror=tail(host or ""),
        served=Served.UPSTREAM if upstream else Served.MIRROR,
        detail=tail("; ".join(notes), 1),
        evidence=_deciding_evidence(evidence),
    )


def _store_notes(evidence: Evidence) -> list[str]:
    if evidence.via is PullClient.CTR or evidence.transferred >= evidence.fetched:
        return []
    return ["CRI kept no layers, so its store cannot confirm the host"]


def _deciding_evidence(evidence: Evidence) -> str:
    """Return the evidence that decided, in words."""
    parts = [f"ctr fetched {evidence.trace.size} bytes from the same hosts just before"]
    if evidence.via is not PullClient.CTR:
        parts.append(f"CRI fetched {evidence.transferred} of {evidence.fetched} objects again")
        parts.append("containerd's log agrees")
    if evidence.log.size:
        parts.append(f"it read {evidence.log.size} bytes")
    return ", ".join(parts)
