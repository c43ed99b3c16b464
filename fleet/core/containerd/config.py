"""config.toml as each release reads it: its syntax, its version, the names of its CRI plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.core.containerd.features import Feature, max_config_version, supports
from fleet.core.failure import FIX_BY_HAND, FailureKind, NodeError, Step
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import BoundError, DocumentError, parse_toml

CRI_1 = "io.containerd.grpc.v1.cri"


IMAGES = "io.containerd.cri.v1.images"


OLD_CRI = "cri"
"""The name of CRI's plugin in config version 1."""


_TEMPLATES = (("{{", "}}"), ("{%", "%}"), ("<%", "%>"))


def parse_config(text: str, path: str) -> Mapping[str, Any]:
    """Parse config.toml; raise a NodeError that names the line where it is broken."""
    start = _template(text)
    if start is not None:
        line = text[:start].count("\n") + 1
        message = f"{path}:{line}: this is a template, and fleet does not edit templates"
        raise _refused(message, "set containerd_config to the file that is generated from it")
    try:
        return parse_toml(text)
    except BoundError as error:
        raise _refused(f"fleet cannot parse {path}: {error}", FIX_BY_HAND) from error
    except DocumentError as error:
        message = f"{path} is not valid TOML: {error}"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, FIX_BY_HAND) from error


def _template(text: str) -> int | None:
    """Return where the first template tag begins; None if there is none."""
    pairs = ((text.find(mark), end) for mark, end in _TEMPLATES)
    return min((at for at, end in pairs if 0 <= at < text.find(end, at + 2)), default=None)


def config_version(data: Mapping[str, Any], version: ContainerdVersion, path: str) -> int:
    """Return the config version by which a release reads a file; raise a NodeError if it cannot."""
    declared = data.get("version", 1)
    if not isinstance(declared, int) or isinstance(declared, bool) or not 0 <= declared <= 4:
        problem = f"fleet does not know the config version {repr(declared)[:40]}"
        raise _refused(f"{path}: {problem}", FIX_BY_HAND)
    newest = max_config_version(version)
    if declared > newest:
        verb = "refuses" if supports(version, Feature.STRICT_CONFIG_VERSION) else "does not know"
        problem = f"containerd {version} {verb} config version {declared}"
        raise _refused(f"{path}: {problem}", f"convert it to version {newest} by hand")
    return max(declared, 1)


def _refused(message: str, remedy: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
