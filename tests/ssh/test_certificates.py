"""When a user certificate is valid, read off what ssh-keygen writes."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.ssh.certificates import expired_certificate

DURING = datetime(2020, 1, 15, tzinfo=UTC).timestamp()
TIMES = {
    "during": (DURING, ""),
    "after": (DURING + 30 * 86400, "expired at 2020-02-01 00:00 UTC"),
    "before": (DURING - 30 * 86400, "is not valid before 2020-01-01 00:00 UTC"),
}


def signed(folder: Path, kind: str, *words: str) -> bytes:
    for name, made in (("ca", "ed25519"), ("key", kind)):
        subprocess.run(["ssh-keygen", "-q", "-t", made, "-N", "", "-f", folder / name], check=True)
    call = ["ssh-keygen", "-q", "-s", folder / "ca", "-I", "me", "-n", "ops,root", *words]
    subprocess.run([*call, folder / "key.pub"], check=True, env={"TZ": "UTC"})
    return base64.b64decode((folder / "key-cert.pub").read_text().split()[1])


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_says_when_it_ends(kind: str, tmp_path: Path) -> None:
    blob = signed(tmp_path, kind, "-V", "20200101:20200201")

    told = {name: expired_certificate(blob, now) for name, (now, _) in TIMES.items()}

    assert told == {name: words for name, (_, words) in TIMES.items()}


def test_one_for_ever_and_a_bare_key_are_never_out_of_time(tmp_path: Path) -> None:
    blob = signed(tmp_path, "ed25519")
    bare = base64.b64decode((tmp_path / "key.pub").read_text().split()[1])

    assert [expired_certificate(each, DURING) for each in (blob, bare, b"", blob[:90])] == [""] * 4
