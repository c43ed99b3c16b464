"""The kubeconfig: the files that kubectl would read, one context of them, and its login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fleet.core.text.documents import table, word
from fleet.home import expanded
from fleet.kubernetes.errors import ClusterError, cluster_error

_LEGACY = "use a credential plugin (`exec`) in the kubeconfig instead"
_SECRETS = ("token", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """The files of a kubeconfig, merged, and the names of one context's parts in them."""

    merged: Any
    """The official client's own object, which knows the folder of each entry."""
    shown: str
    context: str
    cluster: str
    user: str

    def entry(self, kind: str, name: str) -> tuple[dict[str, Any], Path]:
        """Return a cluster or a user, and the folder of its file."""
        for item in self.merged.value[f"{kind}s"]:
            if item.value.get("name") == name:
                body = item.value.get(kind)
                return (body if isinstance(body, dict) else {}), Path(item.path).absolute().parent
        raise cluster_error(
            f"{self.shown}: the context {self.context} names the {kind} {name}, which is missing",
            "correct the kubeconfig",
        )


def context_names(path: str | None) -> list[str]:
    """Return the names of all contexts; raise a ClusterError if the files cannot be read."""
    return [*_merged(path)[2]]


def read_kubeconfig(path: str | None, context: str | None) -> Kubeconfig:
    """Read the files as kubectl does; raise a ClusterError if the context is not in them."""
    shown, merged, contexts = _merged(path)
    name = context or word(merged.value, "current-context")
    if name not in contexts:
        raise _no_context(shown, name, [*contexts])
    body = contexts[name]
    return Kubeconfig(
        merged=merged,
        shown=shown,
        context=name,
        cluster=word(body, "cluster"),
        user=word(body, "user"),
    )


def _merged(path: str | None) -> tuple[str, Any, dict[str, Mapping[str, Any]]]:
    """Return the names of the files, their content, and the contexts by name."""
    _refuse_without_client()
    from kubernetes.config.kube_config import KubeConfigMerger  # noqa: PLC0415 - an extra

    files = _files(path)
    shown = ":".join(map(str, files))
    try:
        merged = KubeConfigMerger(os.pathsep.join(map(str, files))).config
        contexts = [item.value for item in merged.value["contexts"]]
        named = {word(item, "name"): table(item, "context") for item in contexts}
        return shown, merged, {name: context for name, context in named.items() if name}
    except OSError as error:
        raise cluster_error(f"{shown}: cannot be read ({error.strerror})", _NAME_IT) from None
    except Exception as error:  # noqa: BLE001 - any shape of file; its text may be a secret
        raise _broken(shown, error) from None


_NAME_IT = "set KUBECONFIG, or `kubernetes: {kubeconfig: FILE}` in the inventory"


def _refuse_without_client() -> None:
    if find_spec("kubernetes") is None:
        raise cluster_error(
            "the Kubernetes client is not installed",
            "in a clone of fleet, run `pipx install --force '.[kubernetes]'`",
        )


def _files(path: str | None) -> list[Path]:
    """Return the files that are there; raise a ClusterError if none is."""
    if path is not None:
        files = [expanded(path)]
    else:
        given = [text for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
        files = [expanded(text) for text in given or ["~/.kube/config"]]
    there = [file for file in files if file.exists()]
    if not there:
        raise cluster_error(f"{':'.join(map(str, files))}: there is no kubeconfig", _NAME_IT)
    return there


def _broken(shown: str, error: Exception) -> ClusterError:
    """Return the error for a file that cannot be parsed, without its content."""
    line = getattr(getattr(error, "problem_mark", None), "line", None)
    where = f" (line {line + 1})" if isinstance(line, int) else ""
    return cluster_error(f"{shown} is not a kubeconfig{where}", "correct the file")


def _no_context(shown: str, name: str, known: list[str]) -> ClusterError:
    if not name:
        return cluster_error(
            f"{shown}: has no current context",
            "name one: --kube-context, or `kubectl config use-context`",
        )
    names = ", ".join(sorted(known)[:20]) or "none"
    return cluster_error(f"{shown} has no context {name}", f"name one of its contexts: {names}")


def secrets_of(user: Mapping[str, Any]) -> frozenset[str]:
    """Return the secrets of a user, which must not be shown."""
    return frozenset(text for key in _SECRETS if len(text := word(user, key)) > 4)


def stored_token(user: Mapping[str, Any], folder: Path) -> str:
    """Return the token in a user's file or auth-provider, if it has one; raise a ClusterError.

    Of the providers only OpenID Connect is left in kubectl; its token is used as it stands.
    """
    if path := word(user, "tokenFile"):
        try:
            return (folder / path).read_text("ascii").strip()
        except (OSError, ValueError):
            raise cluster_error(
                f"`tokenFile`: {folder / path} cannot be read", "correct it"
            ) from None
    provider = user.get("auth-provider")
    if provider is None:
        return ""
    token = word(table(provider, "config"), "id-token")
    if word(provider, "name") != "oidc" or not token:
        raise cluster_error(
            f"the kubeconfig's auth-provider {word(provider, 'name')} is not supported", _LEGACY
        )
    return token
