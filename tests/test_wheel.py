"""The wheel holds all that fleet needs, and nothing else; it installs and runs by itself."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fleet import __version__
from tests.conftest import ROOT
from tests.support.pythons import debian_python

UV = Path(sys.executable).with_name("uv")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    subprocess.run([sys.executable, "-m", *map(str, words)], check=True, capture_output=True)
    (built,) = folder.glob("containerd_fleet-*.whl")
    return built


def interpreter(version: str) -> str | None:
    """Return a Python of that release; a machine has seldom all of them."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = next(map(str, kept), None) or shutil.which(f"python{version}")
    if sys.version.startswith(f"{version}."):
        found = sys.executable
    works = found and not subprocess.run([found, "-V"], capture_output=True, check=False).returncode
    return found if works else None


def installed(wheel: Path, folder: Path, python: str) -> Callable[..., str]:
    home = folder / "venv"
    subprocess.run([UV, "venv", "-q", "--python", python, home], check=True)
    env = {**os.environ, "VIRTUAL_ENV": str(home)}
    subprocess.run([UV, "pip", "install", "-q", wheel], check=True, env=env)

    def fleet(*words: str) -> str:
        ran = subprocess.run(
            [home / "bin" / "fleet", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout

    return fleet


def elsewhere(wheel: Path, folder: Path, version: str) -> Callable[..., str]:
    """Install by pip in a Debian that has this Python."""
    run = debian_python(version, folder)
    shutil.copy(wheel, run.root / "root" / wheel.name)
    run(run.python, "-m", "venv", "venv")
    run("venv/bin/pip", "install", "-q", wheel.name)
    return partial(run, "venv/bin/fleet")


def releases() -> list[Any]:
    """Return all releases; a Debian with one that this machine does not have is made by root."""
    return [
        pytest.param(version, marks=() if interpreter(version) else pytest.mark.root)
        for version in VERSIONS
    ]


@pytest.mark.parametrize("version", releases())
def test_the_wheel_installs_into_a_fresh_environment_and_runs(
    wheel: Path, tmp_path: Path, version: str
) -> None:
    found = interpreter(version)
    fleet = installed(wheel, tmp_path, found) if found else elsewhere(wheel, tmp_path, version)

    assert fleet("--version") == f"fleet, version {__version__}\n"
    assert "rollout" in fleet("--help")
    fleet("init", "-q", "--node", "w1", "--mirror", "https://mirror.example")
    assert fleet("check").startswith("ok: ")
    assert "fleet-rollout" in fleet("man", "pages", "--json")


def cpu_seconds(*arguments: str) -> float:
    """Run this Python; return its CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_little_more_work_than_the_import_of_click() -> None:
    """Seconds would measure the machine: a busy one takes three times as many."""
    needed = "import click, dataclasses, ipaddress, json, logging"
    costs = [(cpu_seconds("-m", "fleet", "--help"), cpu_seconds("-c", needed)) for _ in range(5)]

    helped, imported = (min(column) for column in zip(*costs, strict=True))
    assert helped < 2.5 * imported


def test_the_wheel_holds_the_scripts_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "fleet").rglob("*.sh")}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "fleet").rglob("*.py")}
    starter = {
        f"fleet/starter/{name}"
        for name in ("inventory.yaml", "mirrors.yaml", "mirrors.example.yaml")
    }
    templates = {str(path.relative_to(ROOT)) for path in (ROOT / "fleet").rglob("*.j2")}
    assert templates == {"fleet/core/report/templates/report.html.j2"}
    assert scripts | modules | starter | templates <= names
    assert "fleet/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fleet", "containerd_fleet"}
