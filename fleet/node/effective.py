"""The effective registry settings of a staged config, from the daemon's own `config dump`."""

from __future__ import annotations

from fleet.core.containerd.registry_settings import difference
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan
from fleet.core.text.documents import DocumentError, parse_toml


def refuse_ineffective(plan: NodePlan, tables: str) -> None:
    """Raise a NodeError unless the new dump has the desired registry settings."""
    version = parse_version(plan.containerd or "")
    if plan.rollback or plan.config.intended_registry is None or version is None:
        return
    try:
        effective = effective_registry(parse_toml(tables))
    except DocumentError as error:
        message = f"the registry tables of `{plan.daemon.binary} config dump` cannot be parsed"
        remedy = f"look at what it prints for the new {plan.config.path}"
        raise NodeError(FailureKind.VALIDATE, Step.VALIDATE, message, remedy) from error
    names = difference(version, plan.config.intended_registry, effective)
    if names:
        message = (
            f"the new {plan.config.path} would not take effect as meant: containerd"
            f" {plan.containerd} reads {names} from another table or an imported file"
        )
        remedy = "put CRI's registry settings into one table by hand"
        raise NodeError(FailureKind.VALIDATE, Step.VALIDATE, message, remedy)
