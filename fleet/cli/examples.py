"""Examples of every command, for --help and the man pages; tests parse them."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "init": (
        ("init", "start in an empty folder; asks for nodes and a mirror"),
        ("init --node 'w[1-3]' --mirror https://m.example", "the same without questions"),
    ),
    "check": (("check -i hosts.ini -m registries.yaml", "an Ansible inventory and k3s mirrors"),),
    "schema": (
        ("schema inventory", "for an editor"),
        ("schema output rollout", "what `fleet rollout --json` prints"),
    ),
    "inventory": (
        ("inventory --graph", "groups and nodes as a tree"),
        ("inventory w1", "all values of w1, and those they override"),
        ("inventory -l 'workers:!w[1-3]'", "the nodes that a pattern selects"),
    ),
    "probe": (("probe -l edge", "the nodes of a group"),),
    "render": (
        ("render --containerd 1.7.24 --out out", "a node of that release without any files"),
        ("render --containerd 2.1 --root copy --out out", "one whose files are below copy/"),
    ),
    "diff": (
        ("diff", "what a rollout would change"),
        ("diff --exit-code -q", "for CI: exit with 4 if anything would change"),
    ),
    "rollout": (
        ("rollout --batch 1,10%,25%", "one node first, then more"),
        ("rollout -y -l workers --max-failures 2%", "a group; stop after 2% failures"),
        ("rollout -y --log rollout.log --json", "from a script"),
        ("rollout --rerun failed 20261124-033332-5a8a", "only where that one failed"),
    ),
    "resume": (("resume -y", "finish the newest interrupted rollout"),),
    "verify": (
        ("verify -l w1", "test pulls on one node"),
        ("verify --pod --sample 5%", "have kubelet pull on some nodes of a cluster"),
    ),
    "undo": (
        ("undo --dry-run", "what undoing the last rollout would change"),
        ("undo 20261124-033332", "one rollout, on the nodes that it changed"),
    ),
    "rollback": (
        ("rollback --dry-run", "what it would restore"),
        ("rollback -y -l edge -M 'OPS-12 slow mirror'", "undo the last change of a group"),
    ),
    "remove": (
        ("remove --dry-run -l w1", "what taking fleet off one node would change"),
        ("remove -l edge", "a group, back to its config from before fleet"),
    ),
    "drift": (("drift --exit-code", "exit with 4 if a file was changed"),),
    "explain": (
        ("explain w1 docker.io", "what decides about every image of docker.io"),
        ("explain w1 ghcr.io/org/app:1.2", "what happens when w1 pulls this image"),
    ),
    "mirrors": (("mirrors test -l w1", "every endpoint, as w1 sees it"),),
    "hostkeys": (("hostkeys", "compare fingerprints, then add the unknown ones"),),
    "run": (
        ("run -- uptime", "on all nodes; equal outputs are shown once"),
        ("run -l edge --timeout 5 -- 'crictl images | wc -l'", "a line for the node's shell"),
    ),
    "locks": (
        ("locks -l edge", "only the nodes of a group"),
        ("locks --json", "for a script"),
    ),
    "unlock": (("unlock 20261124-033332-5a8a", "release what a dead rollout left locked"),),
    "report": (
        ("report last -o report.html", "a page to keep or to send"),
        ("report 20261124-033332-5a8a --format junit -o junit.xml", "for CI"),
    ),
    "history": (
        ("history -o wide", "all of the journal, with the times"),
        ("history last", "the newest rollout, node by node"),
        ("history --from-nodes", "what all administrators did, as the nodes recorded it"),
        ("history --node w1", "what was done to one node"),
    ),
    "completion": (
        ("completion bash", "for ~/.bashrc: source <(fleet completion bash)"),
        ("completion zsh", "for ~/.zshrc, after compinit"),
        ("completion fish", "for ~/.config/fish/completions/fleet.fish"),
    ),
    "man": (("man ~/.local/share/man/man1", "then `man fleet-rollout` works"),),
}
"""The examples of each command, without the word fleet, and the purpose of each example."""
