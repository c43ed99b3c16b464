"""lib/etcd.sh: the members of etcd and their health, from the member on the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.scripts.shell import Shell

MEMBER = '{"id":1,"peerURLs":["https://10.0.0.%d:2380"],"name":"cp%d","clientURLs":["%s"]}'
CLIENT = "https://10.0.0.%d:2379"
OPTIONS = """
name=cp1
listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379
listen-peer-urls=https://10.0.0.1:2380
initial-advertise-peer-urls=https://10.0.0.1:2380
"""
ANSWER = """
case $* in
%s
*) exit 1 ;;
esac
"""
HEALTHY = '{"health":"true","reason":""}'


def members(*clients: str) -> str:
    """Return the list of members with these client URLs."""
    numbered = enumerate(clients, 1)
    return f"[{','.join(MEMBER % (place, place, client) for place, client in numbered)}]"


def asked(shell: Shell, answers: dict[str, str], options: str = OPTIONS) -> tuple[str, list[str]]:
    """Return what is reported if these URLs answer, each by its path or its whole."""
    cases = "".join(
        f"*{url}*) printf 'HTTP/1.1 200 OK\\r\\n\\r\\n%s' '{body}' ;;\n"
        for url, body in answers.items()
    )
    shell.stand_in("curl", ANSWER % cases)
    done = shell.run("etcd", "etcd_ask", OWNER="", options=options, root="")
    assert done.errors == ""
    return done.reply.value("etcd"), list(done.reply.texts("etcd_member"))


def test_every_member_is_asked_for_its_health(shell: Shell) -> None:
    found = asked(
        shell,
        {
            ":2380/members": members(*(CLIENT % each for each in (1, 2, 3))),
            "127.0.0.1:2379/health": HEALTHY,
            "10.0.0.2:2379/health": HEALTHY,
        },
    )

    assert found == ("listed", ["healthy voter 1 cp1", "healthy voter 0 cp2", "down voter 0 cp3"])


def test_a_member_without_http_for_clients_is_asked_as_its_peers_ask_it(shell: Shell) -> None:
    loopback = "https://127.0.0.1:2379"
    found = asked(
        shell,
        {
            ":2380/members": members(loopback, loopback, CLIENT % 3),
            "127.0.0.1:2379/health": HEALTHY,
            ":2380/version": "{}",
        },
    )

    assert found == (
        "listed",
        ["healthy voter 1 cp1", "answering voter 0 cp2", "answering voter 0 cp3"],
    )


def test_a_member_that_says_it_is_unhealthy_is_down(shell: Shell) -> None:
    found = asked(
        shell,
        {
            ":2380/members": members(CLIENT % 1),
            "/health": '{"health":"false","reason":"RAFT NO LEADER"}',
            ":2380/version": "{}",
        },
    )

    assert found == ("listed", ["down voter 1 cp1"])


def test_a_learner_is_told_as_one(shell: Shell) -> None:
    listed = members(CLIENT % 1)[:-2] + ',"isLearner":true}]'

    found = asked(shell, {":2380/members": listed, "/health": HEALTHY})

    assert found == ("listed", ["healthy learner 1 cp1"])


def test_a_member_that_was_added_and_never_started_is_down(shell: Shell) -> None:
    listed = '[{"id":2,"peerURLs":["https://10.0.0.2:2380"]}]'

    assert asked(shell, {":2380/members": listed}) == (
        "listed",
        ["down voter 0 https://10.0.0.2:2380"],
    )


def test_an_etcd_that_does_not_answer_is_silent(shell: Shell) -> None:
    assert asked(shell, {}) == ("silent its etcd does not answer at https://10.0.0.1:2380", [])


def test_addresses_with_other_characters_are_not_asked(shell: Shell) -> None:
    hostile = OPTIONS.replace("https://10.0.0.1:2380", "https://x;reboot:2380")

    state, _ = asked(shell, {}, hostile)

    assert state == "silent its etcd does not answer at the address for its peers"
    assert shell.calls == []


URLS = {
    "https://10.0.0.1:2379/": "https://10.0.0.1:2379",
    "https://0.0.0.0:2379": "https://127.0.0.1:2379",
    "https://[::]:2379": "https://127.0.0.1:2379",
    "https://[fd00::1]:2379": "https://[fd00::1]:2379",
    "unixs://x:1,http://10.0.0.1:1": "http://10.0.0.1:1",
    "file:///etc/shadow": "",
    "https://a:1 -o /x": "",
    "": "",
}


@pytest.mark.parametrize(("text", "url"), URLS.items())
def test_the_first_plain_url_of_a_list(shell: Shell, text: str, url: str) -> None:
    assert shell.output("etcd", f"etcd_url '{text}'; printf '%s' \"$url\"", OWNER="") == url


ARGUMENTS = {
    "--name=a\n--data-dir=/d": ["name=a", "data-dir=/d"],
    "--name\na\n-data-dir\n/d": ["name=a", "data-dir=/d"],
    "--client-cert-auth\n--name=a": ["name=a"],
    "etcd\n--name\na\n--client-cert-auth": ["name=a"],
}


@pytest.mark.parametrize(("arguments", "options"), ARGUMENTS.items())
def test_arguments_come_in_one_word_or_two(
    shell: Shell, arguments: str, options: list[str]
) -> None:
    code = f"options=; etcd_note_arguments '{arguments}'; printf '%s' \"$options\""

    assert shell.output("etcd", code, OWNER="").split() == options


def test_the_environment_names_options_in_capitals(shell: Shell) -> None:
    (shell.folder / "environ").write_bytes(b"HOME=/x\0ETCD_CERT_FILE=/A_b/C=d\0ETCD_NAME=n\0")

    found = shell.output(
        "etcd", "options=; etcd_note_environment environ; printf '%s' \"$options\"", OWNER=""
    )

    assert found.split() == ["cert-file=/A_b/C=d", "name=n"]


CONFIG = """\
advertise-client-urls: https://10.0.0.1:2379
client-transport-security:
  cert-file: /tls/server-client.crt
  client-cert-auth: true
listen-client-http-urls: https://127.0.0.1:2382
name: "cp1-0a"
peer-transport-security:
  cert-file: /tls/peer-server-client.crt
"""


def test_a_config_file_has_sections(shell: Shell) -> None:
    Path(shell.folder / "config").write_text(CONFIG)

    found = shell.output(
        "etcd", "options=; etcd_note_config config; printf '%s' \"$options\"", OWNER=""
    )

    assert {
        "cert-file=/tls/server-client.crt",
        "peer-cert-file=/tls/peer-server-client.crt",
        "listen-client-http-urls=https://127.0.0.1:2382",
        "name=cp1-0a",
    } <= set(found.splitlines())


def test_a_server_of_k3s_is_found_by_its_config_below_its_data_folder(shell: Shell) -> None:
    shell.stand_in("grep", "exit 1")
    folder = shell.folder / "server/db/etcd"
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIG)
    code = "etcd_find && etcd_option name && printf '%s' \"$value\""

    assert shell.output("etcd", code, OWNER="k3s", DATA_DIR=str(shell.folder)) == "cp1-0a"
    assert shell.run("etcd", code, OWNER="k3s", DATA_DIR="/nowhere").code == 1
    assert shell.run("etcd", code, OWNER="rke2", DATA_DIR=str(shell.folder)).code == 1


OWNERS = {
    "": "away no etcd runs on it",
    "k3s": "away no etcd runs on it",
    "microk8s": "unknown its datastore, dqlite, has no etcd",
}


@pytest.mark.parametrize(("owner", "state"), OWNERS.items())
def test_a_node_without_a_member_says_so(shell: Shell, owner: str, state: str) -> None:
    shell.stand_in("grep", "exit 1")

    assert shell.run("etcd", "etcd_report", OWNER=owner).reply.value("etcd") == state


READY = {
    "ready": ("echo ok", "away no etcd runs on it; its API server is ready"),
    "not ready": (
        "echo '[-]etcd failed'; echo 'the server is not ready'; exit 1",
        "silent its API server is not ready: the server is not ready",
    ),
}


@pytest.mark.parametrize(("owner", "program"), [("k3s", "k3s"), ("rke2", "kubectl")])
@pytest.mark.parametrize(("body", "state"), READY.values(), ids=READY)
def test_a_server_without_etcd_is_asked_whether_its_api_is_ready(
    shell: Shell, owner: str, program: str, body: str, state: str
) -> None:
    shell.stand_in(program, body)
    (shell.folder / owner).touch()
    code = f"etcd_report_api {shell.folder}/{owner}"

    assert shell.run("etcd", code, OWNER=owner).reply.value("etcd") == state
    assert shell.calls[0].endswith(f"--kubeconfig {shell.folder}/{owner} get --raw /readyz")


def test_a_server_without_a_kubeconfig_is_not_asked(shell: Shell) -> None:
    shell.stand_in("k3s", "exit 1")

    done = shell.run("etcd", "etcd_report_api /nowhere", OWNER="k3s")

    assert done.reply.value("etcd") == "away no etcd runs on it"
    assert shell.calls == []


CGROUPS = {
    "0::/system.slice/etcd.service": True,
    "0::/kubepods/pod0123456789abcdef0123456789abcdef/x": True,
    "0::/kubepods/pod1234abcd-1234-1234-1234-123456789abc/x": False,
    "0::/user.slice/user-1000.slice/session-1.scope": False,
}


@pytest.mark.parametrize(("cgroup", "ours"), CGROUPS.items())
def test_only_a_service_or_a_static_pod_is_a_member(
    shell: Shell, cgroup: str, *, ours: bool
) -> None:
    (shell.folder / "cgroup").write_text(f"{cgroup}\n")
    (shell.folder / "status").write_text("Name:\tetcd\nUid:\t0\t0\t0\t0\n")

    assert (shell.run("etcd", "etcd_is_ours .", OWNER="").code == 0) is ours


@pytest.mark.parametrize(("uid", "ours"), [("998", True), ("1000", False), ("", False)])
def test_a_program_of_a_user_is_no_member(shell: Shell, uid: str, *, ours: bool) -> None:
    (shell.folder / "cgroup").write_text("0::/system.slice/ssh.service\n")
    (shell.folder / "status").write_text(f"Name:\tetcd\nUid:\t{uid}\t0\n" if uid else "")

    assert (shell.run("etcd", "etcd_is_ours .", OWNER="").code == 0) is ours
