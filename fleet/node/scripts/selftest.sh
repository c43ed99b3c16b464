# Prove that a node can pull, with no registry anywhere: a tiny image comes from the workstation,
# through a port of the node's own loopback. POSIX sh. In: LIVENESS, the folder of hosts.toml that the
# daemon reads, empty where it reads none; PORT TAG CRICTL SOCKET PULL_SECONDS.
PROBE_URL=http://127.0.0.1:$PORT
NAMESPACE=fleet-selftest-$$
WORK=/run/fleet/selftest-$$

tidy() { # the image and the folders go, however this ends
    if [ "$CRICTL" = 1 ]; then
        cri rmi "$image" >/dev/null 2>&1
    else
        ctr -a "$SOCKET" -n "$NAMESPACE" images rm --sync "$image" >/dev/null 2>&1
        ctr -a "$SOCKET" namespaces rm "$NAMESPACE" >/dev/null 2>&1
        rm -rf -- "$WORK"
    fi
    sweep_probes
}

cri() { timeout "$PULL_SECONDS" crictl -r "unix://$SOCKET" -i "unix://$SOCKET" "$@"; }

by_ctr() {
    mkdir -p "$WORK/$probe" && probe_hosts >"$WORK/$probe/hosts.toml"
    local_pull=
    case $(ctr images pull --help 2>/dev/null) in *--local*) local_pull=--local ;; esac
    # shellcheck disable=SC2086 # the flag is a word or nothing
    timeout "$PULL_SECONDS" ctr -a "$SOCKET" -n "$NAMESPACE" images pull $local_pull \
        --hosts-dir "$WORK" "$image"
}

hello
probe=$$.$PROBE_NAME
image=$probe/fleet-selftest:$TAG
if [ "$CRICTL" = 1 ] && [ -z "$LIVENESS" ]; then
    image=127.0.0.1:$PORT/fleet-selftest:$TAG # without a folder, loopback is asked in plain HTTP
fi
trap tidy EXIT
trap 'exit 143' HUP INT TERM
read -r begin _ </proc/uptime
code=0
if [ "$CRICTL" = 1 ]; then
    [ -z "$LIVENESS" ] || output=$(lay_probe 2>&1) || code=1
    [ "$code" = 1 ] || output=$(cri pull "$image" 2>&1) || code=$?
else
    output=$(by_ctr 2>&1) || code=$?
fi
read -r end _ </proc/uptime
value image "$image"
value code "$code"
value output "$(printf '%s' "$output" | tail -c 4000)"
value times "$begin $end"
bye
