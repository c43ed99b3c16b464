"""A real container on a node: runc from the suite, run through containerd as kubelet's are."""

from __future__ import annotations

import base64
import json

from tests.lab.node import LabNode

_BOX = """
set -e
rm -rf /run/box && mkdir -p /run/box && cd /run/box
for each in /bin/sleep $(ldd /bin/sleep | grep -o '/[^ )]*'); do
    mkdir -p .${each%/*} && cp -L $each .$each
done
rm -f config.json && runc spec && cat config.json
"""
_RUN = """
set -e
printf %s '{spec}' | base64 -d >/run/box/config.json
ctr -n k8s.io run -d --config /run/box/config.json {name}
"""
_PID = 'ctr -n k8s.io tasks ls | awk \'$1 == "{name}" && $3 == "RUNNING" {{ print $2 }}\''
_END = """
ctr -n k8s.io tasks kill -s SIGKILL {name}
while ctr -n k8s.io tasks ls -q | grep -qx {name}; do
    ctr -n k8s.io tasks rm -f {name}
    sleep 0.1
done
ctr -n k8s.io containers rm {name}
rm -rf /run/box
true
"""


def start(node: LabNode, name: str) -> int:
    """Start a container that sleeps; return the id of its process, as the node counts."""
    stop(node, name)
    spec = json.loads(node.sh(_BOX).stdout)
    spec["process"] |= {"terminal": False, "args": ["/bin/sleep", "100000"]}
    spec["root"] = {"path": "/run/box", "readonly": True}
    packed = base64.b64encode(json.dumps(spec).encode()).decode()
    node.sh(_RUN.format(spec=packed, name=name))
    return pid_of(node, name)


def pid_of(node: LabNode, name: str) -> int:
    """Return the process of a running container; 0 where it does not run."""
    return int(node.sh(_PID.format(name=name)).stdout.strip() or 0)


def stop(node: LabNode, name: str) -> None:
    """End a container, whatever state it is in."""
    node.sh(f"{{ {_END.format(name=name)} }} >/dev/null 2>&1", check=False)
