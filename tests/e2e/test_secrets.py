"""Secrets on real nodes: no command shows one, and no file of fleet's holds one."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
SECRET = "hUnt3r2Zq"
HOSTS = f"""server = "https://robot:{SECRET}a@registry.lab.test"
# password = "{SECRET}b"
[host."https://robot:{SECRET}c@mirror.lab.test"]
  capabilities = ["pull"]
  header = {{"X-Any" = ["{SECRET}d"]}}
[host."https://b.lab.test"]
  [host."https://b.lab.test".header]
    "Auth\\u006frization" = [
      "Basic {SECRET}e",
      # "{SECRET}f",
    ]
"""
LOGIN = f'''
[plugins."io.containerd.grpc.v1.cri".registry.configs."h.lab.test".auth]
  username = "robot"
  "password" = """
{SECRET}g"""
'''
BROKEN = f'\n[a.auth]\n  password = "{SECRET}h\n'
PROXY = f"[Service]\nEnvironment=HTTPS_PROXY=http://robot:{SECRET}i@127.0.0.1:9\n"
COMMANDS = (
    ("probe",),
    ("probe", "--json"),
    ("diff",),
    ("diff", "--json", "--overwrite"),
    ("explain", "trixie1", "docker.io"),
    ("explain", "trixie1", "docker.io", "--json"),
    ("rollout", "-y", "--soak", "0", "--max-failures", "2", "--log", "log"),
    ("drift",),
    ("drift", "--json"),
    ("verify", "-vv"),
    ("history", "--json"),
)


def put(node: LabNode, path: str, text: str) -> None:
    """Append a text to a file of a node."""
    coded = base64.b64encode(text.encode()).decode()
    node.sh(f"mkdir -p {Path(path).parent}; echo {coded} | base64 -d >>{path}")


def test_no_secret_of_a_node_is_shown_or_kept(nodes: Lab, fleet: Fleet) -> None:
    trixie, forky = nodes.nodes["trixie1"], nodes.nodes["forky1"]
    put(trixie, "/etc/containerd/certs.d/docker.io/hosts.toml", HOSTS)
    put(trixie, "/etc/containerd/config.toml", LOGIN)
    put(trixie, "/etc/systemd/system/containerd.service.d/proxy.conf", PROXY)
    trixie.sh("systemctl daemon-reload; systemctl restart containerd")
    put(forky, "/etc/containerd/config.toml", BROKEN)

    shown = {}
    for words in COMMANDS:
        chosen = () if words[0] in {"explain", "history"} else ("-l", "trixie1:forky1")
        shown[words] = fleet(*words, *chosen).text
    rollout = fleet("history", "--json").json["rollouts"][0]["rollout"]
    for form in ("html", "json", "junit"):
        shown["report", form] = fleet("report", rollout, "--format", form).text
    kept = {path.name: path.read_bytes() for path in (fleet.folder / ".fleet").iterdir()}

    assert not [words for words, text in shown.items() if SECRET in text]
    assert not [name for name, content in kept.items() if SECRET.encode() in content]
    assert SECRET not in (fleet.folder / "log").read_text()
    assert "https://***#" in shown["diff",]
    assert "X-Any" in shown["diff",]
    assert "trixie1: rolled back" in shown[COMMANDS[6]]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (fleet.folder / ".fleet").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((fleet.folder / ".fleet").stat().st_mode) == 0o700
