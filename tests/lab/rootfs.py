"""One root filesystem a suite, built by mmdebstrap once and kept by the digest of its recipe."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.host import cache_folder, remove_folder, run, say

SUITES = ("bullseye", "bookworm", "trixie", "forky")
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "containerd",
    "iproute2",
    "ca-certificates",
)
OPTIONS = (
    "--variant=minbase",
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::Check-Valid-Until "false"',  # an archive may be a frozen copy
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "man-db.timer",
    "logrotate.timer",
    "systemd-tmpfiles-clean.timer",
    "systemd-networkd.service",
    "systemd-networkd-wait-online.service",
    "systemd-resolved.service",
    "systemd-udevd.service",
    "console-getty.service",
    "getty.target",
    "e2scrub_reap.service",
)
SETUP = (
    "useradd -m -s /bin/bash ops",
    "useradd -m -s /bin/bash pat",
    "echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops",
    "echo 'pat ALL=(ALL) ALL' >/etc/sudoers.d/pat",
    "chmod 440 /etc/sudoers.d/ops /etc/sudoers.d/pat",
    "rm -f /etc/ssh/ssh_host_* /etc/resolv.conf",
    "echo 'UseDNS no' >/etc/ssh/sshd_config.d/lab.conf",
    "systemctl enable ssh.service containerd.service",
    *(f"ln -sf /dev/null /etc/systemd/system/{unit}" for unit in MASKED),
)


def recipe(suite: str) -> str:
    """Digest all that a root filesystem is made of."""
    text = json.dumps((suite, OPTIONS, PACKAGES, SETUP))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rootfs(suite: str) -> Path:
    """Return where the root filesystem of a suite is kept; it may not be built yet."""
    return cache_folder() / f"{suite}-{recipe(suite)}"


def build(suites: tuple[str, ...]) -> None:
    """Build what is missing, two at a time."""
    missing = [suite for suite in dict.fromkeys(suites) if not rootfs(suite).is_dir()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_build, missing))


def _build(suite: str) -> None:
    target = rootfs(suite)
    half = target.with_name(f".{target.name}.{os.getpid()}")
    say(f"building the root filesystem of {suite}")
    target.parent.mkdir(parents=True, exist_ok=True)
    for stale in (*target.parent.glob(f".{suite}-*"), *target.parent.glob(f"{suite}-*")):
        remove_folder(stale)
    mirror = apt_mirror()
    hooks = [f"--customize-hook=chroot \"$1\" sh -c '{_quoted(line)}'" for line in SETUP]
    run(
        "mmdebstrap",
        *OPTIONS,
        f"--include={','.join(PACKAGES)}",
        *hooks,
        suite,
        half,
        *([mirror] if mirror else []),
        seconds=1200,
    )
    half.rename(target)
    say(f"{suite} is built")


def _quoted(line: str) -> str:
    return line.replace("'", "'\\''")


def apt_mirror() -> str | None:
    """Return the archive that this machine's own apt uses; None leaves it to mmdebstrap."""
    if chosen := os.environ.get("FLEET_LAB_APT_MIRROR"):
        return chosen
    return next(_debian_archives(Path("/etc/apt")), None)


def _debian_archives(folder: Path) -> Iterator[str]:
    for source in sorted(folder.glob("sources.list.d/*.sources")):
        for block in source.read_text().split("\n\n"):
            yield from _archive_of(block)
    for source in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if source.is_file():
            pattern = r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+\S+\s+main\b"
            found = re.findall(pattern, source.read_text(), re.MULTILINE)
            yield from (uri for uri in found if _is_debian(uri))


def _archive_of(block: str) -> Iterator[str]:
    """Yield the URI of one deb822 block if it is Debian's main archive."""
    fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.*)$", block, re.MULTILINE))
    kinds, parts = fields.get("Types", "").split(), fields.get("Components", "").split()
    uris = fields.get("URIs", "").split()
    if "deb" in kinds and "main" in parts and uris and _is_debian(uris[0]):
        yield uris[0]


def _is_debian(uri: str) -> bool:
    return uri.rstrip("/").endswith("/debian")
