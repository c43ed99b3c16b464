"""lib/rancher.sh: the settings with which k3s and RKE2 start, and the unit that runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.node.scripts.shell import Shell

_READ = "rancher_read_settings; rancher_report_settings"


def settings(
    shell: Shell,
    *,
    exec_start: str = "/usr/local/bin/k3s server",
    unit: str = "",
    files: Mapping[str, str] | None = None,
    owner: str = "k3s",
) -> dict[str, str]:
    """Return the reported settings of a unit with this command and these lines of properties."""
    for name, text in (files or {}).items():
        path = shell.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = exec_start.split(" ", maxsplit=1)[0]
    start = f"{{ path={program} ; argv[]={exec_start} ; ignore_errors=no ; pid=7 }}"
    shell.stand_in("systemctl", f"cat <<'END'\nExecStart={start}\n{unit}\nEND")
    reply = shell.run("rancher", _READ, OWNER=owner, UNIT=owner).reply
    keys = ("registries", "data_dir", "no_upstream", "docker")
    return {key: reply.value(key) for key in keys if reply.has(key)}


def usual(**others: str) -> dict[str, str]:
    return {
        "registries": "/etc/rancher/k3s/registries.yaml",
        "data_dir": "/var/lib/rancher/k3s",
        **others,
    }


FLAGS = {
    "none": ("/usr/local/bin/k3s server", {}),
    "apart": ("/usr/local/bin/k3s agent --private-registry /r.yaml", {"registries": "/r.yaml"}),
    "with a sign": ("/usr/local/bin/k3s agent --private-registry=/r", {"registries": "/r"}),
    "short": ("/usr/local/bin/k3s server -d /data", {"data_dir": "/data"}),
    "one dash": ("/usr/local/bin/k3s server -data-dir /data/", {"data_dir": "/data"}),
    "the last counts": ("k3s server -d /a --data-dir=/b", {"data_dir": "/b"}),
    "a boolean": ("k3s server --disable-default-registry-endpoint", {"no_upstream": "1"}),
    "a boolean before a word": ("k3s server --docker /x -d /y", {"docker": "1", "data_dir": "/y"}),
    "a boolean that is false": ("k3s server --disable-default-registry-endpoint=false", {}),
    "a foreign flag's value": ("k3s server --token --docker", {"docker": "1"}),
    "those of a shell": ("/bin/sh -c exec k3s server -d /data", {"data_dir": "/data"}),
    "those of another program": ("/usr/bin/containerd --config /x -d /y", {}),
}


@pytest.mark.parametrize(("words", "expected"), FLAGS.values(), ids=FLAGS)
def test_flags_of_the_command_line(shell: Shell, words: str, expected: dict[str, str]) -> None:
    assert settings(shell, exec_start=words) == usual(**expected)


CONFIGS = {
    "a plain value": ("data-dir: /data\n", {"data_dir": "/data"}),
    "a quoted value": ('"data-dir": "/data" # ours\n', {"data_dir": "/data"}),
    "single quotes": ("data-dir: '/data'\n", {"data_dir": "/data"}),
    "a comment behind it": ("data-dir: /data # ours\n", {"data_dir": "/data"}),
    "a comment instead": ("disable-default-registry-endpoint: # true\n", {}),
    "a comment": ("# disable-default-registry-endpoint: true\n", {}),
    "false": ("disable-default-registry-endpoint: false\n", {}),
    "true": ("disable-default-registry-endpoint: true\n", {"no_upstream": "1"}),
    "yes": ("docker: yes\n", {"docker": "1"}),
    "another key": ("disable-default-registry-endpoints: true\n", {}),
    "a list that names it": ("kubelet-arg:\n- 'docker=true'\n- data-dir\n", {}),
    "windows line ends": ("docker: true\r\ndata-dir: /d\r\n", {"docker": "1", "data_dir": "/d"}),
    "the short name": ("d: /data\n", {"data_dir": "/data"}),
    "the last counts": ("data-dir: /a\ndata-dir: /b\n", {"data_dir": "/b"}),
}


@pytest.mark.parametrize(("text", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_settings_of_a_config_file(shell: Shell, text: str, expected: dict[str, str]) -> None:
    words = f"k3s server --config {shell.folder}/config.yaml --token t"

    found = settings(shell, exec_start=words, files={"config.yaml": text})

    assert found == usual(**expected)


def test_drop_ins_count_after_the_config_and_flags_after_both(shell: Shell) -> None:
    files = {
        "c.yaml": "data-dir: /a\nprivate-registry: /a\ndocker: true\n",
        "c.yaml.d/10-x.yml": "data-dir: /b\nprivate-registry: /b\n",
        "c.yaml.d/20-x.YAML": "data-dir: /c\n",
        "c.yaml.d/30-x.txt": "data-dir: /d\n",
    }

    words = f"k3s server -c {shell.folder}/c.yaml --docker=false"

    assert settings(shell, exec_start=words, files=files) == usual(data_dir="/c", registries="/b")


def test_drop_ins_count_without_a_config(shell: Shell) -> None:
    words = f"k3s server -c {shell.folder}/c.yaml"

    found = settings(shell, exec_start=words, files={"c.yaml.d/x.yaml": "data-dir: /b\n"})

    assert found == usual(data_dir="/b")


def environments(folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield properties of a unit, each with what it sets."""
    yield f"Environment=A=b K3S_CONFIG_FILE={folder}/c.yaml", {"data_dir": "/c"}
    yield f'Environment="K3S_CONFIG_FILE={folder}/c.yaml" "B=c d"', {"data_dir": "/c"}
    yield f"EnvironmentFiles={folder}/env (ignore_errors=yes)", {"data_dir": "/c"}
    yield f"EnvironmentFiles={folder}/none (ignore_errors=yes)", {}
    yield "Environment=K3S_DATA_DIR=/e", {"data_dir": "/e"}
    yield "Environment=RKE2_DATA_DIR=/e MY_K3S_DATA_DIR=/f", {}


def test_variables_of_the_unit(shell: Shell) -> None:
    files = {
        "c.yaml": "data-dir: /c\n",
        "env": f"K3S_TOKEN=t\n# K3S_CONFIG_FILE=/none\nK3S_CONFIG_FILE='{shell.folder}/c.yaml'\n",
    }

    for unit, expected in environments(str(shell.folder)):
        assert settings(shell, unit=unit, files=files) == usual(**expected), unit


def test_the_variable_wins_over_the_flag_that_names_a_config(shell: Shell) -> None:
    files = {"a.yaml": "data-dir: /a\n", "b.yaml": "data-dir: /b\n"}
    unit = f"Environment=K3S_CONFIG_FILE={shell.folder}/a.yaml"
    words = f"k3s server --config={shell.folder}/b.yaml"

    assert settings(shell, exec_start=words, unit=unit, files=files) == usual(data_dir="/a")


def test_rke2_has_names_of_its_own(shell: Shell) -> None:
    found = settings(shell, owner="rke2", unit="Environment=RKE2_DATA_DIR=/e K3S_DATA_DIR=/f")

    assert found == {"registries": "/etc/rancher/rke2/registries.yaml", "data_dir": "/e"}


def test_no_token_leaves_the_node(shell: Shell) -> None:
    files = {"c.yaml": "token: hunter2\nagent-token: hunter2\ndocker: true\n"}
    settings(shell, exec_start=f"k3s server --token hunter2 -c {shell.folder}/c.yaml", files=files)

    done = shell.run("rancher", _READ, OWNER="k3s", UNIT="k3s")

    assert done.reply.has("docker")
    assert "hunter2" not in done.output + done.errors


UNITS = {
    "a name of its own": ("0::/system.slice/k3s-node.service", "k3s-server", "k3s-node", "k3s"),
    "an instance": (
        "0::/system.slice/system-k3s.slice/k3s@x.service",
        "k3s-agent",
        "k3s@x",
        "k3s",
    ),
    "cgroup v1": (
        "4:memory:/x.service\n1:name=systemd:/system.slice/kube.service",
        "rke2",
        "kube",
        "rke2",
    ),
    "a container": ("0::/system.slice/docker-1234.scope", "k3s-server", "", ""),
}


@pytest.mark.parametrize(("cgroup", "comm", "unit", "kind"), UNITS.values(), ids=UNITS)
def test_a_unit_is_found_by_its_process(
    shell: Shell, cgroup: str, comm: str, unit: str, kind: str
) -> None:
    (shell.folder / "7").mkdir()
    (shell.folder / "7/comm").write_text(f"{comm}\n")
    (shell.folder / "7/cgroup").write_text(f"{cgroup}\n")
    shell.stand_in("grep", f"echo {shell.folder}/7/comm")
    code = 'rancher_is_installed() { true; }; rancher_find_unit; echo "$ACTIVE|$KIND"'

    assert shell.output("rancher", code, ACTIVE="").strip() == f"{unit}|{kind}"


def test_a_node_without_k3s_and_rke2_is_not_searched(shell: Shell) -> None:
    shell.stand_in("grep", "")

    shell.output("rancher", "rancher_is_installed() { false; }; rancher_find_unit", ACTIVE="")

    assert shell.calls == []


PROGRAMS = {
    "the same file": ("ln -s $PWD/k3s 7/exe", False),
    "another program": ("ln -s /bin/sh 7/exe", False),
    "a file that is gone": ("ln -s \"$PWD/k3s (deleted)\" 7/exe", True),
}  # fmt: skip


@pytest.mark.parametrize(("make", "replaced"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_was_replaced_is_seen(shell: Shell, make: str, *, replaced: bool) -> None:
    code = f"mkdir 7; echo x >k3s; {make}; PROGRAM=$PWD/k3s; rancher_report_program $PWD/7"

    reply = shell.run("rancher", code, OWNER="k3s", UNIT="k3s").reply

    assert reply.value("program") == f"{shell.folder}/k3s"
    assert int(reply.value("program_changed")) > 0
    assert reply.has("program_replaced") is replaced
