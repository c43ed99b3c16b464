"""Faults of the texts that a node sends: 1 MB of hostile text in a file or in an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.lane import Lane
from tests.faults.variant import WITH_FOLDERS, Variant, altered, answered, one_of
from tests.support.hands import WRAPPERS

SIZE = 1_000_000
"""Bytes of a text: below what the probe reads of one file, so that all of it arrives."""
_TEXT = "/var/tmp/hostile"
_LINE = {
    "dots": b"header.",
    "brackets": b"[",
    "quotes": b"\\\"'''\"",
    "secrets": b'password = "secret-word" ',
    "URLs": b"https://u:p@[::1:/",
}
_TEXTS = {
    **_LINE,
    "escapes": b"\x1b]0;x\x07\x1b[2J",
    "no UTF-8": b"\xff\xfe\xe9\x80",
    "records": b"end\t\nfailed\tYQ==\tYg==\n",
    "lines": b"\n\t",
}
_CONFIG = "/etc/containerd/config.toml"
_CERTS = "/etc/containerd/certs.d"
_HOSTS = f"mkdir -p {_CERTS}/a.example; cd {_CERTS}/a.example; "
_SERVER = "echo 'server = \"https://a.example\"' >>hosts.toml"
_COMMENT = f"{{ printf '# '; cat {_TEXT}; echo; }}"
_BACK = f"cp -p /root/config.toml {_CONFIG}; chmod 644 {_CONFIG}"
_COMMENTS = (
    # A config.toml above 256 KiB is refused, whatever is in it.
    Variant("1 MB in a comment of config.toml", f"{_COMMENT} >>{_CONFIG}", _BACK, refused=True),
    Variant(
        "250 kB in a comment of config.toml",
        f"{_COMMENT.replace('cat', 'head -c 250000')} >>{_CONFIG}",
        _BACK,
    ),
    Variant(
        "1 MB in a comment of a hosts.toml",
        f"{_HOSTS}{_COMMENT} >hosts.toml; {_SERVER}",
        f"rm -rf {_CERTS}",
        suites=WITH_FOLDERS,
    ),
)
_FILES = (
    Variant(
        "1 MB in os-release",
        f"rm /etc/os-release; cat /usr/lib/os-release {_TEXT} >/etc/os-release",
        "ln -sfT ../usr/lib/os-release /etc/os-release",
    ),
    Variant(
        "1 MB in a file beside a hosts.toml",
        f"{_HOSTS}cp {_TEXT} note; {_SERVER}",
        f"rm -rf {_CERTS}",
        suites=WITH_FOLDERS,
    ),
    # The folder would come to life with the change, and every pull would fail.
    Variant(
        "1 MB in a certificate",
        f"{_HOSTS}cp {_TEXT} ca.crt",
        f"rm -rf {_CERTS}",
        refused=True,
        suites=WITH_FOLDERS,
    ),
)
_ANSWERS = ("ctr", "crictl", "systemctl", "systemd-run")
_MOMENTS = ("true", "[ -e /var/lib/fleet/pending ]")
# The command says it once, before its own answer: one that always lies is a broken node.
_WRAPPER = """#!/bin/sh
real=/usr/local/bin/{command}
for folder in /usr/bin /bin; do
    [ ! -x "$folder/{command}" ] || real=$folder/{command}
done
if {when} && mkdir /run/lab-acted 2>/dev/null; then
    cat {text} >&{stream}
fi
exec "$real" "$@"
"""


@contextmanager
def _answer(lane: Lane) -> Iterator[None]:
    """Let one command of the node write the text before its own answer, to either stream."""
    command = lane.dice.choice(_ANSWERS)
    wrapper = _WRAPPER.format(
        command=command,
        when=lane.dice.choice(_MOMENTS),
        text=_TEXT,
        stream=lane.dice.choice((1, 2)),
    )
    path = f"{WRAPPERS}/{command}"
    with _changed(
        lane,
        f"rm -rf /run/lab-acted; cat >{path} <<'END'\n{wrapper}END\nchmod 755 {path}",
        f"rm -rf {path} /run/lab-acted",
    ):
        yield


@contextmanager
def _greeting(lane: Lane) -> Iterator[None]:
    """Let the login shell write the text before any command of fleet."""
    line = f"cat {_TEXT} >&{lane.dice.choice((1, 2))}"
    with _changed(
        lane,
        f"cp -a ~ops/.bashrc /root/bashrc; sed -i '1i {line}' ~ops/.bashrc",
        "cp -a /root/bashrc ~ops/.bashrc",
    ):
        yield


@contextmanager
def _record(lane: Lane) -> Iterator[None]:
    """Put the text in the place of fleet's own record on the node."""
    state = "/var/lib/fleet/state.json"
    with _changed(lane, f"cp {state} /root/; cat {_TEXT} >{state}", f"cp /root/state.json {state}"):
        yield
        lane.bring("old")


@contextmanager
def _changed(lane: Lane, change: str, undo: str) -> Iterator[None]:
    lane.node.sh(change)
    try:
        yield
    finally:
        lane.node.sh(undo)


@contextmanager
def somewhere(lane: Lane) -> Iterator[None]:
    """Choose a text, and a field of the node for it."""
    lane.bring("old")
    place = lane.dice.choice((*(_COMMENTS, _FILES) * 2, _answer, _answer, _greeting, _record))
    words = _LINE if place is _COMMENTS else _TEXTS
    piece = words[lane.dice.choice(sorted(words))]
    text = lane.node.root / _TEXT.lstrip("/")
    text.write_bytes(piece * (SIZE // len(piece)))
    with altered(lane, one_of(lane, place)) if isinstance(place, tuple) else place(lane):
        yield


def straight(lane: Lane) -> list[int]:
    """Take the node to its other state, and go on with what the text has stopped."""
    return [answered(lane.start()), *lane.go_on()]


texts = (straight, somewhere)
