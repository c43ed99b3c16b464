"""The flags of verification pods, and the options that they describe."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.options import add_options

if TYPE_CHECKING:
    from fleet.kubernetes.pull_pods import PodOptions

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class PodFlags:
    """The flags of verification pods."""

    namespace: str
    service_account: str | None
    pull_secrets: tuple[str, ...]

    def options(self) -> PodOptions:
        """Return the options of the pods."""
        from fleet.kubernetes.pull_pods import PodOptions  # noqa: PLC0415

        return PodOptions(
            namespace=self.namespace,
            service_account=self.service_account,
            pull_secrets=self.pull_secrets,
        )


def _name(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Refuse what the API would not take as a name."""
    del context, option
    for name in value if isinstance(value, tuple) else filter(None, [value]):
        if not _NAME.fullmatch(name):
            raise click.BadParameter(f"{name!r} cannot be a name in a cluster")
    return value


_FLAGS = (
    click.option(
        "--pod", is_flag=True,
        help="Have kubelet pull through a pod on each node; no container starts.",
    ),
    click.option(
        "--pod-namespace", metavar="NAME", callback=_name,
        help="Create the pods in this namespace. [default: default]",
    ),
    click.option(
        "--pod-service-account", metavar="NAME", callback=_name,
        help="Use the pull secrets of this service account.",
    ),
    click.option(
        "--pod-pull-secret", metavar="NAME", callback=_name, multiple=True,
        help="Use this pull secret of the namespace; may be repeated.",
    ),
)  # fmt: skip


def with_pods(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags of verification pods, and pass them as PodFlags; None without --pod."""

    @functools.wraps(function)
    def wrapped(
        *args: Any,
        pod: bool,
        pod_namespace: str | None,
        pod_service_account: str | None,
        pod_pull_secret: tuple[str, ...],
        **flags: Any,
    ) -> None:
        if not pod and (pod_namespace or pod_service_account or pod_pull_secret):
            raise click.UsageError("the options of pods need --pod")
        pods = PodFlags(pod_namespace or "default", pod_service_account, pod_pull_secret)
        function(*args, pods=pods if pod else None, **flags)

    return add_options(wrapped, _FLAGS)
