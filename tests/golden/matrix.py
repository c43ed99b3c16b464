"""Configs by construction: every root with every import, under every name of CRI's tables."""

from __future__ import annotations

from tests.golden.inputs import CONFIG
from tests.golden.texts import CRI, IMG

DROP_IN = "/etc/containerd/conf.d/50-x.toml"
_IMPORTS = 'imports = ["/etc/containerd/conf.d/*.toml"]\n'
_RUNTIME = "[plugins.'io.containerd.cri.v1.runtime'.containerd]\n  default_runtime_name = 'crun'\n"
_RUNC = f"[{CRI}.containerd]\n  discard_unpacked_layers = true\n"
_RUNTIMES = f"{_RUNC}[{CRI}.containerd.runtimes.runc.options]\n  SystemdCgroup = true\n"
_LOGIN = '.registry.configs."old.example".auth]\n  username = "u"\n  password = "p"\n'
_MIRRORS = '.registry.mirrors."quay.io"]\n  endpoint = ["https://q.example"]\n'
_HEADERS = '.registry.headers]\n  X-Site = ["a"]\n'
_TWO = '.registry]\n  config_path = "/etc/containerd/certs.d:/etc/docker/certs.d"\n'
_SRV = '.registry]\n  config_path = "/srv/certs.d"\n'
_PAUSE = ']\n  sandbox_image = "x.example/pause:1"\n'
_OLD = "plugins.cri"

ROOTS: dict[str, str] = {
    "no version, nothing of CRI": 'root = "/data/containerd"\noom_score = -999\n',
    "no version, the new id": f"[{IMG}{_SRV}{_RUNTIME}",
    "no version, the oldest id": f"[{_OLD}{_PAUSE}[{_OLD}{_MIRRORS}",
    "version 2, the old id": f"version = 2\n[{CRI}{_PAUSE}{_RUNTIMES}[{CRI}{_TWO}",
    "version 2, legacy": f"version = 2\n[{CRI}{_PAUSE}[{CRI}{_MIRRORS}[{CRI}{_LOGIN}",
    "version 2, the new id": f"version = 2\n[{IMG}{_HEADERS}",
    "version 2, both ids, legacy": f"version = 2\n[{CRI}{_MIRRORS}[{IMG}{_SRV}[{IMG}{_HEADERS}",
    "version 3, the new id": f"version = 3\n[{IMG}{_TWO}[{IMG}{_LOGIN}",
    "version 3, the old id": f"version = 3\n[{CRI}{_SRV}",
}
"""What stands in the root file; where there is an import, its line comes first."""

IMPORTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "nothing of CRI": ("[debug]\n  level = 'info'\n",),
    "version 2, nothing of CRI": ("version = 2\n[debug]\n  level = 'info'\n",),
    "version 2, the old id": (f"version = 2\n[{CRI}{_PAUSE}",),
    "version 2, the old id, a login": (f"version = 2\n[{CRI}{_LOGIN}",),
    "version 2, the old id, a directory": (f"version = 2\n[{CRI}{_SRV}",),
    "version 2, legacy, then a copy": (
        f"version = 2\n[{CRI}{_MIRRORS}",
        f"version = 2\n[{CRI}.cni]\n  bin_dir = '/opt/cni'\n",
    ),
    "no version, the old id, legacy": (f"[{CRI}{_MIRRORS}",),
    "no version, the oldest id": (f"[{_OLD}{_SRV}",),
    "no version, the new id": (f"[{IMG}{_LOGIN}",),
    "version 3, the new id": (f"version = 3\n[{IMG}{_SRV}",),
    "version 3, the old id": (f"version = 3\n[{CRI}{_HEADERS}",),
}
"""The imported files, in order."""


def tree_of(root: str, imported: str) -> dict[str, bytes]:
    """Return the files of one cell of the matrix."""
    files = IMPORTS[imported]
    head = _IMPORTS if files else ""
    tree = {CONFIG: (head + ROOTS[root]).encode()}
    for number, text in enumerate(files):
        tree[DROP_IN.replace("50", str(50 + number))] = text.encode()
    return tree


REFUSED = ("does not know config version", "refuses config version", "after a file with version 2")
"""Why files are refused that the daemon takes: it reads them as another version than they say, or
loses the settings of one of them.
"""
