"""crictl for the nodes: a current one, and an old one that speaks CRI v1alpha2 to containerd 1.4."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.lab.host import cache_folder, run, say

CURRENT = ("sigs.k8s.io/cri-tools", "v1.33.0")
OLD = ("github.com/kubernetes-sigs/cri-tools", "v1.23.0")


def _binary(module: tuple[str, str]) -> Path:
    return cache_folder() / f"crictl-{module[1]}"


def _module_for(suite: str) -> tuple[str, str]:
    return OLD if suite == "bullseye" else CURRENT


def crictl_for(suite: str) -> Path | None:
    """Return the crictl that speaks to the containerd of this suite; None where there is none."""
    binary = _binary(_module_for(suite))
    return binary if binary.is_file() else None


def build_crictl(suites: tuple[str, ...]) -> None:
    """Build what the suites need, where Go is there; else say that nodes will have none."""
    modules = {_module_for(suite) for suite in suites}
    missing = [module for module in sorted(modules) if not _binary(module).is_file()]
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if missing and go is None:
        say("no Go on this machine: the nodes will have no crictl, and its tests will say so")
        return
    for module in missing:
        say(f"building crictl {module[1]}")
        _build(str(go), module)


def _build(go: str, module: tuple[str, str]) -> None:
    """Build in a module of its own: `go install` refuses modules with replace directives."""
    path, version = module
    with tempfile.TemporaryDirectory(prefix="fleet-lab-") as folder:
        home = Path(folder)
        environment = ["env", "-C", folder, "CGO_ENABLED=0", "GOFLAGS=-mod=mod -buildvcs=false"]
        (home / "go.mod").write_text(f"module lab\n\ngo 1.18\n\nrequire {path} {version}\n")
        (home / "tools.go").write_text(
            f'//go:build tools\n\npackage lab\n\nimport _ "{path}/cmd/crictl"\n'
        )
        flags = ("-trimpath", "-ldflags", f"-s -w -X {path}/pkg/version.Version={version}")
        half = home / "crictl"
        run(*environment, go, "build", *flags, "-o", half, f"{path}/cmd/crictl", seconds=1200)
        cache_folder().mkdir(parents=True, exist_ok=True)
        temporary = _binary(module).with_suffix(f".{os.getpid()}")
        shutil.copy2(half, temporary)
        temporary.rename(_binary(module))
