"""The peers' own Python environment, and a Python on the nodes for those that need one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.lab.host import LabError, run, say
from tests.lab.node import LabNode

_PLACE = Path(__file__).parents[1] / ".venv-bench"
_PACKAGES = ("ansible-core>=2.17", "pyinfra>=3.5", "asyncssh>=2.18")
_OMITTED = ("test", "lib2to3", "idlelib", "tkinter", "ensurepip", "pydoc_data", "config-*")


def prepare() -> None:
    """Make the peers' environment unless it is there."""
    if (_PLACE / "ready").exists():
        return
    say(f"installing {', '.join(_PACKAGES)} into {_PLACE.name}")
    for words in (
        (sys.executable, "-m", "venv", _PLACE),
        (_PLACE / "bin/pip", "install", "-q", *_PACKAGES),
    ):
        run(*words)
    (_PLACE / "ready").touch()


def tool(name: str) -> str:
    """Return the path of a program of the peers' environment."""
    return str(_PLACE / "bin" / name)


def versions() -> dict[str, str]:
    """Return which release of each peer is installed."""
    words = [tool("pip"), "list", "--format=freeze"]
    lines = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    found = dict(line.split("==", 1) for line in lines if "==" in line)
    wanted = [each.split(">=")[0] for each in _PACKAGES]
    return {name: found[name] for name in wanted if name in found}


def give_python(node: LabNode) -> None:
    """Copy this machine's own Python to a node; the lab's have none."""
    if (node.root / "usr/bin/python3").exists():
        return
    binary = Path("/usr/bin/python3").resolve()
    library = Path("/usr/lib") / binary.name
    if not library.is_dir():
        raise LabError("Ansible needs Python on the nodes: apt-get install python3 here, to copy")
    run("cp", binary, node.root / "usr/bin/python3")
    left_out = [f"--exclude=./{each}" for each in _OMITTED]
    (node.root / "usr/lib" / binary.name).mkdir(parents=True, exist_ok=True)
    pipe = 'tar -C "$1" -cf - "${@:3}" . | tar -C "$2" -xf -'
    run("bash", "-c", pipe, "bash", library, node.root / "usr/lib" / binary.name, *left_out)
    _give_libraries(node, next(library.glob("lib-dynload/_ctypes.*.so")))


def _give_libraries(node: LabNode, module: Path) -> None:
    """Copy what a module needs and the node does not have."""
    for name, path in re.findall(r"(\S+) => (/\S+)", run("ldd", module).stdout):
        target = node.root / "usr/lib" / Path(path).parent.name / name
        if not target.exists():
            run("cp", "-L", path, target)
