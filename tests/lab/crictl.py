"""crictl for the nodes: the real one where it can be built, else the lab's own CRI client.

containerd 1.4 needs an old crictl that speaks CRI v1alpha2. The lab's own client (`cri/`) speaks
both versions of CRI, with those of crictl's flags and words that fleet uses.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tests.lab.host import LabError, cache_folder, run, say

CURRENT = ("sigs.k8s.io/cri-tools", "v1.34.0")
OLD = ("github.com/kubernetes-sigs/cri-tools", "v1.23.0")
_OWN = Path(__file__).with_name("cri")


def _real(suite: str) -> Path:
    return cache_folder() / f"crictl-{_module(suite)[1]}"


def _module(suite: str) -> tuple[str, str]:
    return OLD if suite == "bullseye" else CURRENT


def _own() -> Path:
    text = b"".join(path.read_bytes() for path in sorted(_OWN.iterdir()))
    return cache_folder() / f"crictl-lab-{hashlib.sha256(text).hexdigest()[:12]}"


def crictl_for(suite: str) -> Path | None:
    """Return the CRI client for the nodes of this suite; None where there is none."""
    return next((path for path in (_real(suite), _own()) if path.is_file()), None)


def build_crictl(suites: tuple[str, ...]) -> None:
    """Build what the suites need, where Go is there; else say that nodes will have none."""
    missing = [suite for suite in dict.fromkeys(suites) if crictl_for(suite) is None]
    go = compiler()
    if missing and go is None:
        say("no Go on this machine: the nodes will have no crictl, and its tests will say so")
        return
    for suite in {_module(each): each for each in missing}.values():
        path, version = _module(suite)
        say(f"building crictl {version}")
        try:
            _build_real(str(go), path, version, _real(suite))
        except LabError:
            say(f"crictl {version} cannot be had from the module proxy of this machine")
    if any(crictl_for(suite) is None for suite in missing):
        say("building the lab's own CRI client instead")
        try:
            build_go(str(go), _OWN, ".", "", _own())
        except LabError as error:
            say(f"that cannot be built either, so the nodes have no crictl: {str(error)[-200:]}")


def compiler() -> str | None:
    """Return the Go that this machine has."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")


def _build_real(go: str, path: str, version: str, target: Path) -> None:
    """Build in a module of its own: `go install` refuses modules with replace directives."""
    with tempfile.TemporaryDirectory(prefix="fleet-lab-") as folder:
        home = Path(folder)
        (home / "go.mod").write_text(f"module lab\n\ngo 1.18\n\nrequire {path} {version}\n")
        build_go(go, home, f"{path}/cmd/crictl", f"-X {path}/pkg/version.Version={version}", target)


def build_go(go: str, folder: Path, package: str, flags: str, target: Path) -> None:
    """Build a Go program into the cache; the module proxy gives what it needs."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.{os.getpid()}")
    environment = ("env", "-C", folder, "CGO_ENABLED=0", "GOFLAGS=-mod=mod -buildvcs=false")
    words = (go, "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", half, package)
    run(*environment, *words, seconds=1200)
    half.rename(target)
