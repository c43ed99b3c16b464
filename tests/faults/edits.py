"""Faults by other hands: files that are edited in the moments of a change and of its way back."""

from __future__ import annotations

import time

from tests.faults.broken import end
from tests.faults.lane import Lane, Work
from tests.support.hands import acted, acting

CONFIG = "/etc/containerd/config.toml"
_IN_PLACE = "echo '{mark}' >>{path}"
_BY_RENAME = (
    "{{ cat {path}; echo '{mark}'; }} >{path}.tmp && chmod --reference {path} {path}.tmp"
    " && PATH=/usr/bin:/bin mv -fT {path}.tmp {path}"
)
# An edit so shortly before the confirmation may come before the last look, or after it.
_EITHER = 0.5


def _edit(lane: Lane, path: str) -> str:
    """Return a shell command that edits a file as editors do: in its place, or by a rename."""
    lane.mark = f"# by hand {lane.dice.randrange(1 << 40)}"
    return lane.dice.choice((_IN_PLACE, _BY_RENAME)).format(mark=lane.mark, path=path)


def take_out(lane: Lane) -> bool:
    """Take the edit of a try out of its file; return False where its bytes are nowhere any more."""
    found = lane.node.sh(
        f"grep -rlF '{lane.mark}' /etc/containerd /var/lib/fleet/generations; true"
    ).stdout.split()
    for path in found:
        if path.startswith("/etc/"):
            lane.node.sh(f"sed -i '/^{lane.mark}$/d' {path}")
    return bool(found)


def at_any_instant(lane: Lane) -> list[int]:
    """Edit the config at a random instant after it was read."""
    running = lane.start()
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("probe 1/1"):
            break
    time.sleep(lane.dice.uniform(0, lane.took[lane.at] + 1))
    edited = float(lane.node.sh(f"{_edit(lane, CONFIG)}; date +%s.%N").stdout)
    codes = [end(running)]
    ended = float(lane.node.sh("stat -c %.Z /var/lib/fleet/last || echo 0", check=False).stdout)
    lane.late = edited > ended - _EITHER
    return codes


def in_the_soak(lane: Lane) -> list[int]:
    """Edit one of the files that are in force, before the change is confirmed."""
    running = lane.start("--soak", "3", "--guard", "30")
    while lane.node.sh("grep swapped /var/lib/fleet/pending/phase", check=False).returncode:
        if running.poll() is not None:
            return [end(running)]
    paths = lane.node.sh("find /etc/containerd -name '*.toml'").stdout.split()
    lane.node.sh(_edit(lane, lane.dice.choice(sorted(paths))))
    return [end(running)]


def _acting(command: str, pattern: str, work: Work) -> Work:
    """Return a fault whose edit a command on the node makes just before it runs."""

    def edited(lane: Lane) -> list[int]:
        with acting(lane.node, command, pattern, _edit(lane, CONFIG)):
            codes = work(lane)
            lane.quiet()
            if not acted(lane.node):
                raise AssertionError(f"no {command} {pattern} was seen")
        return codes

    return edited


def _straight(lane: Lane) -> list[int]:
    return [end(lane.start())]


def left_to_its_guard(lane: Lane) -> list[int]:
    """Kill fleet while a change is in force; its guard takes it back."""
    running = lane.start("--soak", "3")
    while lane.node.sh("grep swapped /var/lib/fleet/pending/phase", check=False).returncode:
        if running.poll() is not None:
            break
    running.kill()
    return [end(running)]


in_the_swap = _acting("mv", f"*{CONFIG}", _straight)
in_the_way_back = _acting("mv", f"*.back*{CONFIG}", left_to_its_guard)
