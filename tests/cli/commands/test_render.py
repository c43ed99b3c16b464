"""fleet render, as a user types it."""

from __future__ import annotations

from pathlib import Path

from tests.support.fleet import Fleet

CRI = '[plugins."io.containerd.grpc.v1.cri"'
LEGACY = f'version = 2\n{CRI}.registry.mirrors."quay.io"]\n  endpoint = ["https://q.example"]\n'


def put(folder: Path, path: str, text: str) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_a_folder_of_files_becomes_what_the_node_would_get(offline: Fleet) -> None:
    put(offline.folder, "root/etc/containerd/config.toml", LEGACY)

    ran = offline("render", "--containerd", "1.7.24", "--root", "root", "--out", "out", "--json")

    assert ran.code == 0, ran.text
    assert (ran.json["strategy"], ran.json["disruption"]) == ("certs.d", "restart")
    assert [each["code"] for each in ran.json["conflicts"]] == ["legacy"]
    out = offline.folder / "out"
    assert "config_path" in (out / "etc/containerd/config.toml").read_text()
    assert "mirrors" not in (out / "etc/containerd/config.toml").read_text()
    assert (out / "etc/containerd/certs.d/docker.io/hosts.toml").is_file()
    assert len(ran.json["files"]) == len(ran.json["changes"])


def test_imports_and_certs_d_below_the_root_are_read(offline: Fleet) -> None:
    put(
        offline.folder,
        "root/etc/containerd/config.toml",
        'version = 2\nimports = ["/opt/own/*.toml"]\n',
    )
    put(offline.folder, "root/opt/own/a.toml", f'{CRI}.registry]\n  config_path = "/opt/certs"\n')
    put(offline.folder, "root/opt/certs/quay.io/hosts.toml", "server = 'https://quay.io'\n")

    ran = offline("render", "--containerd", "2.1", "--root", "root", "--out", "out", "--json")

    assert ran.code == 0, ran.text
    assert ran.json["disruption"] == "none"
    actions = {each["path"]: each["action"] for each in ran.json["changes"]}
    assert actions["/opt/certs/quay.io/hosts.toml"] == "update"
    assert actions["/opt/certs/docker.io/hosts.toml"] == "create"


def test_a_refusal_is_exit_1_with_the_reason_and_writes_nothing(offline: Fleet) -> None:
    put(offline.folder, "root/etc/containerd/config.toml", "version = 2\n{{ .x }}\n")

    ran = offline("render", "--containerd", "1.7.24", "--root", "root", "--out", "out")

    assert ran.code == 1
    assert "/etc/containerd/config.toml:2: this is a template" in ran.stdout
    assert not (offline.folder / "out").exists()


def test_bad_usage_is_exit_2(offline: Fleet) -> None:
    words = ("render", "--out", "out", "--containerd")

    assert "expected a version" in offline(*words, "newest").stderr
    assert "no such folder" in offline(*words, "2.1", "--root", "gone").stderr
    assert "expected one of" in offline(*words, "2.1", "--distro", "windows").stderr
    assert offline(*words, "newest").code == 2


def test_a_secret_is_written_for_root_alone_and_never_shown(offline: Fleet) -> None:
    offline.write(
        "mirrors.yaml",
        "mirrors: {quay.io: {endpoints: [{url: https://a.example, header: {X-Key: hunter2}}]}}\n",
    )

    ran = offline("render", "--containerd", "2.1.9", "--out", "out")

    assert ran.code == 0
    assert "hunter2" not in ran.text
    path = offline.folder / "out/etc/containerd/certs.d/quay.io/hosts.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hunter2" in path.read_text()
