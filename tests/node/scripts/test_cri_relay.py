"""lib/cri_relay.sh: a node that lacks what the relay needs."""

from __future__ import annotations

from tests.node.scripts.shell import Shell


def test_a_program_that_is_missing_is_named(shell: Shell) -> None:
    code = 'command() { [ "$2" = bash ]; }\ncri_relay_run; echo further'

    done = shell.run("cri_relay", code, SOCKET="/run/x.sock", PULSE="")

    assert (done.code, done.reply.value("missing")) == (0, "ip")
    assert "further" not in done.output


def test_the_relay_runs_in_a_network_of_its_own(shell: Shell) -> None:
    for name in ("unshare", "ip", "systemd-socket-activate"):
        shell.stand_in(name, "")
    code = "command() { return 0; }\ncri_relay_run; echo further"

    done = shell.run("cri_relay", code, SOCKET="/run/x.sock", PULSE="")

    assert (done.code, done.output) == (0, "")
    (call,) = ["\n".join(shell.calls)]
    assert call.startswith("unshare -n bash -c ip link set lo up")
    assert call.endswith("relay /usr/lib/systemd/systemd-socket-proxyd /run/x.sock")
