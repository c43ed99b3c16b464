"""Real containerd binaries of many releases, and what each of them makes of a config.

Four come with the suites. Others are built with Go from the sources that its module proxy has, once
a machine; where that cannot be, those releases are missing and whoever needs them says so.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.crictl import compiler
from tests.lab.host import LabError, cache_folder, remove_folder, run, say
from tests.lab.rootfs import SUITES, build, rootfs

BUILT = {
    "1.5.18": "github.com/containerd/containerd",
    "2.0.11": "github.com/containerd/containerd/v2",
    "2.2.1": "github.com/containerd/containerd/v2",
    "2.3.4": "github.com/containerd/containerd/v2",
}
_TAGS = "no_btrfs no_devmapper no_zfs no_aufs"
_ASK = """
mkdir -p "$1/seen" && mount -t overlay fleet-judge -o "lowerdir=$2" "$1/seen" || exit 97
[ "$4" = - ] || mount --bind "$4" "$1/seen/usr/bin/containerd" || exit 97
[ "$3" != - ] || exec chroot "$1/seen" timeout 20 containerd config default
exec chroot "$1/seen" timeout 20 containerd -c "$3" config dump
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a daemon said of a config: its exit code, its merged view, and its log lines."""

    code: int
    text: str
    log: str


@dataclass(frozen=True, slots=True)
class Containerd:
    """One release: the root filesystem it runs in, and its binary where that is not the suite's."""

    version: str
    root: Path
    binary: Path | None = None

    def dump(self, tree: Mapping[str, bytes], config: str) -> Answer:
        """Ask what a daemon would read, if these files stood on the node."""
        return self._ask(tree, config)

    def default(self) -> str:
        """Return the config that this release prints as its default."""
        return self._ask({}, "-").text

    def _ask(self, tree: Mapping[str, bytes], config: str) -> Answer:
        with tempfile.TemporaryDirectory(prefix="fleet-judge-") as folder:
            files = Path(folder) / "tree"
            files.mkdir()
            for path, content in tree.items():
                target = files / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            # The suite's own config.toml must not show through where the node has none.
            if config not in tree:
                (files / "etc/containerd").mkdir(parents=True, exist_ok=True)
                os.mknod(files / "etc/containerd/config.toml", 0o20600, os.makedev(0, 0))
            words = ("unshare", "-m", "sh", "-c", _ASK, "sh", folder, f"{files}:{self.root}")
            done = run(*words, config, self.binary or "-", check=False, seconds=60)
        return Answer(done.returncode, done.stdout, done.stderr)


@functools.cache
def containerds() -> tuple[Containerd, ...]:
    """Return every release that this machine has or can make, the oldest first."""
    build(SUITES)
    found = [_of_suite(suite) for suite in SUITES]
    for version, module in BUILT.items():
        binary = _built(version, module)
        if binary is not None:
            found.append(Containerd(version, rootfs("forky"), binary))
    return tuple(sorted(found, key=lambda each: [int(part) for part in each.version.split(".")]))


def _of_suite(suite: str) -> Containerd:
    said = run("chroot", rootfs(suite), "containerd", "--version").stdout.split()
    version = said[2].partition("~")[0].partition("+")[0].removeprefix("v")
    return Containerd(version, rootfs(suite))


def _built(version: str, module: str) -> Path | None:
    target = cache_folder() / f"containerd-{version}"
    if target.is_file():
        return target
    go = compiler()
    if go is None:
        say(f"no Go on this machine: containerd {version} is not among the judges")
        return None
    say(f"building containerd {version}")
    try:
        return _build(go, version, module, target)
    except LabError as error:
        say(f"containerd {version} cannot be built here: {str(error)[-200:]}")
        return None


def _build(go: str, version: str, module: str, target: Path) -> Path:
    """Build inside a copy of the module's own sources, whose go.mod then counts as it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    said = run(go, "mod", "download", "-json", f"{module}@v{version}", seconds=600).stdout
    work = Path(tempfile.mkdtemp(prefix="fleet-lab-"))
    try:
        source = work / "source"
        shutil.copytree(json.loads(said)["Dir"], source)
        run("chmod", "-R", "u+w", source)
        half = target.with_name(f".{target.name}.{os.getpid()}")
        environment = ("env", "-C", source, "CGO_ENABLED=0", "GOFLAGS=-mod=mod -buildvcs=false")
        flags = f"-s -w -X {module}/version.Version=v{version}"
        words = (go, "build", "-trimpath", "-tags", _TAGS, "-ldflags", flags, "-o", half)
        run(*environment, *words, "./cmd/containerd", seconds=1800)
        half.rename(target)
    finally:
        remove_folder(work)
    return target
