"""Text that people see is harmless and without secrets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleet.core.masking import Fingerprints, masked_file
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.secret import Secret
from fleet.errors import printable

MARK = Fingerprints(b"k" * 32)
CONFIG = """\
[plugins."io.containerd.grpc.v1.cri".registry.configs."h".auth]
  username = "robot"
  password = "hunter2"
  identitytoken = 'abc-token'
[plugins."io.containerd.grpc.v1.cri".registry]
  headers = {Authorization = "Basic aGk6aGk="}
"""
HOSTS = """\
[host."https://a"]
  capabilities = ["pull"]
  [host."https://a".header]
    X-Anything = ["top-secret"]
[host."https://b"]
  ca = "/x"
"""


def test_secrets_are_masked_and_nothing_else() -> None:
    shown = masked_file("a.toml", CONFIG, MARK) + masked_file("b.toml", HOSTS, MARK)

    secrets = ("hunter2", "abc-token", "aGk6aGk=", "top-secret")
    assert not [each for each in secrets if each in shown]
    assert 'username = "robot"' in shown
    assert 'ca = "/x"' in shown
    assert shown.count("***#") == 4


def test_a_changed_secret_shows_as_a_change() -> None:
    before = ManagedFile(CONFIG.encode())
    after = ManagedFile(CONFIG.replace("hunter2", "hunter3").encode())

    diff = unified_diff(Change("/etc/containerd/config.toml", before, after), MARK)

    assert "hunter" not in diff
    assert "-  password = ***#" in diff
    assert "+  password = ***#" in diff


def test_private_keys_and_modes_in_a_diff() -> None:
    key = ManagedFile(b"-----BEGIN KEY", 0o600, secret=True)
    assert "BEGIN" not in unified_diff(Change("/x/a.client.key.pem", None, key), MARK)
    mode = unified_diff(Change("/x", ManagedFile(b"a", 0o644), ManagedFile(b"a", 0o600)), MARK)
    assert mode == "mode 644 -> 600"


def test_a_secret_has_no_repr() -> None:
    assert "x" not in repr(Secret("x")).replace("***", "")


@given(st.text())
def test_nothing_printable_steers_a_terminal(text: str) -> None:
    shown = printable(text)

    assert not [each for each in shown if ord(each) < 32 and each not in "\n\t"]
    assert "\x1b" not in shown
    assert "\x9b" not in shown
