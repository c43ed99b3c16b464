# Health: the unit is active and CRI answers that its runtime is ready; without crictl, CRI's own
# plugin row says ok. It is polled up to a deadline. If the daemon has passed the liveness check,
# CRI is not asked again, since the same service answered that check.
# requires: protocol daemon liveness
# inputs: CRICTL HEALTH_SECONDS K0S SOCKET UNIT
# outputs: SEE limit unhealthy
# functions: health_wait health_was_ill health_evidence

SEE="find the reason in \`journalctl -u $UNIT\` on the node"

# The row of the CRI plugin itself must end in ok; an active unit proves nothing.
health_plugin_is_ok() {
    local id row type
    printf '%s\n' "$1" | while read -r type id row; do
        [ "$type $id" = 'io.containerd.grpc.v1 cri' ] && [ "${row##* }" = ok ] && exit 5
    done
    [ $? = 5 ]
}

health_runtime_is_ready() {
    local flat
    flat=$(printf '%s' "$1" | tr -d ' \n\t')
    case $flat in
    *'"status":true,"type":"RuntimeReady"'* | *'"type":"RuntimeReady","status":true'*) return 0 ;;
    esac
    return 1
}

health_check() {
    local info rows
    daemon_read_unit
    unhealthy="unit $unit"
    [ "$unit" = active/running ] || return 1
    [ "$liveness" != live ] || return 0
    if [ "$CRICTL" = 1 ]; then # if CRI answers, its plugin is loaded
        unhealthy='CRI does not report its runtime as ready'
        info=$(GOMAXPROCS=1 GOGC=off timeout 10 crictl -r "unix://$SOCKET" -i "unix://$SOCKET" info 2>/dev/null) &&
            health_runtime_is_ready "$info" && return 0
    fi
    unhealthy='containerd does not answer'
    rows=$(GOMAXPROCS=1 GOGC=off timeout 10 ${K0S:+"$K0S"} ctr -a "$SOCKET" --connect-timeout 5s \
        plugins ls id==cri 2>/dev/null) || return 1
    if health_plugin_is_ok "$rows"; then
        unhealthy='CRI does not report its runtime as ready'
        [ "$CRICTL" = 0 ]
        return
    fi
    unhealthy='the CRI plugin is not ok, although the unit is active'
    return 1
}

health_wait() { # wait for health; with $LIVENESS, the liveness check answers both questions
    local uptime begin
    read -r begin _ </proc/uptime
    limit=$HEALTH_SECONDS
    [ "${refused:-0}" = 0 ] || [ "$limit" -le 10 ] || limit=10
    liveness_find "$limit"
    until health_check; do
        read -r uptime _ </proc/uptime
        [ $((${uptime%.*} - ${begin%.*})) -lt "$limit" ] || return 1
        sleep 0.1
    done
}

health_was_ill() { # true if the restored state was unhealthy when saved: $1 is then the reason
    [ -n "$1" ] || return 1
    liveness=
    protocol_value ill "$unhealthy"
}

health_evidence() {
    printf '%s\n' "${unhealthy:-}" "${complaint:-}"
    timeout 10 ${K0S:+"$K0S"} ctr -a "$SOCKET" plugins ls -d id==cri 2>&1 | head -n 12
    timeout 10 journalctl -u "$UNIT" -n 12 --no-pager -o cat 2>&1
}
