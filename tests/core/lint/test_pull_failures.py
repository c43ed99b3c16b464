"""What fails every pull of a registry: all that is in a folder, or named by its hosts.toml."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.core.lint.explain import explain
from fleet.core.lint.pull_failures import pull_failures
from tests.core.render.test_dormant_folders import CERTS, CONFIG_PATH, HOST, PEM, facts_of, release

KEY = PEM.replace("CERTIFICATE", "RSA PRIVATE KEY")
CLIENT = f'{HOST}  client = [["c.pem", "k.pem"]]\n'
ONE_FILE = f'{HOST}  client = "x.pem"\n'
# Each was tried by pulls on daemons of 1.5.18 to 2.3.4.
FAILS = {
    "a ca that is there": ({"q/hosts.toml": HOST + '  ca = "x.pem"\n', "q/x.pem": PEM}, 0),
    "a ca of no PEM": ({"q/hosts.toml": HOST + '  ca = ["x.pem"]\n', "q/x.pem": "x"}, 1),
    "an empty ca": ({"q/hosts.toml": HOST + '  ca = ""\n'}, 1),
    "a lost ca beside it": ({"q/hosts.toml": HOST + '  ca = "x.pem"\n'}, 1),
    "a lost ca of a neighbour": ({"q/hosts.toml": HOST + '  ca = "../r/x.pem"\n', "r/x": "x"}, 1),
    "a folder as ca": ({"q/hosts.toml": HOST + '  ca = "d"\n', "q/d/x": "x"}, 1),
    "a ca of the server": ({"q/hosts.toml": f'ca = "/gone"\n{HOST}'}, 1),
    "a lost pair": ({"q/hosts.toml": HOST + '  client = [["/c", "/k"]]\n'}, 2),
    "a lost ca in a file that is ignored": ({"q/hosts.toml": 'ca = "/gone"\nserver = 1\n'}, 0),
    "an ignored file beside a bad crt": ({"q/hosts.toml": "server = 1\n", "q/x.crt": "x"}, 1),
    "a bad crt beside a good file": ({"q/hosts.toml": HOST, "q/x.crt": "x"}, 0),
    "a cert without key": ({"q/x.cert": PEM}, 1),
    "a cert and key": ({"q/x.cert": PEM, "q/x.key": KEY}, 0),
    "a ca that was cut off": ({"q/hosts.toml": HOST + '  ca = "x.pem"\n', "q/x.pem": PEM[:40]}, 1),
    "a damaged ca beside a good one": (
        {"q/hosts.toml": HOST + '  ca = "x.pem"\n', "q/x.pem": PEM.replace("MA", "MB") + PEM},
        0,
    ),
    "a damaged ca": (
        {"q/hosts.toml": HOST + '  ca = "x.pem"\n', "q/x.pem": PEM.replace("MA", "MB")},
        1,
    ),
    "a client's pair": ({"q/hosts.toml": CLIENT, "q/c.pem": PEM, "q/k.pem": KEY}, 0),
    "a client's pair, switched": ({"q/hosts.toml": CLIENT, "q/c.pem": KEY, "q/k.pem": PEM}, 2),
    "a client's pair without a key": ({"q/hosts.toml": CLIENT, "q/c.pem": PEM, "q/k.pem": PEM}, 1),
    "a client's key with a password": (
        {
            "q/hosts.toml": CLIENT,
            "q/c.pem": PEM,
            "q/k.pem": KEY.replace("RSA", "ENCRYPTED"),
        },
        1,
    ),
    "a client's key with a password, in the older form": (
        {
            "q/hosts.toml": CLIENT,
            "q/c.pem": PEM,
            "q/k.pem": KEY.replace("Y-----\nM", "Y-----\nProc-Type: 4,ENCRYPTED\n\nM"),
        },
        1,
    ),
    "a client in one file": ({"q/hosts.toml": ONE_FILE, "q/x.pem": f"{PEM}{KEY}"}, 0),
    "a client in one file without a key": ({"q/hosts.toml": ONE_FILE, "q/x.pem": PEM}, 1),
    "a client in one file that is not there": ({"q/hosts.toml": ONE_FILE}, 1),
}


@pytest.mark.parametrize(("files", "count"), FAILS.values(), ids=list(FAILS))
def test_what_fails_every_pull_of_a_folder(
    files: dict[str, str], count: int, tmp_path: Path
) -> None:
    facts = facts_of(tmp_path, files, CONFIG_PATH)

    assert len(list(pull_failures(facts, release("1.7.24"), f"{CERTS}/q"))) == count


def test_a_path_that_the_probe_did_not_look_at_is_not_called_lost(tmp_path: Path) -> None:
    """The probe lists one level, and finds absolute paths by their text."""
    deep = HOST + '  ca = ["certs/x.pem", "/etc/\\u0073sl/x.pem"]\n'
    facts = facts_of(tmp_path, {"q/hosts.toml": deep}, CONFIG_PATH)

    assert list(pull_failures(facts, release("1.7.24"), f"{CERTS}/q")) == []
    partial = replace(facts, paths=replace(facts.paths, complete=False))
    lost = facts_of(tmp_path, {"q/hosts.toml": HOST + '  ca = "x.pem"\n'}, CONFIG_PATH)
    assert len(list(pull_failures(lost, release("1.7.24"), f"{CERTS}/q"))) == 1
    assert list(pull_failures(partial, release("1.7.24"), f"{CERTS}/q")) == []


def test_a_certificate_that_is_a_dangling_link_is_lost(tmp_path: Path) -> None:
    facts_of(tmp_path, {"q/hosts.toml": HOST + '  ca = "x.pem"\n'})
    (tmp_path / CERTS[1:] / "q/x.pem").symlink_to("nowhere")
    facts = facts_of(tmp_path, {}, CONFIG_PATH)

    assert len(list(pull_failures(facts, release("1.7.24"), f"{CERTS}/q"))) == 1


def test_what_is_no_file_at_all_fails_every_pull(tmp_path: Path) -> None:
    base = tmp_path / CERTS[1:]
    for name in ("folder", "fifo", "loop", "dangling"):
        (base / name).mkdir(parents=True)
    (base / "folder/hosts.toml").mkdir()
    os.mkfifo(base / "fifo/hosts.toml")
    (base / "loop/hosts.toml").symlink_to("hosts.toml")
    (base / "dangling/hosts.toml").symlink_to("nowhere")
    (base / "_default").write_text("x")

    facts = facts_of(tmp_path, {}, CONFIG_PATH)

    found = {
        name: [path.removeprefix(f"{CERTS}/") for path, _ in
               pull_failures(facts, release("1.7.24"), f"{CERTS}/{name}")]
        for name in ("folder", "fifo", "loop", "dangling", "_default")
    }  # fmt: skip
    assert found == {
        "folder": ["folder/hosts.toml"],
        "fifo": ["fifo/hosts.toml"],
        "loop": ["loop/hosts.toml"],
        "dangling": [],
        "_default": ["_default"],
    }
    assert explain(facts, "folder").hosts == ()
