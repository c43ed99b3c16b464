"""The programs of the lab's cluster, built once a machine with Go from the module proxy.

Measured on two cores: 5 minutes and 2.3 GB of memory for the components, seconds for the rest.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.crictl import compiler
from tests.lab.host import LabError, cache_folder, exclusive, run, say

VERSION = "1.34.4"
CNI_VERSION = "v1.7.1"
CNI_PLUGINS = ("main/ptp", "main/loopback", "ipam/host-local")
_CNI_MODULE = "github.com/containernetworking/plugins"
_SOURCES = Path(__file__).parent
_SECONDS = 3600
"""A build at low priority beside the tests on a slow machine."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where the built programs lie; the components are one binary, chosen by its name."""

    folder: Path

    @property
    def components(self) -> Path:
        """Return the binary that is etcd, kube-apiserver, kubelet, kubectl and the others."""
        return self.folder / "kubernetes"

    @property
    def workload(self) -> Path:
        """Return the static program that pods run."""
        return self.folder / "workload"

    @property
    def plugins(self) -> tuple[Path, ...]:
        """Return the CNI plugins."""
        return tuple(self.folder / plugin.rpartition("/")[2] for plugin in CNI_PLUGINS)


def binaries() -> Binaries:
    """Return where this version's programs are kept; they may not be built yet."""
    digest = hashlib.sha256(CNI_VERSION.encode())
    for module in ("components", "workload"):
        for path in sorted((_SOURCES / module).iterdir()):
            digest.update(path.read_bytes())
    return Binaries(cache_folder() / f"kubernetes-{VERSION}-{digest.hexdigest()[:12]}")


def is_built() -> bool:
    """Return whether nothing is left to build."""
    return binaries().folder.is_dir()


def build_kubernetes() -> Binaries:
    """Build what is missing, or wait for another process that builds it; raise a LabError."""
    target = binaries()
    with exclusive(".kubernetes.lock"):
        if not is_built():
            _build(target)
    return target


def _build(target: Binaries) -> None:
    go = compiler()
    if go is None:
        raise LabError("Kubernetes is built with Go, and this machine has none: install golang-go")
    say(f"building Kubernetes {VERSION}: 5 minutes on two idle cores, once a machine")
    with tempfile.TemporaryDirectory(prefix=".kubernetes-", dir=cache_folder()) as scratch:
        half = Path(scratch) / "built"
        half.mkdir()
        _go(go, _SOURCES / "workload", "-s -w", half / "workload", ".")
        for plugin in CNI_PLUGINS:
            _build_plugin(go, plugin, half / plugin.rpartition("/")[2], Path(scratch))
        _go(go, _SOURCES / "components", _version_flags(), half / "kubernetes", ".")
        half.rename(target.folder)


def _build_plugin(go: str, plugin: str, target: Path, scratch: Path) -> None:
    """Build in a module of its own, which names the release of the plugins."""
    (scratch / "go.mod").write_text(
        f"module lab\n\ngo 1.23\n\nrequire {_CNI_MODULE} {CNI_VERSION}\n"
    )
    _go(go, scratch, "-s -w", target, f"{_CNI_MODULE}/plugins/{plugin}", ("-mod=mod",))


def _version_flags() -> str:
    """Return the linker flags that stamp the release, as Kubernetes' own build does."""
    major, minor, _ = VERSION.split(".")
    values = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = [f"-X {place}.{key}={value}" for place in packages for key, value in values.items()]
    return " ".join(("-s -w", *stamps))


def _go(
    go: str, folder: Path, linker: str, target: Path, package: str, flags: Sequence[str] = ()
) -> None:
    environment = ("env", "-C", folder, "CGO_ENABLED=0", f"GOCACHE={_go_cache()}")
    build = (go, "build", *flags, "-buildvcs=false", "-trimpath", "-ldflags", linker)
    run("nice", "-n", "19", *environment, *build, "-o", target, package, seconds=_SECONDS)


def _go_cache() -> str:
    """Return Go's build cache: sudo may have left no HOME to derive it from."""
    return os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build"))
