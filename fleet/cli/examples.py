"""Examples of every command, for --help and the man pages; tests parse them."""

from __future__ import annotations

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "init": (("init", "begin in an empty folder"),),
    "check": (("check -i hosts.ini -m registries.yaml", "an Ansible inventory, k3s's mirrors"),),
    "schema": (
        ("schema inventory", "for an editor that checks inventory.yaml"),
        ("schema output rollout", "what `fleet rollout --json` prints"),
    ),
    "inventory": (
        ("inventory --graph", "groups and nodes as a tree"),
        ("inventory w1", "every value of w1, where it came from and what it beat"),
        ("inventory -l 'workers:!w[1-3]'", "whom a pattern means"),
    ),
    "probe": (("probe -l edge", "the nodes of a group"),),
    "render": (
        ("render --containerd 1.7.24 --out out", "a node of that release without any files"),
        ("render --containerd 2.1 --root copy --out out", "one whose files stand below copy/"),
    ),
    "diff": (
        ("diff", "what a rollout would change"),
        ("diff --exit-code -q", "for CI: 4 where anything would change"),
    ),
    "rollout": (
        ("rollout --batch 1,10%,25%", "one node first, then more; asks before it begins"),
        ("rollout -y -l workers --max-failures 2%", "a group, with a budget"),
        ("rollout -y --log rollout.log --json", "from a script"),
        ("rollout --rerun failed 20261124-033332-5a8a", "again where it has failed"),
    ),
    "resume": (("resume -y", "go on with the newest rollout that was broken off"),),
    "verify": (("verify -l w1", "pull for proof, change nothing"),),
    "rollback": (
        ("rollback --dry-run", "what would come back"),
        ("rollback -y -l edge", "take the last change of a group back"),
    ),
    "drift": (("drift --exit-code", "4 where anything has changed behind fleet's back"),),
    "explain": (("explain w1 docker.io", "which hosts w1 asks for docker.io, and why"),),
    "mirrors": (("mirrors test -l w1", "every endpoint, as w1 sees it"),),
    "hostkeys": (("hostkeys", "compare fingerprints, then add the unknown ones"),),
    "run": (
        ("run -- uptime", "on all nodes, equal answers folded"),
        ("run -l edge --timeout 5 -- 'crictl images | wc -l'", "a line for the shell"),
    ),
    "lock": (("lock", "who holds which node"),),
    "unlock": (("unlock 20261124-033332-5a8a", "what a dead rollout has left locked"),),
    "report": (
        ("report 20261124-033332-5a8a -o report.html", "a page to keep or to send"),
        ("report 20261124-033332-5a8a --format junit -o junit.xml", "for CI"),
    ),
    "history": (
        ("history", "all rollouts and rollbacks, the newest first"),
        ("history --node w1", "what was done to one node"),
    ),
    "man": (("man ~/.local/share/man/man1", "then `man fleet-rollout` works"),),
}
"""The examples of each command, without the word fleet, and the purpose of each example."""


def epilog(name: str) -> str:
    """Return the examples of a command as click prints them."""
    rows = [(f"  fleet {line}", meaning) for line, meaning in EXAMPLES[name]]
    return "\n".join(["\b", "Examples:", *(f"{line}\n      {meaning}" for line, meaning in rows)])


def add_examples(group: click.Group) -> None:
    """Append its examples to the help of every command."""
    for name, command in group.commands.items():
        command.epilog = epilog(name)
