"""A change of plain files, as the node-side code gets it from fleet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fleet.node.bundle import MARK, pack
from tests.node.scripts.shell import HOOKS, Done, Shell, digest

SAVE = "mkdir -p $STAGE; generation_save\n"
"""The code that saves a generation."""
SWAP = "mv $PENDING.tmp $PENDING; prepare_files; swap_all\n"
"""The code that swaps the files of a saved change."""
PARTS = "generation prepare swap compare restore stale revert"


class FileChange:
    """A change below a private folder: each path with its content before and after, or None."""

    def __init__(self, shell: Shell, files: Mapping[str, tuple[str | None, str | None]]) -> None:
        self.shell = shell
        self.files = files
        self.folder = shell.folder / "etc"
        self.folder.mkdir()
        for name, (before, _) in files.items():
            if before is not None:
                self.path(name).parent.mkdir(parents=True, exist_ok=True)
                self.path(name).write_text(before)
                self.path(name).chmod(0o640)

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return self.folder / name

    def run(self, code: str, **more: str) -> Done:
        """Run code with all variables that a change has."""
        written = (after.encode() for _, after in self.files.values() if after is not None)
        variables = {
            **{"ID": "r1", "MODE": "activate", "OPERATOR": "me", "UNIT": "containerd", **HOOKS},
            **{"CONFIGS": "", "EMPTIED": "", "SAVED": "", "LINKS": "", "CHECKS": ""},
            **{"LIVENESS": "", "ILL": "", "ill_then": "", "MARK": MARK.decode()},
            "content": pack((*written, b"guard\n")).decode(),
            "OPERATIONS": "\n".join(self._operation(name) for name in self.files),
        }
        return self.shell.run(PARTS, code, **{**variables, **more})

    def _operation(self, name: str) -> str:
        before, after = (None if text is None else digest(text) for text in self.files[name])
        if after is None:
            fields = ["delete", "-", "-", "-", before or "-", "-"]
        else:
            owner = [str(os.getuid()), str(os.getgid())]
            fields = ["update" if before else "create", "644", *owner, before or "-", after]
        return "\t".join((*fields, str(self.path(name))))

    def there(self) -> dict[str, str]:
        """Return the content of every file below the folder."""
        return {
            str(path.relative_to(self.folder)): path.read_text()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    @property
    def before(self) -> dict[str, str]:
        """Return what was there before the change."""
        return {name: text for name, (text, _) in self.files.items() if text is not None}

    @property
    def after(self) -> dict[str, str]:
        """Return what the change writes."""
        return {name: text for name, (_, text) in self.files.items() if text is not None}

    def manifest(self) -> list[list[str]]:
        """Return the lines of the saved generation's manifest."""
        text = (self.shell.state / "generations/r1/manifest").read_text()
        return [line.split("\t") for line in text.splitlines()]


FILES = {
    "config.toml": ("old\n", "new\n"),
    "certs.d/docker.io/hosts.toml": (None, "server\n"),
    "certs.d/quay.io/hosts.toml": ("quay\n", None),
}
"""One file that is updated, one in a folder of its own that is created, one that is deleted."""
