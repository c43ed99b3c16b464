"""Commands that look at nodes: explain says what the mirrors' logs say, run folds answers."""

from __future__ import annotations

import time

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
CERTS = "/etc/containerd/certs.d"
TWO = """version: 1
mirrors:
  docker.io:
    endpoints: [https://flaky.lab.test, https://registry.lab.test]
"""


@pytest.mark.parametrize("name", ["bullseye1", "bookworm1", "trixie1", "forky1"])
def test_the_explained_order_is_the_one_that_containerd_takes(
    nodes: Lab, fleet: Fleet, crictl: None, name: str
) -> None:
    node = nodes.nodes[name]
    fleet.write("mirrors.yaml", TWO)
    ran = fleet("rollout", "-y", "-l", name, "--soak", "0", "--json")
    nodes.flaky.mode("404")
    began = time.time()
    node.sh("crictl pull docker.io/library/busybox:1.36")

    told = fleet("explain", name, "docker.io", "--json").json

    assert ran.code == 0, ran.text
    assert told["way"] == ("legacy" if name == "bullseye1" else "certs.d")
    assert [each["url"] for each in told["hosts"]] == [
        "https://flaky.lab.test",
        "https://registry.lab.test",
        "https://registry-1.docker.io",
    ]
    asked = [each for each in nodes.flaky.access(began) if node.address in each.remote]
    served = [each for each in nodes.registry.access(began) if node.address in each.remote]
    assert {each.status for each in asked} == {404}
    assert any("/blobs/" in each.path for each in served)
    path, _, line = told["hosts"][0]["where"].rpartition(":")
    assert "flaky" in node.sh(f"sed -n '{line},$p' {path}").stdout
    outcomes = {each[0]: each[1] for each in told["failures"]}
    assert outcomes["401 without challenge, 403, 404, 5xx"] == "the next host"


def test_explain_finds_shadowed_folders_and_files_that_are_ignored(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--no-verify")
    trixie.sh(f"cd {CERTS} && mkdir reg.example:5000 reg.example_5000_ _default broken.example")
    trixie.sh(f"echo 'server = \"https://a.example\"' >{CERTS}/reg.example_5000_/hosts.toml")
    trixie.sh(f"echo 'server = [' >{CERTS}/broken.example/hosts.toml")

    port = fleet("explain", "trixie1", "reg.example:5000", "--json").json
    other = fleet("explain", "trixie1", "nowhere.example", "--json").json
    broken = fleet("explain", "trixie1", "broken.example")

    assert [(each["path"], each["state"]) for each in port["folders"]] == [
        (f"{CERTS}/reg.example_5000_", "used"),
        (f"{CERTS}/reg.example:5000", "shadowed"),
        (f"{CERTS}/_default", "shadowed"),
    ]
    assert [each["state"] for each in other["folders"]] == ["absent", "used"]
    assert other["hosts"][0]["note"] == "upstream"
    assert "is ignored whole" in broken.stdout
    assert "https://broken.example" in broken.stdout


def test_explain_of_an_untouched_node_and_of_nonsense(nodes: Lab, fleet: Fleet) -> None:
    told = fleet("explain", "forky1", "docker.io", "--json").json
    strange = fleet("explain", "forky1", "../x")
    many = fleet("explain", "current", "docker.io")

    assert (told["way"], [each["url"] for each in told["hosts"]]) == (
        "nothing",
        ["https://registry-1.docker.io"],
    )
    assert (strange.code, many.code) == (2, 2)
    assert "explain looks at one" in many.stderr


def test_run_folds_equal_answers(nodes: Lab, fleet: Fleet) -> None:
    nodes.nodes["trixie1"].sh("touch /run/odd")
    try:
        same = fleet("run", "--", "id", "-u")
        odd = fleet("run", "--json", "--", "if [ -e /run/odd ]; then echo odd; exit 3; fi; echo no")
        slow = fleet("run", "-l", "forky1", "--timeout", "1", "--", "sleep", "30")
        nothing = fleet("run")
    finally:
        nodes.nodes["trixie1"].sh("rm /run/odd")

    assert (same.code, same.stdout) == (0, "bullseye1,bookworm1,trixie1,forky1 (4): ok\n    0\n")
    answers = {name: (each["code"], each["output"]) for name, each in odd.json["nodes"].items()}
    assert answers.pop("trixie1") == (3, "odd")
    assert set(answers.values()) == {(0, "no")}
    assert odd.code == 1
    assert (slow.code, "forky1 (1): ran out of time" in slow.stdout) == (1, True)
    assert nothing.code == 2


def test_what_a_command_prints_cannot_steer_the_terminal(nodes: Lab, fleet: Fleet) -> None:
    ran = fleet("run", "-l", "forky1", "--", "printf '\\033]0;owned\\007'")

    assert "\x1b" not in ran.stdout
    assert "\\x1b]0;owned" in ran.stdout


def test_host_keys_are_shown_and_added_after_a_yes_but_never_a_changed_one(
    nodes: Lab, fleet: Fleet
) -> None:
    known = (nodes.ssh_config.parent / "known_hosts").read_text().splitlines()
    keys = {line.split()[0].split(",")[0]: line.split()[2] for line in known}
    trixie = next(line for line in known if "trixie1" in line)
    mine = [line for line in known if "forky1" not in line and "trixie1" not in line]
    mine.append(trixie.replace(keys["trixie1"], keys["forky1"]))
    fleet.write("known_hosts", "\n".join(mine))
    config = nodes.ssh_config.read_text()
    place = str(nodes.ssh_config.parent / "known_hosts")
    fleet.write("ssh_config", config.replace(place, f"{fleet.folder}/known_hosts"))

    shown = fleet("hostkeys", "-F", "ssh_config")
    before = fleet("probe", "-l", "forky1", "-F", "ssh_config")
    added = fleet("hostkeys", "-y", "--json", "-F", "ssh_config")
    after = fleet("probe", "-l", "forky1", "-F", "ssh_config")
    again = fleet("hostkeys", "--json", "-F", "ssh_config", "-x", "trixie1")

    states = {name: each["state"] for name, each in added.json["nodes"].items()}
    assert states == {
        "bullseye1": "known",
        "bookworm1": "known",
        "trixie1": "changed",
        "forky1": "unknown",
    }
    real = nodes.nodes["forky1"].sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").stdout
    assert added.json["nodes"]["forky1"]["fingerprint"] == real.split()[1]
    assert f"CHANGED: {fleet.folder}/known_hosts:{len(mine)} holds another" in shown.stdout
    assert (shown.code, before.code, added.code, after.code, again.code) == (1, 1, 1, 0, 0)
    assert {each["state"] for each in again.json["nodes"].values()} == {"known"}
