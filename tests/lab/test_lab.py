"""The lab leaves nothing behind, says what it needs, and its flaky mirror does as it is told."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.lab import IMAGES, Lab, network
from tests.lab.host import cgroup_processes, cgroup_root, kill, lab_name, state_folder
from tests.lab.images import repository

pytestmark = pytest.mark.node


def left_behind() -> Iterator[str]:
    """Yield everything on this machine that is the lab's."""
    spaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    yield from (line for line in spaces.splitlines() if line.startswith(network.namespace("")))
    links = (path.name for path in Path("/sys/class/net").iterdir())
    yield from (
        name
        for name in links
        if re.fullmatch(rf"{network.BRIDGE}|{network.link_name('.')}\d+", name)
    )
    mounts = Path("/proc/mounts").read_text().splitlines()
    yield from (line for line in mounts if f"{state_folder()}/" in line)
    yield from (str(path) for path in (state_folder(), cgroup_root() / lab_name()) if path.exists())
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{state_folder()}/".encode() in process.read_bytes():
                yield str(process)
        except OSError:
            continue


def test_down_leaves_nothing_also_after_a_crash(lab: Lab) -> None:
    before = list(left_behind())
    Lab.up(4)
    again = list(left_behind())
    Lab.down()
    clean = list(left_behind())

    Lab.up(2, ("bookworm", "forky"))
    for pid in cgroup_processes(cgroup_root() / lab_name() / "bookworm1"):
        kill(pid)
    (state_folder() / "state.json").unlink()
    crashed = list(left_behind())
    Lab.up(4)
    healed = {name: node.sh("id -un").stdout for name, node in Lab.load().nodes.items()}
    Lab.down()
    Lab.down()

    assert before == again
    assert len(before) > 10
    assert clean == []
    assert len(crashed) > 5
    assert healed == dict.fromkeys(lab.nodes, "root\n")
    assert list(left_behind()) == []


def test_without_root_it_says_so_in_one_sentence() -> None:
    # A stranger may not be able to read this checkout, so the user id alone is another one.
    code = "import os, runpy, sys; os.geteuid = lambda: 65534; sys.argv = ['lab', 'status']; "
    code += "runpy.run_module('tests.lab', run_name='__main__')"

    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 2
    assert ran.stderr == "lab: the lab boots real nodes, so it needs root: run it with sudo\n"


def fetch(address: str, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(address, 80, timeout=10)) as connection:
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        connection.request("GET", path, headers={"Accept": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_the_registry_holds_an_image_for_every_registry(lab: Lab) -> None:
    assert len(IMAGES) == 11
    for reference in IMAGES.values():
        path, tag = repository(reference)
        assert fetch(network.REGISTRY, f"/v2/{path}/manifests/{tag}")[0] == 200


MODES = {"ok": 200, "404": 404, "401": 401, "500": 500, "403-blobs": 200, "stale": 200}


@pytest.mark.parametrize(("mode", "status"), MODES.items(), ids=list(MODES))
def test_the_flaky_mirror_does_as_it_is_told(lab: Lab, mode: str, status: int) -> None:
    manifest = "/v2/library/busybox/manifests/1.36"
    lab.flaky.mode("ok")
    _, good = fetch(network.FLAKY, manifest)

    lab.flaky.mode(mode)
    found, body = fetch(network.FLAKY, manifest)
    digest = re.findall(rb"sha256:[0-9a-f]{64}", good)[0].decode()
    blob, _ = fetch(network.FLAKY, f"/v2/library/busybox/blobs/{digest}")
    lab.flaky.mode("ok")

    assert found == status
    assert (body == good) == (mode in {"ok", "403-blobs"})
    assert blob == (403 if mode == "403-blobs" else status)
