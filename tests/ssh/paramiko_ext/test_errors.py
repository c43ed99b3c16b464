"""Failures that Paramiko tells apart by text alone."""

from __future__ import annotations

import logging
import time

import paramiko
import pytest

from fleet.ssh.paramiko_ext.errors import OpenFailures, is_banner_error, is_timeout
from tests.ssh.paramiko_ext.loopback import Login, loopback


def test_a_channel_that_is_not_answered_is_a_timeout() -> None:
    with loopback(Login(hang=frozenset({"channel"}))) as (client, _):
        client.auth_none("ops")
        with pytest.raises(paramiko.SSHException) as caught:
            client.open_session(timeout=0.5)

    assert is_timeout(caught.value)
    assert not is_banner_error(caught.value)


def test_the_reason_of_a_failed_channel_is_kept_with_its_time() -> None:
    failures = OpenFailures()
    log = logging.getLogger("fleet.ssh.open-failures")
    log.addHandler(failures)
    with loopback() as (client, _):
        client.set_log_channel(log.name)
        client.auth_none("ops")
        began = time.monotonic()
        with pytest.raises(paramiko.ChannelException) as caught:
            client.open_channel("direct-tcpip", ("10.0.0.1", 80), ("127.0.0.1", 0), timeout=10)
        ended = time.monotonic()
    log.removeHandler(failures)

    assert (caught.value.code, is_timeout(caught.value)) == (2, False)
    (reason,) = failures.since(began)
    assert reason.endswith(": Connect failed")
    assert failures.since(ended) == set()
