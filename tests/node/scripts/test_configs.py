"""lib/configs.sh: what containerd's configs name."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import Shell

QUOTED = {
    "key = 'a'": "a\n",
    "key = [\"a\", 'b c']": "a\nb c\n",
    "key = 1": "",
    "key = ''": "\n",
    'key = "it\'s"': "it's\n",
}


@pytest.mark.parametrize(("line", "expected"), QUOTED.items())
def test_quoted_strings_of_a_line_are_found(shell: Shell, line: str, expected: str) -> None:
    code = 'configs_quoted "$line"; printf "%s" "$strings"'

    assert shell.output("configs", code, line=line, CONFIG="") == expected


def test_hosts_directories_are_listed_once(shell: Shell) -> None:
    lines = "config_path = '/a:/b'\n# none\nconfig_path = \"/a\"\nother = '/c'\n"
    code = 'configs_hosts_directories "$lines"; printf "%s" "$HOSTS"'

    assert shell.output("configs", code, lines=lines, CONFIG="") == "/a\n/b\n"


def test_a_config_is_noted_with_all_that_it_imports(shell: Shell) -> None:
    base = shell.folder
    (base / "conf.d").mkdir()
    (base / "config.toml").write_text("imports = [\n  'conf.d/*.toml',\n  'none.toml'\n]\n[x]\n")
    (base / "conf.d/a.toml").write_text("version = 2\n[plugins]\nimports = ['ignored.toml']\n")
    (base / "conf.d/b.toml").write_text("imports = ['../third.toml']\n")
    (base / "third.toml").write_text("config_path = '/not/of/the/root'\n")
    code = 'configs_note "$CONFIG" >/dev/null; printf "%s|%s" "$FILES" "$HOSTS"'

    found = shell.output("configs", code, CONFIG=f"{base}/config.toml")

    files, hosts = found.split("|")
    names = ["config.toml", "conf.d/a.toml", "conf.d/b.toml", "third.toml"]
    assert files.splitlines() == [f"{base}/{name}" for name in names]
    assert hosts == ""


def test_configs_that_import_each_other_come_to_an_end(shell: Shell) -> None:
    config = shell.folder / "config.toml"
    config.write_text("imports = ['config.toml']\n")

    done = shell.run("configs", 'configs_note "$CONFIG"', CONFIG=str(config))

    assert len(list(done.reply.all("looked"))) == 5


def test_certificates_that_a_config_names_are_reported(shell: Shell) -> None:
    certificate = shell.folder / "ca.crt"
    certificate.write_text("x")
    config = shell.folder / "config.toml"
    config.write_text(f"ca_file = '{certificate}'\nkey_file = '/nowhere'\n")

    done = shell.run("configs", 'configs_note "$CONFIG"', CONFIG=str(config))

    assert list(done.reply.texts("present")) == [str(certificate)]


def test_a_path_without_links_costs_no_process(shell: Shell) -> None:
    (shell.folder / "real").mkdir()
    (shell.folder / "link").symlink_to("real")
    shell.stand_in("readlink", 'exec /usr/bin/readlink "$@"')
    code = 'configs_canonical "$path"; printf "%s" "$whole"'

    plain = shell.output("configs", code, path=f"{shell.folder}/real/x", CONFIG="")
    before = list(shell.calls)
    linked = shell.output("configs", code, path=f"{shell.folder}/link/x", CONFIG="")

    assert plain == linked == f"{shell.folder}/real/x"
    assert (before, len(shell.calls)) == ([], 1)
