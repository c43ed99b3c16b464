"""Tests stand where their module stands: one look finds the test of a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import fleet

SOURCE, TESTS = Path(fleet.__file__).parent, Path(__file__).parent
MIRRORED = ("config", "core", "journal")
"""Packages of which every module has a test file of its own."""


def modules(package: str) -> list[Path]:
    """Return the modules of a package, relative to the source tree."""
    paths = (SOURCE / package).rglob("*.py")
    return sorted(path.relative_to(SOURCE) for path in paths if path.name != "__init__.py")


@pytest.mark.parametrize("package", MIRRORED)
def test_every_module_has_a_test_file_in_the_same_place(package: str) -> None:
    paths = modules(package)

    missing = [path for path in paths if not (TESTS / path.with_name(f"test_{path.name}")).exists()]
    assert paths
    assert missing == []
