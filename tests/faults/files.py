"""Faults of the files that are there already: two spellings of one path, and odd files."""

from __future__ import annotations

from tests.faults.lane import Lane
from tests.faults.variant import WITH_FOLDERS, Variant, broken_or_not, with_one_of

_CERTS = "/etc/containerd/certs.d"
_CONFIG = "/etc/containerd/config.toml"
_RESTART = "systemctl reset-failed containerd; systemctl restart containerd\n"
_BACK = f"cp -p /root/config.toml {_CONFIG}; chmod 644 {_CONFIG}\n{_RESTART}"


def _spelled(path: str) -> str:
    table = '[plugins."io.containerd.grpc.v1.cri".registry]'
    return f"printf '%s\\n' '{table}' '  config_path = \"{path}\"' >>{_CONFIG}\n{_RESTART}"


_UNFOLDER = f"rm -rf {_CERTS}\n{_BACK}"
SPELLINGS = (
    Variant("a slash behind config_path", _spelled(f"{_CERTS}/"), _BACK, suites=WITH_FOLDERS),
    Variant(
        "config_path by a detour", _spelled("//etc/./containerd/x/../certs.d//"), _BACK,
        suites=WITH_FOLDERS,
    ),
    Variant(
        "certs.d is a link",
        f"mkdir /etc/registries.d; ln -s ../registries.d {_CERTS}\n{_spelled(_CERTS)}",
        f"rm -rf /etc/registries.d\n{_UNFOLDER}",
        suites=WITH_FOLDERS,
    ),
    Variant(
        "/etc/containerd is a link",
        "mv /etc/containerd /etc/cri; ln -s cri /etc/containerd",
        "rm /etc/containerd; mv /etc/cri /etc/containerd",
    ),
    Variant(
        "registry folders that are one",
        f"mkdir -p /etc/shared {_CERTS}; printf 'server = \"https://quay.io\"\\n'"
        f" >/etc/shared/hosts.toml; ln -s /etc/shared {_CERTS}/docker.io;"
        f" ln -s /etc/shared {_CERTS}/quay.io\n{_spelled(_CERTS)}",
        f"rm -rf /etc/shared\n{_UNFOLDER}",
        refused=True,
        suites=WITH_FOLDERS,
    ),
)  # fmt: skip
_DOCKER = f"mkdir -p {_CERTS}/docker.io; cd {_CERTS}/docker.io; "
_LONG = "head -c 1048577 /dev/zero | tr '\\0' '#' >>"


def _odd(name: str, script: str) -> Variant:
    change = f"{_DOCKER}{script}"
    return Variant(name, change, f"rm -rf {_CERTS}", refused=True, suites=WITH_FOLDERS)


ODD = (
    _odd("hosts.toml is a folder", "mkdir hosts.toml"),
    _odd("hosts.toml is a FIFO", "mkfifo hosts.toml"),
    _odd("hosts.toml is a device", "mknod hosts.toml c 1 3"),
    _odd("hosts.toml is a link to nothing", "ln -s /nowhere hosts.toml"),
    _odd("hosts.toml is larger than 1 MiB", f"{_LONG} hosts.toml"),
    Variant(
        "config.toml is larger than 1 MiB", f"{_LONG} {_CONFIG}", _BACK, refused=True
    ),
    Variant(
        "a folder with modes, owners and hard links",
        f"mkdir -p {_CERTS}/old.example; cd {_CERTS}/old.example; echo '# by hand' >hosts.toml;"
        " ln hosts.toml ../other; chown ops:ops hosts.toml; chgrp ops .; chmod 2750 .;"
        " chmod 640 hosts.toml",
        f"rm -rf {_CERTS}",
        overwrite=True,
        suites=WITH_FOLDERS,
    ),
    Variant(
        "a folder that another user owns",
        f"mkdir -p {_CERTS}/old.example; cd {_CERTS}/old.example; echo '# by hand' >hosts.toml;"
        " chown -R ops:ops .",
        f"rm -rf {_CERTS}",
        refused=True,
        overwrite=True,
        suites=WITH_FOLDERS,
    ),
)  # fmt: skip


def overwritten(lane: Lane) -> list[int]:
    """Take the node to its other state; where that is the new one, overwrite what was written."""
    codes = broken_or_not(lane)
    if lane.where() == "new":
        again = lane.fleet(
            "rollout", "-y", "--overwrite", "--json", "--connect-timeout", "5", "--soak", "1"
        )
        if again.code != 0 or lane.where() != "new":
            raise AssertionError(f"overwritten by itself: {again.text[-2000:]}")
    return codes


two_spellings = (overwritten, with_one_of(SPELLINGS))
odd_files = (broken_or_not, with_one_of(ODD))
