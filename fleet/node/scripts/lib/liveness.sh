# Liveness: whether the running daemon reads the hosts.toml files below $LIVENESS. A reserved
# registry name gets a folder whose only host is a closed port of this node. CRI is asked to pull
# from that name, and its error shows which host it tried. This needs no registry, image or restart.
# requires: protocol steps ownership
# inputs: CRICTL HEALTH_SECONDS LIVENESS PROBE_URL SOCKET UNIT
# outputs: PROBE_NAME liveness said
# functions: liveness_may_write liveness_sweep liveness_hosts liveness_lay liveness_find
# functions: liveness_report liveness_check liveness_fail

PROBE_NAME=fleet-probe.invalid
PROBE_URL=http://127.0.0.1:1

liveness_may_write() { # true if only root can change the folder; checked once
    local ways ends steered
    if [ "${unsafe_for:-}" != "$LIVENESS" ]; then
        unsafe_for=$LIVENESS
        unsafe=
        ways=
        ends=
        ownership_walk "$LIVENESS"
        ! ownership_find_shared || unsafe="not checked: $steered is writable for users other than root"
    fi
    [ -z "${unsafe:-}" ]
}

liveness_sweep() { # remove what a killed check has left, but not the folder of one that still runs
    local folder other
    [ -n "$LIVENESS" ] && liveness_may_write || return 0
    for folder in "$LIVENESS"/[0-9]*."$PROBE_NAME"; do
        [ -d "$folder" ] || continue
        other=${folder##*/}
        other=${other%%.*}
        [ "$other" != $$ ] && kill -0 "$other" 2>/dev/null && continue
        rm -rf -- "$folder"
    done
}

liveness_hosts() { # a host table and a server: some releases read only files that have both
    printf 'server = "%s"\n\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n' \
        "$PROBE_URL" "$PROBE_URL"
}

liveness_lay() {
    liveness_may_write || {
        printf '%s\n' "$unsafe"
        return 1
    }
    liveness_sweep
    [ -d "$LIVENESS" ] && mkdir -m 755 -- "$LIVENESS/$probe" &&
        liveness_hosts >"$LIVENESS/$probe/hosts.toml"
}

# Set $liveness from the output of a pull: live, not_reading, or empty.
liveness_read_answer() {
    case $1 in
    *"//127.0.0.1:1/"*) liveness=live ;;
    '' | *Unavailable* | *'not initialized'* | *'connection error'* | *DeadlineExceeded*) ;;
    *) liveness=not_reading ;;
    esac
}

liveness_ask() { # pull for at most $1 seconds, until CRI answers; a live daemon answers at once
    liveness=
    read -r asked _ </proc/uptime
    until [ -n "$liveness" ]; do
        said=$(GOMAXPROCS=1 GOGC=off timeout 10 crictl -r "unix://$SOCKET" -i "unix://$SOCKET" \
            pull "$probe/fleet:probe" 2>&1)
        liveness_read_answer "$said"
        read -r answered _ </proc/uptime
        [ $((${answered%.*} - ${asked%.*})) -lt "$1" ] || liveness=${liveness:-not_reading}
        [ -n "$liveness" ] || sleep 0.1
    done
}

liveness_find() { # set $liveness to live, not_reading or unchecked, in $1 seconds
    local probe
    liveness=
    [ -n "$LIVENESS" ] && [ "$CRICTL" = 1 ] || return 0
    probe=$$.$PROBE_NAME
    liveness_may_write # here, since the subshell of the next line cannot keep the result
    if said=$(liveness_lay 2>&1); then
        liveness_ask "$1"
        [ -d "$LIVENESS/$probe" ] || liveness=unchecked # another process removed it
    else
        liveness=unchecked
    fi
    liveness_sweep
}

liveness_report() { # return 1 if the daemon does not read the directory; unchecked is not a failure
    [ -n "$liveness" ] || return 0
    protocol_value liveness "$liveness ${asked:-0} ${answered:-0}"
    [ ${#said} -le 2000 ] || said=$(printf '%s' "$said" | tail -c 2000)
    protocol_value liveness_said "$said"
    [ "$liveness" != not_reading ]
}

liveness_check() {
    liveness_find "$HEALTH_SECONDS"
    liveness_report
}

liveness_fail() { # end with the output of the pull as evidence
    steps_fail health liveness "$UNIT does not read $LIVENESS: CRI ignored a test folder there" \
        "look for edits that are not loaded in \`fleet probe\`, and for the file that decides in \
\`fleet explain\`" "$said"
}
