"""Debian packages of one suite for a node of another: how a node's containerd is upgraded."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.lab.host import LabError, cache_folder, run, say
from tests.lab.rootfs import apt_mirror

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEFAULT = "http://deb.debian.org/debian"


def package(suite: str, name: str) -> Path:
    """Return a package's .deb, downloaded once a machine."""
    folder = cache_folder() / "packages" / suite
    folder.mkdir(parents=True, exist_ok=True)
    found = next(iter(sorted(folder.glob(f"{name}_*.deb"))), None)
    return found or _download(suite, name, folder)


def _download(suite: str, name: str, folder: Path) -> Path:
    say(f"downloading {name} of {suite}")
    with tempfile.TemporaryDirectory(prefix="fleet-lab-") as scratch:
        base = Path(scratch)
        for part in ("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "got"):
            (base / part).mkdir(parents=True)
        (base / "status").touch()
        mirror = apt_mirror() or _DEFAULT
        signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
        (base / "sources.list").write_text(f"deb {signed}{mirror} {suite} main\n")
        options = {
            "Dir::State": base / "state",
            "Dir::State::status": base / "status",
            "Dir::Cache": base / "cache",
            "Dir::Etc::sourcelist": base / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Acquire::Check-Valid-Until": "false",
            "APT::Sandbox::User": "root",
        }
        words = [f"-o{key}={value}" for key, value in options.items()]
        run("apt-get", *words, "-q", "update")
        run("env", "-C", base / "got", "apt-get", *words, "-q", "download", name)
        got = next((base / "got").glob("*.deb"), None)
        if got is None:
            raise LabError(f"apt-get downloaded no {name} of {suite}")
        target = folder / got.name
        target.write_bytes(got.read_bytes())
    return target
