"""Connections are made by many workers at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest

from fleet.ssh.paramiko_ext.fabric import wrap_transport


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_workers_that_connect_at_the_same_instant_do_not_meet_in_fabrics_settings() -> None:
    transport = object.__new__(paramiko.Transport)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: wrap_transport(transport, "h", "ops", 22).port, range(200)))

    assert made == [22] * 200
