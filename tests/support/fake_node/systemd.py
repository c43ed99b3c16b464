"""A scripted systemd: the state of containerd's unit, and timers by a clock that a test moves."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.fake_node.commands import Answer
from tests.support.fake_node.containerd import Containerd

UNIT = "containerd"
_TRANSIENT = "/run/systemd/transient"
_DONE = Answer()


@dataclass(slots=True)
class _Timer:
    """A transient timer: it runs `command` when due, and again `interval` seconds after a run."""

    due: float
    interval: float
    command: tuple[str, ...]


class Systemd:
    """The units and timers of a fake node; `run` runs a command inside and waits for it."""

    def __init__(self, containerd: Containerd, run: Callable[[tuple[str, ...]], None]) -> None:
        self._containerd = containerd
        self._run = run
        self._failed = False
        self._restarts = 0
        self._now = 0.0
        self._timers: dict[str, _Timer] = {}
        self._lock = threading.Lock()
        self.reloads = 0

    def boot(self) -> None:
        """Start the unit as at boot; drop the timers of the previous boot."""
        self._timers.clear()
        self._start()

    def shut_down(self) -> None:
        """Stop the unit, as before a reboot."""
        self._containerd.stop()

    def pass_time(self, seconds: float) -> None:
        """Move the clock forward; run each timer as the clock reaches it."""
        until = self._now + seconds
        while (timer := self._next_due(until)) is not None:
            self._now = max(self._now, timer.due)
            self._run(timer.command)
            timer.due = self._now + timer.interval
        self._now = until

    def _next_due(self, until: float) -> _Timer | None:
        with self._lock:
            due = [timer for timer in self._timers.values() if timer.due <= until]
        return min(due, key=lambda timer: timer.due, default=None)

    # -- the unit ----------------------------------------------------------------------------

    def _start(self) -> str:
        error = self._containerd.start()
        self._failed = bool(error)
        return error

    def _restart(self) -> Answer:
        self._containerd.stop()
        if not self._start():
            return _DONE
        message = (
            f"Job for {UNIT}.service failed because the control process exited with error code.\n"
        )
        return Answer(stderr=message, code=1)

    @property
    def _states(self) -> tuple[str, str, str]:
        """Return the unit's active state, its sub state and the result of its last run."""
        if self._containerd.pid:
            return "active", "running", "success"
        if self._failed:
            return "activating", "auto-restart", "exit-code"
        return "inactive", "dead", "success"

    def _properties(self) -> dict[str, str]:
        active, sub, result = self._states
        return {
            "LoadState": "loaded",
            "ActiveState": active,
            "SubState": sub,
            "Result": result,
            "MainPID": str(self._containerd.pid),
            "NRestarts": str(self._restarts),
            "ExecMainStartTimestampMonotonic": str(int(self._containerd.started * 1e6)),
            "FragmentPath": f"/usr/lib/systemd/system/{UNIT}.service",
            "KillMode": "process",
            "Delegate": "yes",
        }

    # -- the commands ------------------------------------------------------------------------

    def systemctl(self, arguments: list[str]) -> Answer:
        """Answer `systemctl`."""
        names = [word for word in arguments[1:] if not word.startswith("-")]
        match arguments:
            case ["daemon-reload"]:
                self.reloads += 1
                return _DONE
            case ["show", unit, *words] if _is_unit(unit):
                return Answer(self._show(words))
            case ["is-active", *_]:
                active = [_is_unit(name) and self._states[0] == "active" for name in names]
                lines = "".join("active\n" if is_up else "inactive\n" for is_up in active)
                return Answer(lines, 0 if all(active) else 3)
            case ["restart", unit] if _is_unit(unit):
                return self._restart()
            case ["start", unit] if _is_unit(unit):
                return _DONE if self._containerd.pid else self._restart()
            case ["stop", unit] if _is_unit(unit):
                self._containerd.stop()
                self._failed = False
                return _DONE
            case ["reset-failed", *_]:
                return _DONE
            case ["stop", *_]:
                self._stop_timers(names)
                return _DONE
            case ["list-timers", *_]:
                return Answer("".join(f"{name}.timer\n" for name in self._timers))
            case _:
                message = f"systemctl: the fake node has no answer to {arguments}\n"
                return Answer(stderr=message, code=125)

    def _show(self, words: list[str]) -> str:
        requested = {word.removeprefix("-p") for word in words} - {""}
        return "".join(
            f"{key}={value}\n" for key, value in self._properties().items() if key in requested
        )

    def _stop_timers(self, patterns: list[str]) -> None:
        with self._lock:
            stopped = [
                f"{name}.timer"
                for name in self._timers
                if any(fnmatch.fnmatch(f"{name}.timer", pattern) for pattern in patterns)
            ]
            for unit in stopped:
                del self._timers[unit.removesuffix(".timer")]
        if stopped:
            self._run(("rm", "-f", *(f"{_TRANSIENT}/{unit}" for unit in stopped)))

    def systemd_run(self, arguments: list[str]) -> Answer:
        """Answer `systemd-run` for a transient timer."""
        words = list(arguments)
        flags: dict[str, str] = {}
        while words and words[0].startswith("-"):
            flag, _, value = words.pop(0).partition("=")
            flags[flag] = value or (words.pop(0) if flag == "--unit" else "")
        name = flags["--unit"]
        with self._lock:
            if name in self._timers:
                message = f"Failed to start transient timer unit: Unit {name}.timer exists.\n"
                return Answer(stderr=message, code=1)
            due = self._now + float(flags["--on-active"])
            self._timers[name] = _Timer(due, float(flags["--on-unit-inactive"]), tuple(words))
        text = f"[Timer]\\nOnActiveSec={flags['--on-active']}s\\n"
        unit = f"{_TRANSIENT}/{name}.timer"
        self._run(("sh", "-c", f"mkdir -p {_TRANSIENT}; printf '{text}' >{unit}"))
        return _DONE

    def journalctl(self, arguments: list[str]) -> Answer:
        """Answer `journalctl` with the last lines of the daemon's log."""
        del arguments
        return Answer("".join(f"{line}\n" for line in self._containerd.log[-12:]))


def _is_unit(name: str) -> bool:
    return name.removesuffix(".service") == UNIT
