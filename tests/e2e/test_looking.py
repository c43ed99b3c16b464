"""Commands that look at nodes: explain says what the mirrors' logs say, run folds answers."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from tests.lab import Lab
from tests.lab.registry import Access
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
    ran = fleet("rollout", "-y", "-l", name, "--soak", "0", "--no-verify", "--json")
    told = fleet("explain", name, "docker.io", "--json").json

    assert ran.code == 0, ran.text
    assert told["way"] == ("legacy" if name == "bullseye1" else "certs.d")
    assert [(each["url"], each["asks"]) for each in told["hosts"]] == [
        ("https://flaky.lab.test", "https://flaky.lab.test/v2/"),
        ("https://registry.lab.test", "https://registry.lab.test/v2/"),
        ("https://registry-1.docker.io", "https://registry-1.docker.io/v2/"),
    ]
    path, _, line = told["hosts"][0]["where"].rpartition(":")
    assert "flaky" in node.sh(f"sed -n '{line},$p' {path}").stdout
    outcomes = {each[0]: each[1] for each in told["failures"]}
    assert outcomes["says 403"] == outcomes["says 401 otherwise, or 5xx"] == "asks the next host"
    assert outcomes["says 404"].startswith("asks the next host")
    for status in ("404", "403", "500"):
        asked, served = pulled(nodes, name, status)
        assert {each.status for each in asked} == {int(status)}
        assert all(each.path.startswith("/v2/library/busybox/") for each in asked)
        assert any("/blobs/" in each.path for each in served)


def pulled(nodes: Lab, name: str, mode: str) -> tuple[list[Access], list[Access]]:
    """Pull while the first mirror misbehaves; return what each was asked by that node."""
    node = nodes.nodes[name]
    nodes.flaky.mode(mode)
    began = time.time()
    image = "docker.io/library/busybox:1.36"
    node.sh(f"crictl pull {image}; crictl rmi {image}")
    both = (nodes.flaky.access(began), nodes.registry.access(began))
    asked, served = ([each for each in one if node.address in each.remote] for one in both)
    # The log has whole seconds, so the pull before may be in it.
    return [each for each in asked if str(each.status) == mode] or asked, served


@pytest.mark.parametrize("name", ["bookworm1", "trixie1", "forky1"])
def test_the_folder_that_shadows_the_others_is_the_one_that_containerd_reads(
    nodes: Lab, fleet: Fleet, crictl: None, name: str
) -> None:
    node = nodes.nodes[name]
    fleet("rollout", "-y", "-l", name, "--soak", "0", "--no-verify")
    node.sh(f"cd {CERTS} && mkdir reg.example:5000 reg.example_5000_ _default broken.example")
    for folder, host in (("reg.example_5000_", "flaky"), ("reg.example:5000", "registry")):
        server = f"https://{host}.lab.test"
        text = f'server = "{server}"\n[host."{server}"]\n'
        node.sh(f"cat >{CERTS}/{folder}/hosts.toml <<'END'\n{text}END\n")
    node.sh(f"echo 'server = [' >{CERTS}/broken.example/hosts.toml")
    began = time.time()
    node.sh("crictl pull reg.example:5000/library/busybox:1.36")

    port = fleet("explain", name, "reg.example:5000", "--json").json
    other = fleet("explain", name, "nowhere.example", "--json").json
    broken = fleet("explain", name, "broken.example")

    assert [(each["path"], each["state"]) for each in port["folders"]] == [
        (f"{CERTS}/reg.example_5000_", "used"),
        (f"{CERTS}/reg.example:5000", "shadowed"),
        (f"{CERTS}/_default", "shadowed"),
    ]
    assert {each["url"] for each in port["hosts"]} == {"https://flaky.lab.test"}
    asked = [each for each in nodes.flaky.access(began) if node.address in each.remote]
    assert any("/blobs/" in each.path for each in asked)
    assert [each["state"] for each in other["folders"]] == ["absent", "used"]
    assert other["hosts"][0]["note"] == "upstream"
    assert "is ignored as a whole" in broken.stdout
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


def on_a_terminal(fleet: Fleet, *words: str) -> str:
    """Run fleet with a terminal on both streams; return all that it showed."""
    mine, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "FLEET_SSH_CONFIG": fleet.ssh_config}
    running = subprocess.Popen(
        [sys.executable, "-m", "fleet", *words],
        cwd=fleet.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(mine, 65536):
            shown += part
    except OSError:  # how a terminal says that nobody writes any more
        pass
    os.close(mine)
    running.wait(60)
    return shown.decode("utf-8", "replace").replace("\r", "")


def test_a_terminal_shows_where_each_node_is_and_how_it_ended_once(
    nodes: Lab, fleet: Fleet, crictl: None
) -> None:
    never = "overrides: [{match: forky1, mirrors: {docker.io: {verify: docker.io/library/none:1}}}]"
    fleet.write("mirrors.yaml", f"{TWO}{never}\n")
    chosen = ("-l", "bookworm1,trixie1,forky1", "--batch", "3", "--max-failures", "1")

    shown = on_a_terminal(fleet, "rollout", "-y", *chosen, "--soak", "2", "--no-color")

    assert "> bookworm1  soaking, " in shown
    assert "> trixie1  soaking, " in shown
    assert shown.count("bookworm1: converged") == shown.count("trixie1: converged") == 1
    assert "~ bookworm1,trixie1 (2): converged\n" in shown
    pull = "the verification pull of docker.io/library/none:1 failed ("
    remedy = "remedy: find the endpoint that fails with `fleet mirrors test`"
    assert shown.count(pull) == shown.count(remedy) == 1
    assert shown.count("forky1: rolled back: verification failed") == 1
