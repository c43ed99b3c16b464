"""A Python that this machine has not: Debian's newest suite has it, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.host import cache_folder, run, say
from tests.lab.rootfs import OPTIONS, apt_mirror

SUITE = "forky"
_OURS = ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt")
"""What lets the folder reach what this machine reaches."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A root filesystem with a Python, and commands run in it; paths are those inside."""

    root: Path
    python: str

    def __call__(self, *words: str) -> str:
        """Run a command there, and return what it prints."""
        hidden = {"PIP_FIND_LINKS", "PIP_CONFIG_FILE", "PYTHONPATH", "VIRTUAL_ENV"}
        env = {key: value for key, value in os.environ.items() if key not in hidden}
        inside = ["chroot", str(self.root), "sh", "-c", 'cd /root && exec "$@"', "sh", *words]
        ran = subprocess.run(inside, env=env, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def debian_python(version: str, folder: Path) -> Elsewhere:
    """Return a fresh copy, below `folder`, of a small Debian with that Python; made once, kept."""
    kept = cache_folder() / f"python{version}-{SUITE}"
    if not kept.is_dir():
        half = kept.with_name(f".{kept.name}.{os.getpid()}")
        say(f"building a root filesystem with Python {version}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        packages = f"python{version},python{version}-venv,ca-certificates"
        mirror = apt_mirror()
        words = ("mmdebstrap", *OPTIONS, f"--include={packages}", SUITE, half)
        run(*words, *([mirror] if mirror else []), seconds=1200)
        half.rename(kept)
    root = folder / kept.name
    run("cp", "-a", "--reflink=auto", kept, root)
    for path in _OURS:
        shutil.copyfile(f"/{path}", root / path)
    return Elsewhere(root, f"python{version}")
