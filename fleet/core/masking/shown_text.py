"""Text that is safe to show on a terminal: outputs and unified diffs without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleet.core.masking import Mark, free_text, masked_file
from fleet.core.model.change import Change, ManagedFile
from fleet.core.text.line_diff import diff_lines
from fleet.errors import printable


def tail(text: str, lines: int = 20) -> str:
    """Return the last lines of a node's output, without secrets and control characters."""
    return printable("\n".join(free_text(text.strip()).splitlines()[-lines:]))


def unified_diff(change: Change, mark: Mark) -> str:
    """Return a unified diff of one path, masked and printable; a missing file is /dev/null."""
    before = _text_of(change.path, change.before, mark)
    after = _text_of(change.path, change.after, mark)
    names = (
        "/dev/null" if change.before is None else change.path,
        "/dev/null" if change.after is None else change.path,
    )
    return "\n".join((*diff_lines(before, after, names), *_mode_change(change)))


def _mode_change(change: Change) -> Iterator[str]:
    """Yield a line for a changed mode, which a diff of lines does not show."""
    old, new = change.before, change.after
    if old is not None and new is not None and old.mode != new.mode and not (old.link or new.link):
        yield f"mode {old.mode:o} -> {new.mode:o}"


def _text_of(path: str, file: ManagedFile | None, mark: Mark) -> list[str]:
    if file is None:
        return []
    if file.link:
        lines = _text_of(path, replace(file, link=""), mark)
        return [printable(f"(a symbolic link to {file.link})"), *lines]
    if file.secret and path.endswith(".pem"):
        return [f"(a secret of {len(file.content)} bytes, {mark(file.digest)})"]
    text = file.content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return printable(masked_file(path, text, mark)).splitlines()
