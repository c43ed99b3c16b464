# Health: the unit is active and CRI answers that its runtime is ready; without crictl, CRI's own
# plugin row says ok. Polled up to a deadline. Where CRI has said which hosts it asks, it answers: one
# service has both, and says so of its runtime as long as it is loaded.
SEE="find the reason in \`journalctl -u $UNIT\`"

property() { # note the value of one of the unit's properties, of $properties, in $noted
    rest=${properties#*"$1="}
    noted=${rest%%"$NL"*}
}

unit_now() { # note in $unit how the unit is, and in $daemon which process runs since when
    properties=$(systemctl show "$UNIT" -p ActiveState -p SubState -p MainPID -p NRestarts)
    property ActiveState
    unit=$noted
    property SubState
    unit=$unit/$noted
    property MainPID
    daemon=$noted
    property NRestarts
    daemon="$daemon $noted"
}

plugin_ok() { # the row of the CRI plugin itself must end in ok; an active unit says nothing
    printf '%s\n' "$1" | while read -r type id row; do
        [ "$type $id" = 'io.containerd.grpc.v1 cri' ] && [ "${row##* }" = ok ] && exit 5
    done
    [ $? = 5 ]
}

runtime_ready() {
    flat=$(printf '%s' "$1" | tr -d ' \n\t')
    case $flat in
    *'"status":true,"type":"RuntimeReady"'* | *'"type":"RuntimeReady","status":true'*) return 0 ;;
    esac
    return 1
}

healthy() {
    unit_now
    unhealthy="unit $unit"
    [ "$unit" = active/running ] || return 1
    [ "$liveness" != live ] || return 0
    if [ "$CRICTL" = 1 ]; then # a CRI that answers has its plugin
        unhealthy='CRI does not answer that its runtime is ready'
        info=$(GOMAXPROCS=1 GOGC=off timeout 10 crictl -r "unix://$SOCKET" -i "unix://$SOCKET" info 2>/dev/null) &&
            runtime_ready "$info" && return 0
    fi
    unhealthy='containerd does not answer'
    rows=$(GOMAXPROCS=1 GOGC=off timeout 10 ctr -a "$SOCKET" --connect-timeout 5s \
        plugins ls id==cri 2>/dev/null) || return 1
    if plugin_ok "$rows"; then
        unhealthy='CRI does not answer that its runtime is ready'
        [ "$CRICTL" = 0 ]
        return
    fi
    unhealthy='the CRI plugin is not ok, though the unit is active'
    return 1
}

gate() { # one question for both where there is a folder to ask for
    read -r begin _ </proc/uptime
    limit=$HEALTH_SECONDS
    [ "${refused:-0}" = 0 ] || [ "$limit" -le 10 ] || limit=10
    listen "$limit"
    until healthy; do
        read -r uptime _ </proc/uptime
        [ $((${uptime%.*} - ${begin%.*})) -lt "$limit" ] || return 1
        sleep 0.1
    done
}

as_ill_as() { # true if the restored state was not healthy when it was saved; $1 says why
    [ -n "$1" ] || return 1
    liveness=
    value ill "$unhealthy"
}

reason() {
    printf '%s\n' "${unhealthy:-}" "${complaint:-}"
    timeout 10 ctr -a "$SOCKET" plugins ls -d id==cri 2>&1 | head -n 12
    timeout 10 journalctl -u "$UNIT" -n 12 --no-pager -o cat 2>&1
}
