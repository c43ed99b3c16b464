"""The same end state by pyinfra, as its documentation does such things."""

from pathlib import Path

from pyinfra import host
from pyinfra.operations import files, server, systemd

LIVE = "/etc/containerd"
registries = sorted(path.name for path in Path("certs.d").iterdir())
hosts = [
    files.put(
        name=f"Hosts of {registry}",
        src=f"certs.d/{registry}/hosts.toml",
        dest=f"{LIVE}/certs.d/{registry}/hosts.toml",
        mode="644",
        _sudo=True,
    )
    for registry in registries
]
config = files.block(
    name="Config",
    path=f"{LIVE}/config.toml",
    content=Path("registry.toml").read_text().strip().splitlines(),
    backup=True,
    _sudo=True,
)
systemd.service(
    name="Restart", service="containerd", restarted=True, _if=config.did_change, _sudo=True
)
server.shell(
    name="Health",
    commands="until ctr plugins ls id==cri 2>/dev/null | grep -q '^io.containerd.grpc.v1 .* ok';"
    " do sleep 0.05; done",
    _sudo=True,
)


def changed() -> bool:
    """Say whether there is anything to prove."""
    return config.did_change() or any(each.did_change() for each in hosts)


server.shell(
    name="Pull",
    commands=f"ctr -n k8s.io images pull --hosts-dir {LIVE}/certs.d {host.data.image}",
    _if=changed,
    _sudo=True,
)
