"""The wheel holds all that fleet needs, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT


def test_the_wheel_holds_the_scripts_and_no_tests(tmp_path: Path) -> None:
    words = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT)

    subprocess.run([sys.executable, "-m", *map(str, words)], check=True, capture_output=True)

    (wheel,) = tmp_path.glob("fleet-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    scripts = {f"fleet/node/scripts/{path.name}" for path in (ROOT / "fleet").rglob("*.sh")}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "fleet").rglob("*.py")}
    starter = {f"fleet/starter/{name}" for name in ("inventory.yaml", "mirrors.yaml")}
    assert scripts | modules | starter <= names
    assert any(name.endswith("/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fleet"}
