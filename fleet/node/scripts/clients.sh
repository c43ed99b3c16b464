# The clients of containerd: what a call costs, and how what ctr has fetched goes again. POSIX sh.
# In: SOCKET PULL_SECONDS; image NAMESPACE, where ctr fetches into a namespace of its own.
# Each call starts a Go program anew: with one thread of work, and no collecting before 40 MB, it
# costs up to a fifth less CPU. A bound on what it collects stays, as a fetch may be large.
umask 077
GOMAXPROCS=1
GOGC=1000
export GOMAXPROCS GOGC

left_work() { # remove folders of killed proofs and tests, which may hold credentials
    for left in /run/fleet/verify-*-[0-9]* /run/fleet/selftest-[0-9]*; do
        [ ! -d "$left" ] || kill -0 "${left##*-}" 2>/dev/null || rm -rf -- "$left"
    done
}

cri() { timeout "$PULL_SECONDS" crictl -r "unix://$SOCKET" -i "unix://$SOCKET" "$@"; }

ctl() { # a question that is answered at once; ctr keeps this deadline itself
    ctr --timeout 20s --connect-timeout 5s -a "$SOCKET" "$@" 2>/dev/null
}

forget() { # the image with all of its content that nobody else holds
    ctl -n "$NAMESPACE" images rm --sync "$image" >/dev/null
}

leave() { # the namespace goes; the daemon may still be collecting what its image held
    tries=0
    until ctl namespaces rm "$NAMESPACE" >/dev/null; do
        [ "$tries" -lt 20 ] && empty || return 1
        tries=$((tries + 1))
        sleep 0.1
    done
}

empty() { # a ctr that was killed holds what it has fetched by a lease, for a day
    for kind in images leases; do
        held=$(ctl -n "$NAMESPACE" "$kind" ls -q) || return 1
        for each in $held; do
            ctl -n "$NAMESPACE" "$kind" rm --sync "$each" >/dev/null
        done
    done
}
