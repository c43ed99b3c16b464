"""`fleet mirrors test`: every way in which a mirror misbehaves is found and named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import Lab, network
from tests.lab.host import run
from tests.support.fleet import Fleet
from tests.support.schemas import fits

pytestmark = pytest.mark.e2e
SILENT = f"{network.PREFIX}.99"
"""An address of the lab's network where nobody is, and that takes every packet."""
WRONG = {
    "http://flaky.lab.test:81": "refused",
    "https://nowhere.lab.test": "no_dns",
    f"https://{SILENT}": "drops_packets",
    "https://hang.flaky.lab.test": "hangs",
    "https://expired.flaky.lab.test": "certificate_expired",
    "https://stranger.flaky.lab.test": "unknown_ca",
    "https://othername.lab.test": "certificate_wrong_name",
    "https://flaky.lab.test:80": "no_tls",
    "https://portal.flaky.lab.test": "web_page",
    "https://401.flaky.lab.test": "needs_login",
    "https://token.flaky.lab.test": "ok",
    "https://token-403.flaky.lab.test": "needs_login",
    "https://token-useless.flaky.lab.test": "needs_login",
    "https://token-nowhere.flaky.lab.test": "strange_answer",
    "https://led-nowhere.flaky.lab.test": "strange_answer",
    "https://403.flaky.lab.test": "forbidden",
    "https://403-blobs.flaky.lab.test": "not_in_allow_list",
    "https://404.flaky.lab.test": "not_found",
    "https://429.flaky.lab.test": "rate_limited",
    "https://500.flaky.lab.test": "server_error",
    "https://stale.flaky.lab.test": "stale",
    "https://sluggish.flaky.lab.test": "slow",
    "https://corrupt.flaky.lab.test": "corrupt",
    "https://die.flaky.lab.test": "hangs_up",
    "https://registry.lab.test": "ok",
}
SILENT_HOST = "ip neigh replace {} lladdr 02:00:00:00:00:99 dev host0 nud permanent"


@pytest.fixture
def silent(nodes: Lab) -> Iterator[None]:
    """Let packets to one address vanish, as a firewall does that says nothing."""
    spaces = [network.namespace(name) for name in nodes.nodes]
    for space in spaces:
        run("ip", "netns", "exec", space, *SILENT_HOST.format(SILENT).split())
    yield
    for space in spaces:
        run("ip", "-n", space, "neigh", "del", SILENT, "dev", "host0")


def every_mirror(*more: str) -> str:
    lines = [f"      - {url} # is {word}\n" for url, word in WRONG.items()]
    return (
        "version: 1\n# All that can be wrong.\nmirrors:\n  docker.io:\n"
        "    verify: docker.io/library/busybox:1.36\n    endpoints:\n"
        + "".join((*lines, *(f"      - {each}\n" for each in more)))
        + "    # the end\n"
    )


def test_each_misbehaving_mirror_is_named_and_the_order_mended(
    nodes: Lab, fleet: Fleet, silent: None
) -> None:
    """From a login that must become root, and from root's own, in one call."""
    overridden = "{url: https://ok.flaky.lab.test, override_path: true}"
    fleet.write("mirrors.yaml", every_mirror(overridden))
    fleet.edit("inventory.yaml", ".14}", ".14, user: root, site: far}")
    before = (fleet.folder / "mirrors.yaml").read_text()

    ran = fleet("mirrors", "test", "-l", "trixie1,forky1", "--timeout", "4", "--write", "--json")

    told, after = ran.json, (fleet.folder / "mirrors.yaml").read_text()
    assert ran.code == 1, ran.text
    fits("mirrors", told)
    for name in ("trixie1", "forky1"):
        found = {each["url"]: each for each in told["nodes"][name]["endpoints"]}
        moved = found.pop("https://ok.flaky.lab.test")
        assert {url: each["diagnosis"] for url, each in found.items()} == WRONG
        assert "it is found without override_path" in moved["message"]
        assert found["https://registry.lab.test"]["address"] == network.REGISTRY
    assert set(told["matrix"]["docker.io"]["https://registry.lab.test"]) == {"-", "far"}
    assert sorted(after.splitlines()) == sorted(before.splitlines())
    words = [line.rpartition(" ")[2] for line in after.splitlines()[6:-1]]
    assert (words[:3], words[-2:]) == (["ok", "ok", "slow"], ["hangs", "web_page"])


DRESSED = """version: 1
mirrors:
  docker.io:
    verify: docker.io/library/busybox:1.36
    endpoints:
      - {{url: https://client.flaky.lab.test, client: [[{tls}/server.crt, {tls}/server.key]]}}
      - {{url: https://stranger.flaky.lab.test, ca: {tls}/stranger.crt}}
      - {{url: https://othername.lab.test, skip_verify: true}}
      - https://basic.flaky.lab.test
  quay.io:
    verify: quay.io/prometheus/busybox:latest
    endpoints: [https://client.flaky.lab.test, https://basic.flaky.lab.test]
configs:
  basic.flaky.lab.test:
    auth: {{username: lab, password: {password}}}
"""


@pytest.mark.parametrize(("password", "login"), [("lab", "ok"), ("wrong", "login_refused")])
def test_an_endpoint_is_asked_with_all_that_mirrors_yaml_gives_it(
    nodes: Lab, fleet: Fleet, password: str, login: str
) -> None:
    fleet.write("mirrors.yaml", DRESSED.format(tls=nodes.authority.parent, password=password))

    ran = fleet("mirrors", "test", "-l", "bookworm1", "--json")

    found = [each["diagnosis"] for each in ran.json["nodes"]["bookworm1"]["endpoints"]]
    assert found == ["ok", "ok", "ok", login, "forbidden", login], ran.text


def test_one_node_a_site_tests_and_another_stands_in_for_it(nodes: Lab, fleet: Fleet) -> None:
    fleet.edit("inventory.yaml", "become: true", "become: true\n    site: here")
    fleet.edit("inventory.yaml", "bullseye1: {", "bullseye1: {port: 1, ")

    ran = fleet("mirrors", "test", "--per-site", "--image", "docker.io/library/busybox:latest")

    assert ran.code == 0, ran.text
    assert "here" in ran.stdout
    assert len(nodes.registry.access()) > 0


def test_a_node_whose_sshd_forwards_nothing_says_what_to_do(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh("echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh")
    try:
        ran = fleet("mirrors", "test", "-l", "trixie1")
    finally:
        trixie.sh("rm /etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh")

    assert ran.code == 1
    assert "set AllowTcpForwarding to yes or local" in ran.stdout


def test_a_daemon_behind_a_proxy_makes_the_test_another_thing(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    folder = "/etc/systemd/system/containerd.service.d"
    line = "[Service]\\nEnvironment=HTTPS_PROXY=http://me:secret@proxy.example:3128\\n"
    trixie.sh(f"mkdir -p {folder}; printf '{line}' >{folder}/proxy.conf")
    trixie.sh("systemctl daemon-reload; systemctl restart containerd")
    try:
        ran = fleet("mirrors", "test", "-l", "trixie1")
    finally:
        trixie.sh(f"rm -r {folder}; systemctl daemon-reload; systemctl restart containerd")

    assert "containerd goes through the proxy http://proxy.example:3128" in ran.stdout
    assert "no order is suggested" in ran.stdout
    assert "secret" not in ran.text


_LIE = """
bundle=/etc/ssl/certs/ca-certificates.crt
cp $bundle /run/honest.crt
cp /run/stranger.crt $bundle
printf '#!/bin/sh\\necho "{digest}  -"\\n' >/usr/local/bin/sha256sum
chmod 755 /usr/local/bin/sha256sum
"""
_TRUTH = "rm /usr/local/bin/sha256sum; cp /run/honest.crt /etc/ssl/certs/ca-certificates.crt"


def test_a_node_cannot_lend_its_ca_bundle_to_another_by_a_false_digest(
    nodes: Lab, fleet: Fleet
) -> None:
    """The first node has another CA, and claims the digest of the second node's bundle."""
    liar, honest = nodes.nodes["trixie1"], nodes.nodes["forky1"]
    sum_line = honest.sh("sha256sum </etc/ssl/certs/ca-certificates.crt").stdout
    stranger = (nodes.authority.parent / "stranger.crt").read_bytes()
    fleet.write(
        "mirrors.yaml",
        "version: 1\nmirrors:\n  docker.io:\n    endpoints: [https://registry.lab.test]\n",
    )
    liar.sh(f"cat >/run/stranger.crt <<'E'\n{stranger.decode()}\nE")
    liar.sh(_LIE.format(digest=sum_line.split()[0]))
    try:
        ran = fleet("mirrors", "test", "-l", "trixie1,forky1", "--parallel", "1", "--json")
    finally:
        liar.sh(_TRUTH)

    found = {
        name: [each["diagnosis"] for each in node["endpoints"]]
        for name, node in ran.json["nodes"].items()
    }
    assert found == {"trixie1": ["unknown_ca"], "forky1": ["ok"]}
