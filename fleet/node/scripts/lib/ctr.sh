# The clients of containerd, and the removal of what ctr has fetched into its own namespace. Each
# call starts a Go program. One thread, and no garbage collection below 40 MB, save up to a fifth of
# its CPU time. Collection is not switched off, since a fetch may be large.
# inputs: K0S NAMESPACE PULL_SECONDS SOCKET image
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

ctr_query() { # run a short query; ctr itself enforces the deadline
    ${K0S:+"$K0S"} ctr --timeout 20s --connect-timeout 5s -a "$SOCKET" "$@" 2>/dev/null
}

ctr_remove_image() { # remove the image with all content that nothing else uses
    ctr_query -n "$NAMESPACE" images rm --sync "$image" >/dev/null
}

# Remove the namespace; try again while the daemon still collects the content of its image.
ctr_remove_namespace() {
    local tries
    tries=0
    until ctr_query namespaces rm "$NAMESPACE" >/dev/null; do
        [ "$tries" -lt 20 ] && ctr_empty_namespace || return 1
        tries=$((tries + 1))
        sleep 0.1
    done
}

ctr_empty_namespace() { # remove images and leases; the lease of a killed ctr would last for a day
    local kind held each
    for kind in images leases; do
        held=$(ctr_query -n "$NAMESPACE" "$kind" ls -q) || return 1
        for each in $held; do
            ctr_query -n "$NAMESPACE" "$kind" rm --sync "$each" >/dev/null
        done
    done
}
