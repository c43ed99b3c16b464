"""The lab's command line, `python3 -m tests.lab`."""

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.lab.containerds import containerds
from tests.lab.host import LabError, require_host
from tests.lab.kubernetes import VERSION, build_kubernetes
from tests.lab.kubernetes.kubelet import SUITES as KUBERNETES_SUITES
from tests.lab.lab import Lab, running
from tests.lab.rootfs import SUITES


def main() -> int:
    """Run one command; return the exit code."""
    words, command = _parted(sys.argv[1:])
    options = _parser().parse_args(words, argparse.Namespace(after=command))
    try:
        require_host()
        _COMMANDS[options.command](options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2
    return 0


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Part the words at the first `--`; what follows belongs to ssh."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="boot N nodes and their mirrors")
    up.add_argument("count", nargs="?", type=int, default=4, metavar="N")
    up.add_argument("--mix", help=f"suites to take in turn; default {','.join(SUITES)}")
    up.add_argument(
        "--kubernetes", action="store_true", help=f"a cluster of them (Kubernetes {VERSION})"
    )
    down = commands.add_parser("down", help="take everything away again")
    down.add_argument("--cache", action="store_true", help="the root filesystems too")
    reset = commands.add_parser("reset", help="put nodes back to what they were")
    reset.add_argument("nodes", nargs="*", metavar="NODE")
    status = commands.add_parser("status", help="the nodes and what they are")
    status.add_argument("--json", action="store_true")
    commands.add_parser("containerds", help="make the releases that judge configs, once")
    commands.add_parser("kubernetes", help="build Kubernetes, once a machine")
    ssh = commands.add_parser("ssh", help="a shell on a node, or one command")
    ssh.add_argument("node", metavar="NODE")
    ssh.add_argument("--user", choices=("root", "ops", "pat"), default="ops")
    ssh.add_argument("words", nargs="*", metavar="COMMAND")
    return parser


def _up(options: argparse.Namespace) -> None:
    default = KUBERNETES_SUITES if options.kubernetes else SUITES
    mix = tuple(options.mix.split(",")) if options.mix else default
    Lab.up(options.count, mix, kubernetes=options.kubernetes)


def _down(options: argparse.Namespace) -> None:
    Lab.down(cache=options.cache)


def _reset(options: argparse.Namespace) -> None:
    Lab.load().reset(options.nodes)


def _status(options: argparse.Namespace) -> None:
    lab = Lab.load()
    rows = [
        {
            "name": node.name,
            "suite": node.suite,
            "address": node.address,
            "running": running(node),
            "crictl": node.has_crictl,
        }
        for node in lab.nodes.values()
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "running" if row["running"] else "stopped"
        tool = "crictl" if row["crictl"] else "no crictl (no Go here to build it)"
        print(f"{row['name']:<12} {row['address']:<14} {state:<8} {tool}")
    print(f"ssh_config: {lab.ssh_config}")


def _ssh(options: argparse.Namespace) -> None:
    lab = Lab.load()
    node = lab.node(options.node)
    words = ("ssh", "-F", str(lab.ssh_config), "-l", options.user, node.name)
    os.execvp("ssh", (*words, *options.words, *options.after))


def _containerds(_: argparse.Namespace) -> None:
    print(" ".join(each.version for each in containerds()))


def _kubernetes(_: argparse.Namespace) -> None:
    print(build_kubernetes().folder)


_COMMANDS = {
    "up": _up,
    "down": _down,
    "reset": _reset,
    "status": _status,
    "ssh": _ssh,
    "containerds": _containerds,
    "kubernetes": _kubernetes,
}

if __name__ == "__main__":
    sys.exit(main())
