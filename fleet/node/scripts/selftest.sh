# Check that a node can pull, without any registry: a tiny image comes from the workstation,
# through a port of the node's own loopback. LIVENESS is the hosts directory that the daemon reads,
# or empty. VIA is crictl, cri or ctr; with cri, fleet pulls over its own connection while the
# script waits. DIGEST is the digest of the image.
# requires: environment protocol ctr liveness ownership
# inputs: DIGEST LIVENESS PORT PULL_SECONDS SOCKET TAG VIA

PROBE_URL=http://127.0.0.1:$PORT
NAMESPACE=fleet-selftest-$$
WORK=/run/fleet/selftest-$$

selftest_tidy() { # remove the image and the folders, whatever the result
    case $VIA in
    crictl) ctr_crictl rmi "$image" >/dev/null 2>&1 ;;
    cri) selftest_remove_names ;;
    *)
        ctr_remove_image
        ctr_remove_namespace
        rm -rf -- "$WORK"
        ;;
    esac
    liveness_sweep
}

selftest_remove_names() { # remove all names that CRI gave to the image
    local name
    ctr_query -n k8s.io images ls -q "target.digest==$DIGEST" | while read -r name; do
        ctr_query -n k8s.io images rm --sync "$name" >/dev/null
    done
}

selftest_pull_by_ctr() {
    local local_pull
    mkdir -p "$WORK/$probe" && liveness_hosts >"$WORK/$probe/hosts.toml"
    local_pull=
    case $(${K0S:+"$K0S"} ctr images pull --help 2>/dev/null) in *--local*) local_pull=--local ;; esac
    # shellcheck disable=SC2086 # the flag is one word or empty
    timeout "$PULL_SECONDS" ${K0S:+"$K0S"} ctr -a "$SOCKET" -n "$NAMESPACE" images pull $local_pull \
        --hosts-dir "$WORK" "$image"
}

selftest_pull() {
    if [ "$VIA" != ctr ] && [ -n "$LIVENESS" ]; then
        output=$(liveness_lay 2>&1) || return 1
    fi
    case $VIA in
    crictl) output=$(ctr_crictl pull "$image" 2>&1) ;;
    cri) protocol_wait_for_driver ;;
    *) output=$(selftest_pull_by_ctr 2>&1) ;;
    esac
}

selftest_main() { # a function, so that the shell has read all code before fleet's reply follows it
    local code
    protocol_begin
    ownership_check
    exec 3<&0
    ctr_remove_left_work
    probe=$$.$PROBE_NAME
    image=$probe/fleet-selftest:$TAG
    if [ "$VIA" != ctr ] && [ -z "$LIVENESS" ]; then
        image=127.0.0.1:$PORT/fleet-selftest:$TAG # containerd itself uses plain HTTP for loopback
    fi
    protocol_value image "$image"
    trap '' PIPE # otherwise a lost connection would end the shell before its cleanup
    trap selftest_tidy EXIT
    trap 'exit 143' HUP INT TERM
    read -r begin _ </proc/uptime
    code=0
    selftest_pull || code=$?
    read -r end _ </proc/uptime
    protocol_value code "$code"
    protocol_value output "$(printf '%s' "${output:-}" | tail -c 4000)"
    protocol_value times "$begin $end"
    protocol_end
}
selftest_main
