"""Stand-ins for k0s and Canonical Kubernetes: their paths, units and timing, a real containerd.

k0s restarts its containerd itself, 3 seconds after the last change of its drop-ins and 5 seconds
after its end. It has no ctr and crictl of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e

ONE = """\
mirrors:
  docker.io:
    endpoints: [https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
"""
SUPERVISE = """\
#!/bin/sh
start() {
    /opt/k0s/containerd --root=/var/lib/k0s/containerd --state=/run/k0s/containerd \\
        --address=/run/k0s/containerd.sock --config=/etc/k0s/containerd.toml &
    child=$!
    echo $child >/run/k0s/containerd.pid
    echo "Started containerd $child"
}
look() { now=$(ls -lai --time-style=full-iso /etc/k0s/containerd.d | cksum); }
mkdir -p /run/k0s
trap 'kill $child; rm -f /run/k0s/containerd.pid; exit' TERM
start
look
seen=$now
left=0
while sleep 0.25; do
    look
    if [ "$now" != "$seen" ]; then
        seen=$now
        left=12
    elif [ $left -gt 0 ]; then
        left=$((left - 1))
        [ $left != 0 ] || kill -HUP $child
    fi
    kill -0 $child 2>/dev/null && continue
    rm -f /run/k0s/containerd.pid
    sleep 5
    start
done
"""
K0S = """\
#!/bin/sh
shift
exec /opt/k0s/ctr -a /run/k0s/containerd.sock -n k8s.io "$@"
"""
K0S_UNIT = """\
[Service]
ExecStart=/opt/k0s/supervise
KillMode=process
Delegate=yes
"""
START_K0S = f"""
systemctl stop containerd
mkdir -p /opt/k0s /etc/k0s/containerd.d
for name in ctr crictl containerd; do command -v $name && mv $(command -v $name) /opt/k0s/; done
cat >/opt/k0s/supervise <<'END'
{SUPERVISE}
END
cat >/usr/local/bin/k0s <<'END'
{K0S}
END
cat >/etc/systemd/system/k0sworker.service <<'END'
{K0S_UNIT}
END
printf '# k0s_managed=true\\nversion = 2\\nimports = ["/etc/k0s/containerd.d/*.toml"]\\n' \\
    >/etc/k0s/containerd.toml
chmod +x /opt/k0s/supervise /usr/local/bin/k0s
systemctl daemon-reload
systemctl start k0sworker
until k0s ctr version >/dev/null; do sleep 0.2; done
"""
STOP_K0S = """
systemctl stop k0sworker
for name in ctr containerd; do mv /opt/k0s/$name /usr/bin/; done
[ ! -e /opt/k0s/crictl ] || mv /opt/k0s/crictl /usr/local/bin/
rm -rf /opt/k0s /usr/local/bin/k0s /etc/k0s /run/k0s /var/lib/k0s
rm /etc/systemd/system/k0sworker.service
systemctl daemon-reload
systemctl start containerd
"""
STARTED = "journalctl -u k0sworker -o cat | grep -c 'Started containerd'"


@pytest.fixture
def k0s(nodes: Lab) -> Iterator[Lab]:
    """Return the lab with a node whose containerd a stand-in for k0s supervises."""
    where = nodes.nodes["trixie1"].sh("command -v crictl || true").stdout.strip()
    nodes.nodes["trixie1"].sh(START_K0S)
    yield nodes
    nodes.nodes["trixie1"].sh(STOP_K0S.replace("/usr/local/bin/\n", f"{where}\n"))


def test_a_restart_by_k0s_is_waited_for_once_in_each_direction(k0s: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    node = k0s.nodes["trixie1"]
    unit = node.sh("systemctl show k0sworker -p MainPID --value").stdout
    before = node.digests("/etc/k0s")
    starts = int(node.sh(STARTED).stdout)

    ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "4", "--json")

    outcome = ran.json["nodes"]["trixie1"]
    assert (outcome["status"], outcome["restarted"]) == ("converged", True), ran.text
    assert [pull["mirror"] for pull in outcome["verified"]] == ["docker.m.daocloud.io"]
    assert outcome["liveness"]["state"] == "live"
    node.sh("sleep 9")  # one more restart would have begun by now
    assert int(node.sh(STARTED).stdout) == starts + 1
    back = fleet("rollback", "-y", "-l", "trixie1", "--soak", "1", "--json")
    assert back.json["nodes"]["trixie1"]["status"] == "converged", back.text
    assert int(node.sh(STARTED).stdout) == starts + 2
    assert node.digests("/etc/k0s") == before
    assert node.sh("systemctl show k0sworker -p MainPID --value").stdout == unit


CANONICAL_UNIT = """\
[Service]
Type=notify
ExecStart=/usr/bin/containerd --address /srv/k8s/run/containerd/containerd.sock \\
 --config /srv/k8s/etc/containerd/config.toml --root /srv/k8s/root --state /srv/k8s/run/containerd
KillMode=process
Delegate=yes
"""
START_CANONICAL = f"""
systemctl stop containerd
mkdir -p /srv/k8s/etc/containerd/hosts.d
printf 'version = 3\\n[plugins."io.containerd.cri.v1.images".registry]\\nconfig_path = "%s"\\n' \\
    /srv/k8s/etc/containerd/hosts.d >/srv/k8s/etc/containerd/config.toml
cat >/etc/systemd/system/snap.k8s.containerd.service <<'END'
{CANONICAL_UNIT}
END
systemctl daemon-reload
systemctl start snap.k8s.containerd
"""
STOP_CANONICAL = """
systemctl stop snap.k8s.containerd
rm -rf /srv/k8s /etc/systemd/system/snap.k8s.containerd.service
systemctl daemon-reload
systemctl start containerd
"""


@pytest.fixture
def canonical(nodes: Lab) -> Iterator[Lab]:
    """Return the lab with a node whose containerd is that of a snap with a base folder."""
    nodes.nodes["forky1"].sh(START_CANONICAL)
    yield nodes
    nodes.nodes["forky1"].sh(STOP_CANONICAL)


def test_the_folder_that_canonical_kubernetes_reads_is_found(canonical: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    node = canonical.nodes["forky1"]

    ran = fleet("rollout", "-y", "-l", "forky1", "--json")
    node.sh(
        "printf 'version = 3\\n' >/srv/k8s/etc/containerd/config.toml;"
        " systemctl restart snap.k8s.containerd"
    )
    fleet.write("mirrors.yaml", ONE.replace("docker.io:", "quay.io:").partition("    verify")[0])
    unread = fleet("rollout", "-y", "-l", "forky1", "--json")

    outcome = ran.json["nodes"]["forky1"]
    assert (outcome["status"], outcome["restarted"]) == ("converged", False), ran.text
    assert [pull["mirror"] for pull in outcome["verified"]] == ["docker.m.daocloud.io"]
    assert "docker.io" in node.sh("ls /srv/k8s/etc/containerd/hosts.d").stdout
    assert unread.json["nodes"]["forky1"]["status"] == "failed", unread.text
    assert "is not set: a hosts.toml would have no effect" in unread.text
