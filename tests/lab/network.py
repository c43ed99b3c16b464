"""The lab's network: one bridge, and a network namespace with an address for every host."""

from __future__ import annotations

from pathlib import Path

from tests.lab.host import lab_number, run

NUMBER = lab_number()
BRIDGE = f"fleetlab{NUMBER}"
PREFIX = f"10.213.{NUMBER}"
PREFIX6 = f"fd00:213:{NUMBER}:"
HOST = f"{PREFIX}.1"
REGISTRY = f"{PREFIX}.2"
FLAKY = f"{PREFIX}.3"
FIRST_NODE = 11
_MARK = f"flab{NUMBER or ''}-"


def namespace(name: str) -> str:
    """Name the network namespace of a host of the lab."""
    return f"{_MARK}{name}"


def make_bridge() -> None:
    """Make the bridge, with this machine's own address on it."""
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "addr", "replace", f"{HOST}/24", "dev", BRIDGE)
    run("ip", "addr", "replace", f"{address6(HOST)}/64", "dev", BRIDGE, "nodad")
    run("ip", "link", "set", BRIDGE, "up")


def address6(address: str) -> str:
    """Return a host's IPv6 address; its last part is that of the IPv4 address."""
    return f"{PREFIX6}:{address.rsplit('.', 1)[1]}"


def make_namespace(name: str, address: str) -> None:
    """Make a namespace with an address of either kind on the bridge, no route out and no DNS."""
    space, link = namespace(name), link_name(address)
    run("ip", "netns", "add", space)
    run("ip", "link", "add", link, "type", "veth", "peer", "name", "host0", "netns", space)
    run("ip", "link", "set", link, "master", BRIDGE, "up")
    for words in (
        ("addr", "add", f"{address}/24", "dev", "host0"),
        ("addr", "add", f"{address6(address)}/64", "dev", "host0", "nodad"),
        ("link", "set", "host0", "up"),
    ):
        run("ip", "-n", space, *words)
    run("ip", "-n", space, "link", "set", "lo", "up")


def link_name(address: str) -> str:
    """Name this machine's end of a host's cable."""
    return f"flab{NUMBER}x{address.rsplit('.', 1)[1]}"


def set_link(address: str, *, up: bool) -> None:
    """Plug a host's cable in, or pull it out."""
    run("ip", "link", "set", link_name(address), "up" if up else "down")


def remove_namespace(name: str, address: str) -> None:
    """Remove a namespace and its cable; what is not there is fine."""
    run("ip", "link", "del", link_name(address), check=False)
    run("ip", "netns", "del", namespace(name), check=False)


def remove_everything() -> None:
    """Remove every namespace and the bridge of the lab, whoever left them."""
    lines = run("ip", "netns", "list", check=False).stdout.splitlines()
    for space in (line.split(" ")[0] for line in lines if line.startswith(_MARK)):
        run("ip", "netns", "del", space, check=False)
    for link in sorted(Path("/sys/class/net").glob(f"flab{NUMBER}x*")):
        run("ip", "link", "del", link.name, check=False)
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        run("ip", "link", "del", BRIDGE, check=False)
