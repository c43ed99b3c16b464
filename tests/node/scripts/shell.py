"""Runs of library code in the shells that nodes have, on files of a private folder tree."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fleet.core.failure import Step
from fleet.node.script import Reply, parse_reply
from tests.node.scripts.shell_code import library

HOOKS = {"ON_FAILURE": "stop", "ON_FINISH": "stop"}
"""The variables of `steps` for code that ends at its failure."""
_STOP = "stop() { exit 3; }\n"


@dataclass(frozen=True)
class Done:
    """A shell that has ended."""

    code: int
    output: str
    errors: str

    @property
    def reply(self) -> Reply:
        """Return the records among the output."""
        return parse_reply(Step.RUN, 0, f"hello\t=0\n{self.output}end\t\n", "")

    @property
    def failure(self) -> tuple[str, str, str]:
        """Return kind, step and message of the failure that was reported."""
        values = self.reply.value
        return values("failure"), values("failed_step"), values("message")


@dataclass(frozen=True)
class Shell:
    """One shell, and the folder in which fleet's own folders on a node have their place."""

    name: str
    folder: Path

    @property
    def state(self) -> Path:
        """Return the folder for /var/lib/fleet."""
        return self._make("lib")

    @property
    def run_folder(self) -> Path:
        """Return the folder for /run/fleet."""
        return self._make("run")

    @property
    def units(self) -> Path:
        """Return the folder for systemd's units."""
        return self._make("units")

    def _make(self, name: str) -> Path:
        place = self.folder / f".{name}"
        place.mkdir(exist_ok=True)
        return place

    def stand_in(self, name: str, body: str) -> None:
        """Put a program of that name before all others; each call of it is noted in `calls`."""
        program = self._make("bin") / name
        note = f'printf "%s\\n" "{name} $*" >>{self.folder}/.calls\n'
        program.write_text(f"#!/bin/sh\n{note}{body}\n")
        program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """Return the calls of all stand-ins."""
        noted = self.folder / ".calls"
        return noted.read_text().splitlines() if noted.exists() else []

    def run(self, parts: str, code: str, **variables: str) -> Done:
        """Run code behind the named parts of the library; variables are set before them."""
        places = {
            "/var/lib/fleet": str(self.state),
            "/run/fleet": str(self.run_folder),
            "/etc/systemd/system": str(self.units),
        }
        text = library(*parts.split())
        for place, ours in places.items():
            text = text.replace(place, ours)
        names = "".join(f'{name}="${name}"\n' for name in variables)
        words = {"dash": ["dash"], "bash": ["bash", "--posix"]}[self.name]
        done = subprocess.run(
            [*words, "-c", f"set -u\n{names}{_STOP}{text}\n{code}\n", "sh"],
            cwd=self.folder,
            env={"PATH": f"{self._make('bin')}:{os.environ['PATH']}", "LC_ALL": "C", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def output(self, parts: str, code: str, **variables: str) -> str:
        """Run code that must not fail or complain, and return its output."""
        done = self.run(parts, code, **variables)
        assert (done.code, done.errors) == (0, "")
        return done.output


def digest(content: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return sha256(content.encode()).hexdigest()
