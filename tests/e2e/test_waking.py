"""Folders that sleep until config_path is on, and what each defect does to a pull: real daemons."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.test_conflicts import CERTS, CONFIG, CRI, ONE, plant
from tests.lab import Lab, LabNode
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
NAMES = ("bookworm1", "trixie1", "forky1")
NODES = ":".join(NAMES)
ON = f'version = 2\n{CRI}.registry]\n  config_path = "{CERTS}"\n'
MIRROR = '[host."https://docker.m.daocloud.io"]\n  capabilities = ["pull", "resolve"]\n'
LOST = f'{MIRROR}  ca = "/etc/ssl/gone.pem"\n'
DEAD = 'server = "https://dead.test"\n[host."https://dead.test"]\n'


def pull(node: LabNode, registry: str) -> str:
    """Say what a pull by CRI comes to: the mirror, upstream, or a failure before any host."""
    node.sh("ctr -n k8s.io images rm --sync $(ctr -n k8s.io images ls -q) 2>&1; true")
    said = node.sh(f"crictl pull {registry}/library/busybox:1.36 2>&1; true").stdout
    if "Image is up to date" in said:
        return "mirror"
    return "upstream" if f"lookup {registry}" in said or "lookup registry-1" in said else "fails"


def test_folders_that_slept_are_named_and_those_that_break_are_refused(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    for name in NAMES:
        asleep = {f"{CERTS}/_default/hosts.toml": DEAD, f"{CERTS}/quay.io/hosts.toml": LOST}
        plant(nodes, name, {CONFIG: "version = 2\n", **asleep})
    before = {name: nodes.nodes[name].digests("/etc") for name in NAMES}
    words = ("rollout", "-y", "-l", NODES, "--batch", "3", "--soak", "1", "--json")

    probed = fleet("probe", "-l", NODES, "--json").json["nodes"]
    refused = fleet(*words)
    untouched = {name: nodes.nodes[name].digests("/etc") for name in NAMES}
    kept = fleet(*words, "--keep")
    explained = fleet("explain", "trixie1", "quay.io", "--json")
    pulled = {name: pull(nodes.nodes[name], "quay.io") for name in NAMES}
    over = fleet(*words, "--overwrite")
    after = {name: pull(nodes.nodes[name], "quay.io") for name in NAMES}

    for each in probed.values():
        told = {(found["code"], found["effect"]) for found in each["conflicts"]}
        assert told == {
            ("fails-every-pull", "refuses"),
            ("cuts-off-upstream", "refuses"),
            ("wakes", "notes"),
        }
    for each in refused.json["nodes"].values():
        assert "would activate folders" in each["failure"]["message"]
    assert untouched == before
    assert kept.code == 0, kept.text
    assert "every pull fails" in explained.text
    assert set(pulled.values()) == {"fails"}
    assert over.code == 0, over.text
    assert "fails" not in after.values()


# What is in the folder of a registry, and what a pull of it comes to. Of a hosts.toml that is
# ignored the registry itself is asked.
DEFECTS: dict[str, tuple[str, str]] = {
    "good": (MIRROR, "mirror"),
    "port": (f'[host."http://mirror.corp.test:port"]\n{MIRROR}', "upstream"),
    "slash": (f'server = "https:/registry.corp.test"\n{MIRROR}', "mirror"),
    "table": (f'{MIRROR}[server]\n  url = "https://registry.corp.test"\n', "upstream"),
    "space": (f'server = "https://a b"\n{MIRROR}', "upstream"),
    "nohost": (f'[host."https://"]\n{MIRROR}', "mirror"),
    "triple": (f'{MIRROR}  client = [["a", "b", "c"]]\n', "upstream"),
    "header": (f'{MIRROR}[host."https://docker.m.daocloud.io".header]\n  x = 1\n', "upstream"),
    "lostca": (LOST, "fails"),
    "otherca": (f'{MIRROR}[host."https://x.test"]\n  ca = "gone.pem"\n', "fails"),
    "serverca": (f'ca = "/etc/ssl/gone.pem"\n{MIRROR}', "fails"),
    "nopem": (f'{MIRROR}  ca = "/etc/hostname"\n', "fails"),
    "emptyca": (f'{MIRROR}  ca = ""\n', "fails"),
    "lostpair": (f'{MIRROR}  client = [["/gone", "/gone.key"]]\n', "fails"),
}
LINES = f"printf '%s\\n' {shlex.quote(MIRROR.rstrip())}"
CERTIFICATE = "sed '/END CERT/q' /etc/ssl/certs/ca-certificates.crt >c.pem"
SHAPES = {
    "folder": ("mkdir hosts.toml", "fails"),
    "loop": ("ln -s hosts.toml hosts.toml", "fails"),
    "dangling": ("ln -s nowhere hosts.toml", "upstream"),
    "badcrt": ("echo x >x.crt", "fails"),
    "badcert": ("echo x >x.cert", "fails"),
    "cutca": (f"{LINES} 'ca = \"c.pem\"' >hosts.toml; {CERTIFICATE}; sed -i '$d' c.pem", "fails"),
    "goodca": (f"{LINES} 'ca = \"c.pem\"' >hosts.toml; {CERTIFICATE}", "mirror"),
    "nokey": (f"{LINES} 'client = \"c.pem\"' >hosts.toml; {CERTIFICATE}", "fails"),
}
# What 2.x takes otherwise than 1.x does, where all of these are fine.
SINCE_2: dict[str, tuple[str, str, str]] = {
    "latin": (
        f"{LINES} >hosts.toml; printf '# \\351\\n' >>hosts.toml",
        "upstream",
        "hosts-refused",
    ),
    "case": (f"{LINES} 'Skip_Verify = \"x\"' >hosts.toml", "upstream", "hosts-refused"),
    "apart": (
        f"{LINES} '[host.\"https://x.test\"]' '[host.\"https://docker.m.daocloud.io\".header]'"
        " 'X = \"a\"' >hosts.toml",
        "mirror",
        "duplicate-host",
    ),
}
# What 2.0.7 to 2.0.11 take for TLS settings, and ask over https first.
DIALS = {
    "dial": '[host."http://docker.m.daocloud.io"]\n  dial_timeout = "3s"\n',
    "dialserver": f'server = "http://up.corp.test"\ndial_timeout = "3s"\n{MIRROR}',
}
CODES = {
    "port": "hosts-refused",
    "slash": "hosts-misread",
    "table": "hosts-refused",
    "space": "hosts-refused",
    "nohost": "hosts-misread",
    "triple": "hosts-refused",
    "header": "hosts-refused",
}


def told_of(conflicts: list[Mapping[str, str]], name: str) -> set[str]:
    inside = f"/{name}.test/"
    return {
        each["code"]
        for each in conflicts
        if inside in each["where"] or f"{name}.test" in each["message"]
    }


def expected(version: str) -> dict[str, tuple[str, set[str]]]:
    """Say what becomes of a pull from each registry, and the codes of what fleet says of it."""
    found = {}
    for name, (_, pulled) in {**DEFECTS, **SHAPES}.items():
        # What stands outside the folder is only known to be there or not.
        fails = {"fails-every-pull"} if pulled == "fails" and name != "nopem" else set()
        found[name] = (pulled, fails | ({CODES[name]} if name in CODES else set()))
    for name, (_, pulled, code) in SINCE_2.items():
        found[name] = (pulled, {code}) if version >= "2" else ("mirror", set())
    said = {"hosts-misread"} if version.startswith("2.0.") else set()
    found.update(dict.fromkeys(DIALS, ("mirror", said)))
    return found


def check_defects(lab: Lab, fleet: Fleet, releases: Mapping[str, str]) -> None:
    """Plant every defect on nodes of these releases, and compare what fleet says with pulls."""
    fleet.write("mirrors.yaml", ONE)
    texts = {**{name: text for name, (text, _) in DEFECTS.items()}, **DIALS}
    commands = {name: found[0] for name, found in {**SHAPES, **SINCE_2}.items()}
    for name in releases:
        plant(
            lab, name, {CONFIG: ON, **{f"{CERTS}/{n}.test/hosts.toml": t for n, t in texts.items()}}
        )
        for each, command in commands.items():
            folder = shlex.quote(f"{CERTS}/{each}.test")
            lab.nodes[name].sh(f"mkdir -p {folder}; cd {folder}; {command}")

    probed = fleet("probe", "-l", ":".join(releases), "--json").json["nodes"]

    def pulls(name: str) -> dict[str, str]:
        return {each: pull(lab.nodes[name], f"{each}.test") for each in (*texts, *commands)}

    with ThreadPoolExecutor(3) as pool:
        found = dict(zip(releases, pool.map(pulls, releases), strict=True))
    for name, version in releases.items():
        wanted = expected(version)
        assert probed[name]["containerd"].startswith(version)
        assert found[name] == {each: pulled for each, (pulled, _) in wanted.items()}, name
        told = {each: told_of(probed[name]["conflicts"], each) for each in wanted}
        assert told == {each: codes for each, (_, codes) in wanted.items()}, name
        log = lab.nodes[name].sh("journalctl -u containerd --no-pager | grep 'HTTPS first'; true")
        first = {host for host in ("docker.m.daocloud.io", "up.corp.test") if host in log.stdout}
        assert len(first) == (2 if version.startswith("2.0.") else 0), log.stdout


def test_what_fleet_says_of_a_defect_is_what_the_daemon_does(nodes: Lab, fleet: Fleet) -> None:
    check_defects(nodes, fleet, {"bookworm1": "1.6.20", "trixie1": "1.7.24", "forky1": "2.1.9"})
