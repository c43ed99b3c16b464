# The environment of every script: the C locale and the system's programs. TOOLS are folders of
# programs that a probe of this node found, and that only root can change.
# inputs: TOOLS
# outputs: K0S
# functions: environment_is_roots

set -u
LC_ALL=C
export LC_ALL
# Sudo may keep these variables of the login user. bash writes here-documents to files in TMPDIR.
unset TMPDIR BASH_ENV ENV

# True if root owns every folder on the way to $1, and none is a link or writable.
environment_is_roots() {
    local above
    above=$1
    while [ -n "$above" ]; do
        # shellcheck disable=SC3067 # dash, bash and busybox have -O
        [ -O "$above" ] && [ ! -L "$above" ] || return 1
        set -- "$@" "$above"
        above=${above%/*}
    done
    case $(stat -c '%a ' -- "$@") in
    '' | *[2367]' '* | *[2367]?' '*) return 1 ;;
    esac
}

# Sudo may keep the login's PATH. Root runs only programs from folders that only root can change.
SYSTEM=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
given=$PATH:
PATH=$SYSTEM
safe=
while [ -n "$given" ]; do
    each=${given%%:*}
    case :$SYSTEM:/usr/games:/usr/local/games:/snap/bin: in
    *":$each:"*) safe=$safe$each: ;;
    *) case $each in /*) ! environment_is_roots "$each" 2>/dev/null || safe=$safe$each: ;; esac ;;
    esac
    given=${given#*:}
done
PATH=$safe$SYSTEM
# The folders in which Kubernetes distributions have their own containerd and ctr.
PATH=$PATH:/var/lib/rancher/k3s/data/current/bin:/var/lib/rancher/rke2/bin:/var/lib/k0s/bin
PATH=$PATH:/snap/microk8s/current/bin:/snap/k8s/current/bin${TOOLS:+:$TOOLS}
# The program before `ctr`: stock k0s has ctr as a command of its own.
K0S=
command -v ctr >/dev/null || ! command -v k0s >/dev/null || K0S=k0s
