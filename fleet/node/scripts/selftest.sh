# Prove that a node can pull, with no registry anywhere: a tiny image comes from the workstation,
# through a port of the node's own loopback. POSIX sh. In: LIVENESS, the folder of hosts.toml that the
# daemon reads, empty where it reads none; PORT TAG VIA (crictl, cri or ctr) SOCKET PULL_SECONDS, and
# DIGEST, the image's. With VIA=cri somebody on the other end of this connection pulls.
PROBE_URL=http://127.0.0.1:$PORT
NAMESPACE=fleet-selftest-$$
WORK=/run/fleet/selftest-$$

tidy() { # the image and the folders go, however this ends
    case $VIA in
    crictl) cri rmi "$image" >/dev/null 2>&1 ;;
    cri) forget_all ;;
    *)
        forget
        leave
        rm -rf -- "$WORK"
        ;;
    esac
    sweep_probes
}

forget_all() { # all names that CRI gave to an image which nobody has removed
    ctl -n k8s.io images ls -q "target.digest==$DIGEST" | while read -r name; do
        ctl -n k8s.io images rm --sync "$name" >/dev/null
    done
}

by_ctr() {
    mkdir -p "$WORK/$probe" && probe_hosts >"$WORK/$probe/hosts.toml"
    local_pull=
    case $(ctr images pull --help 2>/dev/null) in *--local*) local_pull=--local ;; esac
    # shellcheck disable=SC2086 # the flag is a word or nothing
    timeout "$PULL_SECONDS" ctr -a "$SOCKET" -n "$NAMESPACE" images pull $local_pull \
        --hosts-dir "$WORK" "$image"
}

pull() {
    if [ "$VIA" != ctr ] && [ -n "$LIVENESS" ]; then
        output=$(lay_probe 2>&1) || return 1
    fi
    case $VIA in
    crictl) output=$(cri pull "$image" 2>&1) ;;
    cri) turn ;;
    *) output=$(by_ctr 2>&1) ;;
    esac
}

main() { # a function: what comes in after the script is the other end's word, not the shell's
    hello
    only_roots
    exec 3<&0
    left_work
    probe=$$.$PROBE_NAME
    image=$probe/fleet-selftest:$TAG
    if [ "$VIA" != ctr ] && [ -z "$LIVENESS" ]; then
        image=127.0.0.1:$PORT/fleet-selftest:$TAG # without a folder, loopback is asked in plain HTTP
    fi
    value image "$image"
    trap '' PIPE # or the shell would end before it has swept
    trap tidy EXIT
    trap 'exit 143' HUP INT TERM
    read -r begin _ </proc/uptime
    code=0
    pull || code=$?
    read -r end _ </proc/uptime
    value code "$code"
    value output "$(printf '%s' "${output:-}" | tail -c 4000)"
    value times "$begin $end"
    bye
}
main
