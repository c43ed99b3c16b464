"""Failures of a cluster's API, from its answers and from connections that broke."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.masking.known import without_known
from fleet.core.masking.shown_text import tail
from fleet.core.text.documents import table, word
from fleet.errors import printable, shortened

RIGHTS_PAGE = "docs/how-to/kubernetes-rights.md"
"""The page with the RBAC manifests."""
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}
_LONGEST = 2000
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)


class ClusterError(Exception):
    """A call of a cluster's API that failed; `status` is the answer's HTTP status, or 0.

    `reason` and `causes` are those of the API's Status object: a 409 is `Conflict` or
    `AlreadyExists`, a 429 with the cause `DisruptionBudget` is an eviction that a budget forbids.
    """

    def __init__(
        self,
        failure: Failure,
        *,
        status: int = 0,
        reason: str = "",
        causes: Mapping[str, str] | None = None,
        retry_after: int | None = None,
        resume: str = "",
    ) -> None:
        self.failure = failure
        self.status = status
        self.reason = reason
        self.causes = causes or {}
        """The message of each cause of the Status object, by the cause's reason."""
        self.retry_after = retry_after
        self.resume = resume
        """The token with which the API continues a list that has expired; usually empty."""
        super().__init__(failure.message)


def cluster_error(message: str, remedy: str, evidence: str = "") -> ClusterError:
    """Return the error of a call that got no answer."""
    return ClusterError(cluster_failure(message, remedy, evidence))


def cluster_failure(message: str, remedy: str, evidence: str = "") -> Failure:
    """Return a failure of the kind `cluster`, in printable text."""
    return Failure(
        FailureKind.CLUSTER,
        Step.CLUSTER,
        printable(shortened(message)),
        printable(shortened(remedy)),
        tail(evidence[-_LONGEST:]),
    )


def answered_error(
    cluster: str, call: tuple[str, str], answer: tuple[int, bytes, str], secrets: Iterable[str]
) -> ClusterError:
    """Return the error of a call, which is a method and a path, that the API refused.

    The answer is its HTTP status, its body and its header Retry-After.
    """
    status, body, retry_after = answer
    data = _status_object(body)
    causes = table(data, "details").get("causes")
    entries = causes if isinstance(causes, list) else []
    message, remedy = _words(cluster, call, status, word(data, "reason"))
    told = word(data, "message") if data else body[:_LONGEST].decode("utf-8", "replace")
    return ClusterError(
        cluster_failure(message, remedy, without_known(told, secrets)),
        status=status,
        reason=word(data, "reason"),
        causes={
            word(cause, "reason"): without_known(word(cause, "message"), secrets)
            for cause in entries
        },
        retry_after=int(retry_after) if re.fullmatch("[0-9]{1,5}", retry_after) else None,
        resume=word(table(data, "metadata"), "continue"),
    )


def _status_object(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {}


def _words(cluster: str, call: tuple[str, str], status: int, reason: str) -> tuple[str, str]:
    """Return the message and the remedy for an answer."""
    method, path = call
    action = action_of(method, path)
    if status == 401:
        return (
            f"the cluster {cluster} does not accept the kubeconfig's login",
            "log in to the cluster again; `kubectl get nodes` shows whether it works",
        )
    if status == 403:
        return (
            f"the cluster {cluster} does not allow this login to {action}",
            f"grant the right; {RIGHTS_PAGE} has the manifests",
        )
    if 300 <= status < 400:
        return (
            f"{cluster} redirects requests (HTTP {status}), which no API of a cluster does",
            "correct `server` in the kubeconfig",
        )
    if status == 404:
        return f"the cluster {cluster} found nothing to {action}", "look with `kubectl get`"
    answer = f"HTTP {status}, {reason}" if reason else f"HTTP {status}"
    return (
        f"the cluster {cluster} refused to {action} ({answer})",
        "see what the API says, then run the command again",
    )


def action_of(method: str, path: str) -> str:
    """Return a call as RBAC names it: `patch nodes`, `create pods/eviction in web`."""
    match = _PATH.match(path)
    if match is None:
        return f"read {path}"
    verb = _VERBS.get(method) or ("get" if match["name"] else "list")
    resource = "/".join(filter(None, (match["resource"], match["sub"])))
    group = f".{match['group']}" if match["group"] else ""
    where = f" in the namespace {match['namespace']}" if match["namespace"] else ""
    return f"{verb} {resource}{group}{where}"
