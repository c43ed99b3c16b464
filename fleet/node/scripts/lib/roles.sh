# The node's role in a Kubernetes cluster: evidence that it is part of the control plane. This is a
# member of etcd, an API server, or the server of a distribution with both. One process reads the
# names of all processes.
# requires: protocol
# inputs: ACTIVE DATA_DIR
# outputs: plane
# functions: roles_is_of_pod roles_control_plane

SERVERS='etcd|kube-apiserver|k3s-server|k3s-agent|k8s-dqlite'

plane=0

roles_report() { # report a piece of evidence
    plane=1
    protocol_value control_plane "$1"
}

roles_is_of_pod() { # true if process $1 is in an API pod: a static pod's id has no dashes
    local line
    while IFS= read -r line; do
        case $line in *pod????????[-_]????[-_]????[-_]????[-_]*) return 0 ;; esac
    done 2>/dev/null <"$1/cgroup"
    return 1
}

roles_server_processes() {
    local each comm
    agent=0
    while IFS= read -r each; do
        { read -r comm <"$each"; } 2>/dev/null || continue
        case $comm in
        k3s-agent) agent=1 ;;
        *) roles_is_of_pod "${each%/comm}" || roles_report "process $comm" ;;
        esac
    done <<LIST
$(grep -lsxE "$SERVERS" /proc/[0-9]*/comm)
LIST
}

roles_control_plane() {
    local each agent
    roles_server_processes
    case $ACTIVE in
    k3s) [ "$agent" = 1 ] || roles_report 'unit k3s' ;;
    rke2-server | k0scontroller) roles_report "unit $ACTIVE" ;;
    esac
    for each in /etc/kubernetes/manifests/*etcd* /etc/kubernetes/manifests/*kube-apiserver* \
        /var/lib/rancher/rke2/agent/pod-manifests/etcd* /var/lib/rancher/rke2/server \
        "${DATA_DIR:-/var/lib/rancher/k3s}/server" /var/lib/k0s/etcd /var/lib/k0s/db \
        /etc/systemd/system/etcd.service /etc/systemd/system/kube-apiserver.service \
        /etc/systemd/system/k0scontroller.service /usr/local/lib/systemd/system/etcd.service \
        /lib/systemd/system/etcd.service; do
        [ ! -e "$each" ] || roles_report "$each"
    done
}
