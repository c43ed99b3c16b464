"""Home folders in paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.home import expanded

PATHS = {
    "the user's home": ("~/x", "/home/eve/x"),
    "the home alone": ("~", "/home/eve"),
    "an unknown user's": ("~no-such-user-4711/x", "~no-such-user-4711/x"),
    "a tilde inside": ("a/~/x", "a/~/x"),
    "an absolute path": ("/a/b", "/a/b"),
    "a relative path": ("a/b", "a/b"),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_a_tilde_at_the_beginning_is_a_home(
    monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/eve")

    assert expanded(path) == Path(expected)
    assert expanded(Path(path)) == Path(expected)
