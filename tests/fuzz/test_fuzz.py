"""2,000 mutated inputs a run: nothing escapes its node, and nothing takes longer than a second.

The seed is new in every run and named by what fails; FLEET_FUZZ_SEED and FLEET_FUZZ_CASES set both.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.fuzz import readers
from tests.fuzz.answers import HOSTS, HOSTS_TOML, REGISTRIES_YAML, odd_answer
from tests.fuzz.mutate import mutated, mutated_toml
from tests.golden.inputs import CONFIG, STARTS

SEED = os.environ.get("FLEET_FUZZ_SEED") or secrets.token_hex(4)
CASES = int(os.environ.get("FLEET_FUZZ_CASES", "2000"))
_SECONDS = 1.0
"""Processor time of one case."""
_HANGS = 20
"""Seconds after which a case is ended, on a machine with other work."""
_VERSIONS = ("1.2.14", "1.4.13", "1.5.18", "1.6.20", "1.7.24", "2.0.5", "2.1.4", "2.2.0", "2.3.0")
_ROOT = Path(__file__).parents[2]
_CERTS = HOSTS.rpartition("/docker.io/")[0]
_CONFIG = f'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "{_CERTS}"\n'
_KUBESPRAY = """containerd_registries_mirrors:
  - prefix: docker.io
    mirrors:
      - {host: "https://m.example", capabilities: [pull], skip_verify: false}
containerd_registry_auth: [{registry: m.example, username: u, password: p}]
"""
_KUBECTL = """{"kind": "List", "items": [{"kind": "Node", "metadata": {"name": "a", "labels":
{"node-role.kubernetes.io/worker": ""}}, "status": {"addresses": [{"type": "InternalIP",
"address": "10.0.0.1"}], "nodeInfo": {"operatingSystem": "linux"}}}]}"""
_INI = "[all]\na ansible_host=10.0.0.1 ansible_port=22\n[w:children]\nx\n[x:vars]\nuser=ops\n"


def _answer(dice: random.Random) -> None:
    readers.read_answer(odd_answer(dice), dice.choice(readers.WISHES))


def _config(dice: random.Random) -> None:
    start = {path: text.encode() for path, text in dice.choice(tuple(STARTS.values())).items()}
    path = dice.choice((CONFIG, *start))
    files = {**start, HOSTS: HOSTS_TOML, path: _odd(start.get(path, b"version = 2\n"), dice)}
    readers.read_files(files, dice.choice(_VERSIONS), "", dice.choice(readers.WISHES))


def _hosts(dice: random.Random) -> None:
    start = (
        f'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "{_CERTS}"'
    )
    files = {CONFIG: start.encode(), HOSTS: _odd(HOSTS_TOML, dice)}
    readers.read_files(files, dice.choice(_VERSIONS), "", dice.choice(readers.WISHES))


def _odd(text: bytes, dice: random.Random) -> bytes:
    try:
        return mutated_toml(text, dice)
    except ValueError:
        return mutated(text, dice)


def _yaml(dice: random.Random) -> None:
    """Mutate one of the files that users write, or the registries.yaml of a node."""
    kind = dice.randrange(5)
    if kind == 0:
        owner = dice.choice(("k3s", "rke2"))
        files = {f"/etc/rancher/{owner}/registries.yaml": mutated(REGISTRIES_YAML, dice)}
        readers.read_files(files, dice.choice(_VERSIONS), owner, dice.choice(readers.WISHES))
        return
    text = {
        1: (_ROOT / "inventory.yaml").read_text(),
        2: (_ROOT / "mirrors.yaml").read_text(),
        3: dice.choice((_KUBECTL, _INI)),
        4: _KUBESPRAY,
    }[kind]
    read = readers.read_inventory if kind in {1, 3} else readers.read_mirrors
    read(mutated(text.encode(), dice).decode("utf-8", "replace"))


KINDS = {"answer": _answer, "config": _config, "hosts": _hosts, "yaml": _yaml}


class HungError(BaseException):
    """A case that was ended; no reader may catch it."""


@contextmanager
def ended_late() -> Iterator[None]:
    """End what hangs."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise HungError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def tried(case: Callable[[random.Random], None], name: str) -> str:
    """Try one case; return what is wrong with it."""
    began = time.process_time()
    try:
        with ended_late():
            case(random.Random(name))
    except HungError:
        return f"{name}: hung"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"{name}: {type(error).__name__}: {str(error)[:200]}"
    seconds = time.process_time() - began
    return f"{name}: took {seconds:.1f} s" if seconds > _SECONDS else ""


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_escapes_and_nothing_takes_long(kind: str) -> None:
    names = (f"{SEED}-{kind}-{number}" for number in range(CASES // len(KINDS)))

    assert [wrong for name in names if (wrong := tried(KINDS[kind], name))] == []


def test_what_escapes_or_hangs_is_seen() -> None:
    def escape(dice: random.Random) -> None:
        raise TypeError(str(dice)[:1])

    def work(dice: random.Random) -> None:
        end = time.process_time() + _SECONDS + 0.1
        while time.process_time() < end:
            dice.random()

    assert tried(escape, "a") == "a: TypeError: <"
    assert tried(work, "b").startswith("b: took 1.")
