"""The session of an action: it asks once, and knows which secrets must not be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.actions.session import Session
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.node.script import Privilege
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.support.scripted_pool import ScriptedPool, Watcher

NODES = (Node(name="a", host="a"),)
OPENED = SshSettings(passphrases=(("id", Secret("sesame")),))


class Keyholder(Watcher):
    def unlock_keys(self, ssh: SshSettings, nodes: Sequence[Node]) -> SshSettings:
        self.shown.append(" ".join(node.name for node in nodes))
        return OPENED


def test_passphrases_are_asked_for_once() -> None:
    user = Keyholder()
    session = Session(access=Access(), pool=ScriptedPool(), ui=user)

    ready = session.ready(NODES).ready(NODES)

    assert user.shown == ["a"]
    assert ready.access.ssh == OPENED


def test_secrets_are_the_passphrases_and_the_sudo_password() -> None:
    access = Access(ssh=OPENED, privilege=Privilege(password=Secret("hunter22")))

    assert Session(access=access, pool=ScriptedPool()).secrets() == {"sesame", "hunter22"}


def test_connections_stay_open_if_the_pool_keeps_them() -> None:
    keeping = ScriptedPool(keeps_connections=True)
    session = Session(access=Access(), pool=keeping)
    other = replace(session, pool=ScriptedPool())

    assert session.reusing_connections().access.reuse_connection
    assert not other.reusing_connections().access.reuse_connection
