"""hosts.toml as each release reads it; the table holds what daemons asked in real pulls."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.lint.explain import explain
from fleet.core.lint.hosts_toml import hosts_findings
from fleet.core.model.finding import FindingEffect
from tests.core.render.test_dormant_folders import CONFIG_PATH, facts_of, release

M = '[host."http://m1.test"]\n'
SERVER = 'server = "http://up.test"\n'
UPSTREAM = "https://q.test"
HEADER = '[host."http://m1.test".header]\nX = "a"\n'
ALL = ("1.5.18", "1.6.20", "1.7.24", "2.0.11", "2.1.9", "2.2.1", "2.3.4")
ONE_X, TWO_X = ALL[:3], ALL[3:]

# A text, the releases, the hosts that they ask in order, and the codes of what fleet says of it.
ASKED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "a local host is asked over https": (
        f'[host."localhost:5000"]\n{M}',
        ALL,
        ("https://localhost:5000/v2/", "http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        (),
    ),
    "a scheme in capitals is a host": (
        f'[host."HTTP://m2.test"]\n{M}',
        ALL,
        ("https://HTTP://m2.test/v2/", "http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        ("hosts-misread",),
    ),
    "keys in mixed case are read by 2.x": (
        f'Server = "http://up.test"\n{M}',
        TWO_X,
        ("http://m1.test/v2/", "http://up.test/v2/"),
        (),
    ),
    "keys in mixed case are unknown to 1.x": (
        f'Server = "http://up.test"\n{M}',
        ONE_X,
        ("http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        (),
    ),
    "keys in capitals are read by all": (
        f'SERVER = "http://up.test"\n{M}',
        ALL,
        ("http://m1.test/v2/", "http://up.test/v2/"),
        (),
    ),
    "a wrong type under a key in mixed case": (
        f'[host."https://s.test"]\n  Skip_Verify = "x"\n{M}',
        TWO_X,
        (f"{UPSTREAM}/v2/",),
        ("hosts-refused",),
    ),
    "a host whose tables are apart": (
        f'{M}[host."http://m2.test"]\n{HEADER}',
        TWO_X,
        ("http://m1.test/v2/", "http://m2.test/v2/", "http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        ("duplicate-host",),
    ),
    "the same to 1.x": (
        f'{M}[host."http://m2.test"]\n{HEADER}',
        ONE_X,
        ("http://m1.test/v2/", "http://m2.test/v2/", f"{UPSTREAM}/v2/"),
        (),
    ),
    "a dotted host, and a server": (
        f'{SERVER}host."http://m1.test".capabilities = ["pull", "resolve"]\n',
        TWO_X,
        ("http://up.test/v2/",),
        ("hosts-misread",),
    ),
    "bytes that are not UTF-8": (
        f"# \udce9\n{M}",
        TWO_X,
        (f"{UPSTREAM}/v2/",),
        ("hosts-refused",),
    ),
    "such bytes to 1.x": (
        f"# \udce9\n{M}",
        ONE_X,
        ("http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        (),
    ),
    "a byte-order mark": (f"\ufeff{M}", TWO_X, (f"{UPSTREAM}/v2/",), ("hosts-refused",)),
    "a byte-order mark to 1.x": (
        f"\ufeff{M}",
        ONE_X,
        ("http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        (),
    ),
    "colons in a host name": (
        f'[host."2001:db8::1"]\n{M}',
        ("2.3.4",),
        (f"{UPSTREAM}/v2/",),
        ("hosts-refused",),
    ),
    "an empty table of hosts, and a server": (
        f"{SERVER}[host]\n",
        ALL,
        ("http://up.test/v2/",),
        (),
    ),
    "no table of hosts": (SERVER, ONE_X, (f"{UPSTREAM}/v2/",), ("hosts-refused",)),
    "a server with TLS keys beside http": (
        f"{SERVER}skip_verify = false\n{M}",
        TWO_X,
        ("http://m1.test/v2/", "http://up.test/v2/"),
        ("hosts-misread",),
    ),
    "a server with a dial_timeout beside http": (
        f'{SERVER}dial_timeout = "3s"\n{M}',
        ("2.0.11",),
        ("http://m1.test/v2/", "http://up.test/v2/"),
        ("hosts-misread",),
    ),
    "the same elsewhere": (
        f'{SERVER}dial_timeout = "3s"\n{M}',
        ("1.7.24", "2.1.9", "2.2.1", "2.3.4"),
        ("http://m1.test/v2/", "http://up.test/v2/"),
        (),
    ),
    "a client of numbers": (
        f'[host."https://s.test"]\n  client = [[1, 2]]\n{M}',
        ALL,
        (f"{UPSTREAM}/v2/",),
        ("hosts-refused",),
    ),
    "a header that no request may have": (
        f'{M}  header = {{"X Y" = "a"}}\n',
        ALL,
        ("http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        ("hosts-misread",),
    ),
    "a type of a key that 1.5 does not know": (
        f'{M}  override_path = "no"\n',
        ("1.5.18",),
        ("http://m1.test/v2/", f"{UPSTREAM}/v2/"),
        ("hosts-misread",),
    ),
}


@pytest.mark.parametrize(("text", "versions", "hosts", "codes"), ASKED.values(), ids=ASKED)
def test_the_hosts_that_are_asked(
    text: str,
    versions: tuple[str, ...],
    hosts: tuple[str, ...],
    codes: tuple[str, ...],
    tmp_path: Path,
) -> None:
    for version in versions:
        root = tmp_path / version
        facts = facts_of(root, {"q.test/hosts.toml": ""}, CONFIG_PATH, version)
        path = "/etc/containerd/certs.d/q.test/hosts.toml"
        content = text.encode("utf-8", "surrogateescape")
        (root / path[1:]).write_bytes(content)
        facts = facts_of(root, {}, CONFIG_PATH, version)

        found = hosts_findings(path, decode_hosts(content), release(version), FindingEffect.NOTES)

        assert tuple(dict.fromkeys(each.code for each in found)) == codes, version
        assert tuple(each.asks for each in explain(facts, "q.test").hosts) == hosts, version
