# The clients of containerd, and the removal of what ctr has fetched into a namespace of its own.
# Each call starts a Go program: with one thread of work, and no garbage collection before 40 MB,
# it costs up to a fifth less CPU. A limit stays, as a fetch may be large.
# inputs: NAMESPACE PULL_SECONDS SOCKET image
# functions: ctr_remove_left_work ctr_crictl ctr_query ctr_remove_image ctr_remove_namespace

umask 077
GOMAXPROCS=1
GOGC=1000
export GOMAXPROCS GOGC

ctr_remove_left_work() { # remove folders of killed scripts, which may hold credentials
    local left
    for left in /run/fleet/verify-*-[0-9]* /run/fleet/selftest-[0-9]*; do
        [ ! -d "$left" ] || kill -0 "${left##*-}" 2>/dev/null || rm -rf -- "$left"
    done
}

ctr_crictl() { timeout "$PULL_SECONDS" crictl -r "unix://$SOCKET" -i "unix://$SOCKET" "$@"; }

ctr_query() { # a query that takes no time; ctr keeps this deadline itself
    ctr --timeout 20s --connect-timeout 5s -a "$SOCKET" "$@" 2>/dev/null
}

ctr_remove_image() { # remove the image with all content that nothing else uses
    ctr_query -n "$NAMESPACE" images rm --sync "$image" >/dev/null
}

# The namespace goes; the daemon may still be collecting what its image held.
ctr_remove_namespace() {
    local tries
    tries=0
    until ctr_query namespaces rm "$NAMESPACE" >/dev/null; do
        [ "$tries" -lt 20 ] && ctr_empty_namespace || return 1
        tries=$((tries + 1))
        sleep 0.1
    done
}

ctr_empty_namespace() { # a ctr that was killed holds what it has fetched by a lease, for a day
    local kind held each
    for kind in images leases; do
        held=$(ctr_query -n "$NAMESPACE" "$kind" ls -q) || return 1
        for each in $held; do
            ctr_query -n "$NAMESPACE" "$kind" rm --sync "$each" >/dev/null
        done
    done
}
