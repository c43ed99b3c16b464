"""The client's transport in real handshakes: the values it reads, and its ends."""

from __future__ import annotations

import socket
import time

import paramiko
import pytest

from fleet.ssh.paramiko_ext.errors import is_banner_error
from fleet.ssh.paramiko_ext.transport import ClientTransport, implemented_algorithms
from tests.ssh.paramiko_ext.loopback import HOST_KEY, loopback


def test_the_servers_lists_are_recorded_not_the_clients() -> None:
    with loopback() as (client, server):
        offered, options = client.server_algorithms, server.get_security_options()
        assert client.get_remote_server_key().asbytes() == HOST_KEY.asbytes()

    assert offered is not None
    for names, ours in (
        ("kex_algo_list", options.kex),
        ("client_encrypt_algo_list", options.ciphers),
        ("server_encrypt_algo_list", options.ciphers),
        ("client_mac_algo_list", options.digests),
        ("server_mac_algo_list", options.digests),
    ):
        assert set(ours) <= set(offered[names])
    assert offered["server_key_algo_list"] == ["ecdsa-sha2-nistp256"]


def test_what_is_implemented_is_more_than_what_is_offered_and_can_be_set() -> None:
    able = implemented_algorithms()
    with loopback() as (client, _):
        options = client.get_security_options()
        for offered, names in (
            (options.kex, able.kex),
            (options.ciphers, able.ciphers),
            (options.digests, able.macs),
            (options.key_types, able.host_keys),
        ):
            assert set(offered) <= set(names)
        options.kex, options.ciphers = tuple(able.kex), tuple(able.ciphers)
        options.digests, options.key_types = tuple(able.macs), tuple(able.host_keys)


def test_the_text_before_the_version_is_recorded() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"Exceeded MaxStartups\r\n")
        theirs.shutdown(socket.SHUT_WR)
        client = ClientTransport(ours, 5)
        with pytest.raises(paramiko.SSHException) as caught:
            client.exchange_keys(10)
        client.close()

    assert client.text_before_version == "Exceeded MaxStartups"
    assert is_banner_error(caught.value)


def test_a_silent_server_ends_at_the_deadline_as_a_bad_banner() -> None:
    ours, theirs = socket.socketpair()
    began = time.monotonic()
    with ours, theirs:
        client = ClientTransport(ours, 0.5)
        with pytest.raises(paramiko.SSHException) as caught:
            client.exchange_keys(10)
        client.close()

    assert is_banner_error(caught.value)
    assert 0.4 < time.monotonic() - began < 5


def test_a_handshake_that_does_not_finish_is_a_timeout() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"SSH-2.0-silent\r\n")
        client = ClientTransport(ours, 20)
        with pytest.raises(TimeoutError):
            client.exchange_keys(0.5)
        client.close()


def test_a_close_ends_a_reader_that_waits() -> None:
    with loopback() as (client, _):
        client.sock.settimeout(10)
        time.sleep(0.3)  # until the reader waits with the new timeout
        began = time.monotonic()
        client.close()
        client.join(5)

        assert not client.is_alive()
        assert time.monotonic() - began < 2
