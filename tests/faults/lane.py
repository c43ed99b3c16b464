"""A lane: one node, one folder of files, and the two states that the node may be found in."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet, Ran

ROOT = Path(__file__).parents[2]
SOAK = 1
GUARD = 8
"""Seconds; short, so that a guard may fire within a try."""
_IN_TIME = ("--guard", "60")
"""For a pass that nothing disturbs: on a busy machine the guard of a try would come too early."""
_DESCRIBE = r"""
find /etc \( -type f -printf '%p file %m %U %G\n' -o -type l -printf '%p link %l\n' \
    -o -type d -printf '%p folder %m %U %G\n' -o -printf '%p special %y %m %U %G\n' \)
find /etc -type f -exec sha256sum {} +
"""
_WELL = """
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    row=$(ctr plugins ls id==cri 2>/dev/null | grep '^io.containerd.grpc.v1 ')
    case $(systemctl is-active containerd)/$row in "active/"*" ok"*) exit 0 ;; esac
    sleep 0.5
done
exit 1
"""
_SSHD = """
mkdir -p /etc/ssh/sshd_config.d
printf 'MaxStartups 4:100:4\\n' >/etc/ssh/sshd_config.d/zz-lab.conf
sshd -T 2>/dev/null | grep -q persourcepenalties &&
    printf 'PerSourcePenalties no\\n' >>/etc/ssh/sshd_config.d/zz-lab.conf
systemctl reload ssh
"""


class UnsettledError(Exception):
    """A node is in neither state, and no command of fleet brings it there."""


@dataclass
class Lane:
    """One node with its own inventory, mirrors and journal; tries run on it one after another."""

    lab: Lab
    node: LabNode
    folder: Path
    fleet: Fleet
    dice: Random = field(default_factory=Random)
    old: tuple[str, ...] = ()
    new: dict[str, tuple[str, ...]] = field(default_factory=dict)
    at: str = "old"
    mirrors: str = "shipped"
    took: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    """More words for a rollout."""
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    came_from: str = "old"
    """The state that the node was in at the beginning of the try."""
    known: str = ""
    """The newest rollout that was in the journal before the try."""
    mark: str = ""
    """The line that a hand has added to a file in the try, if one has."""
    late: bool = False
    """Whether the hand came when the change was confirmed: then it was no part of it."""
    _spoke: Path | None = None

    @property
    def spoke(self) -> Path:
        """Return the folder of the journal that holds the last word of the try."""
        return self._spoke or self.journal

    @spoke.setter
    def spoke(self, folder: Path | None) -> None:
        self._spoke = folder

    # -- the command ---------------------------------------------------------------------------

    def words(self) -> tuple[str, ...]:
        """Return the command that takes the node from its state to the other one."""
        kind = "rollout" if self.at == "old" else "rollback"
        about = ("--batch", "1", "--soak", str(SOAK), "--guard", str(GUARD))
        flags = self.flags if kind == "rollout" else ()
        return (kind, "-y", "--json", "--connect-timeout", "5", *about, *flags)

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Begin to take the node to the other state."""
        running = self.fleet.start(*self.words(), *more)
        self.started.append(running)
        return running

    def stop(self) -> None:
        """End what a try that broke off has left running: the next one finds the journal free."""
        while self.started:
            with self.started.pop() as running:
                if running.poll() is None:
                    running.kill()

    def instant(self, running: subprocess.Popen[str]) -> None:
        """Wait until a random instant of a pass: mostly between its first upload and its end."""
        if self.dice.random() < 0.15:
            time.sleep(self.dice.uniform(0.3, 1.2))
            return
        _staging(running)
        time.sleep(self.dice.uniform(0, self.took[self.at]))

    def go_on(self) -> list[int]:
        """Resume until nothing is left to go on with; return the exit codes.

        A resume that finds nothing to do exits 0, which says nothing of the node: it counts as 2.
        """
        codes = []
        for _ in range(3):
            ran = self.fleet("resume", "-y", "--json", "--connect-timeout", "5")
            nothing = ran.code == 0 and not ran.json["rollout"]
            codes.append(2 if nothing else ran.code)
            if ran.code in {0, 2}:
                break
        return codes

    def go(self, *more: str) -> Ran:
        """Take the node to the other state, undisturbed."""
        return self.fleet(*self.words(), *more)

    # -- the node ------------------------------------------------------------------------------

    def state(self) -> tuple[str, ...]:
        """Describe every file, link and folder below /etc as the node itself sees them."""
        return tuple(sorted(self.node.sh(_DESCRIBE).stdout.splitlines()))

    def well(self) -> bool:
        """Say whether containerd runs and its CRI plugin is ok, within ten seconds."""
        return self.node.sh(_WELL, check=False).returncode == 0

    def quiet(self) -> bool:
        """Wait until no change is pending on the node: a guard may have to fire."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            if self.node.sh("[ ! -e /var/lib/fleet/pending ]", check=False).returncode == 0:
                return True
            time.sleep(0.5)
        return False

    def left(self) -> list[str]:
        """Name what fleet has left below /run, once the scripts of a killed run had time to end."""
        until = time.monotonic() + 20
        while True:
            listed = self.node.sh("ls /run/fleet | grep -v mutex", check=False)
            if not listed.stdout or time.monotonic() > until:
                return listed.stdout.split()
            time.sleep(0.5)

    def holder(self) -> str:
        """Return the id of the rollout that holds the node, if any does."""
        held = self.node.sh("head -n 1 /run/fleet/lock 2>/dev/null", check=False)
        return held.stdout.strip()

    def where(self) -> str:
        """Return which state the node is in: old, new, or what differs from the nearer one."""
        now = self.state()
        if now == self.old:
            return "old"
        if now == self.new.get(self.mirrors):
            return "new"
        known = [self.old, self.new.get(self.mirrors, ())]
        nearest = min((set(now) ^ set(each) for each in known), key=len)
        return "lost: " + " | ".join(sorted(nearest)[:6])

    # -- the beginning -------------------------------------------------------------------------

    def prepare(self) -> None:
        """Learn both states and how long a pass takes between them."""
        self.node.sh(_SSHD)
        self.old = self.state()
        self.learn("shipped")

    def learn(self, mirrors: str, *more: str) -> None:
        """Learn what a mirrors.yaml makes of the node; it is old before and after."""
        if mirrors in self.new:
            return
        self.mirrors, self.at = mirrors, "old"
        for name in ("new", "old"):
            running = self.start(*_IN_TIME, *more)
            said = _staging(running)
            began = time.monotonic()
            out, told = running.communicate(timeout=240)
            if running.returncode != 0:
                code = running.returncode
                raise UnsettledError(f"{self.node.name}: exit code {code}: {said}{out}{told}")
            self.took[self.at] = time.monotonic() - began
            if name == "new":
                self.new[mirrors] = self.state()
            self.at = name
        if self.state() != self.old:
            raise UnsettledError(f"{self.node.name}: a rollback left other bytes")

    def bring(self, wanted: str) -> None:
        """Bring the node to a state, undisturbed."""
        if self.at != wanted:
            ran = self.go(*_IN_TIME)
            if ran.code != 0:
                raise UnsettledError(f"{self.node.name}: {ran.text}")
            self.at = self.where()
        if self.at != wanted:
            raise UnsettledError(f"{self.node.name}: {self.at}")

    @property
    def journal(self) -> Path:
        """Return the folder of the lane's journal."""
        return self.folder / ".fleet"


def _staging(running: subprocess.Popen[str]) -> str:
    """Read what fleet tells until it begins to stage, or ends."""
    assert running.stderr is not None
    said = []
    for line in running.stderr:
        said.append(line)
        if line.startswith("[stage]"):
            break
    return "".join(said)


def open_lane(lab: Lab, node: LabNode, folder: Path) -> Lane:
    """Lay the files of a lane: the shipped mirrors, and an inventory of one node."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "mirrors.yaml", folder / "mirrors.yaml")
    hosts = {node.name: {"host": node.address}}
    inventory = {"all": {"vars": {"user": "ops", "become": True}, "hosts": hosts}}
    (folder / "inventory.yaml").write_text(json.dumps(inventory))
    return Lane(lab, node, folder, Fleet(folder, str(lab.ssh_config)))


Work = Callable[[Lane], list[int]]
"""What a fault does to a lane; it returns the exit codes of fleet in their order."""
