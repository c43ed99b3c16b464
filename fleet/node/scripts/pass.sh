# What every pass shares: places, steps, failures, the mutex of a script and the lock of a rollout.
# The mutex is held by a process and goes with it; the lock is held by a rollout, dead or alive,
# until that rollout lets go, takes it up again, or somebody breaks it on purpose.
umask 077
STATE=/var/lib/fleet
KEPT=$STATE/generations/$ID
PENDING=$STATE/pending
LAST=$STATE/last
RUN=/run/fleet
STAGE=$RUN/stage-$ID
LOCK=$RUN/lock
GUARD_UNIT=/etc/systemd/system/fleet-guard.service
GUARD_WANTED=/etc/systemd/system/multi-user.target.wants/fleet-guard.service
SWAPPED=0
EARLY='the script ended early because of a bug in fleet'
EARLY_REMEDY="report it with the output of \`fleet probe --json\` for this node"
LATE='the script ran out of time or was stopped'
LATE_REMEDY='try again when the node is less busy'

step() {
    read -r uptime _ </proc/uptime
    value step "$1 $uptime"
}

digest() {
    if [ -f "$1" ]; then
        sum=$(sha256sum <"$1")
        printf '%s' "${sum%% *}"
    else
        printf '%s' -
    fi
}

every() { # run a command once, with every line of $1 as a further word
    list=$1
    shift
    lines
    # shellcheck disable=SC2086 # one word a line
    set -- "$@" $list
    words
    "$@"
}

siblings() { # name the files beside $path: the new one, the old one to restore, the replaced one
    folder=${path%/*}
    staged=$folder/.fleet-$ID.${path##*/}.new
    back=$folder/.fleet-$ID.${path##*/}.back
    aside=$path.fleet-$ID
}

word() { # the first line of a small file of ours, or nothing
    [ -f "$1" ] || return 0
    IFS= read -r line <"$1"
    printf '%s' "$line"
}

phase() { # write the phase of the pending change atomically, and sync all beside it
    { printf '%s\n' "$1" >"$PENDING/phase.new" && sync "$PENDING"/*; } 2>/dev/null &&
        mv -fT "$PENDING/phase.new" "$PENDING/phase"
}

audit() { # status
    [ -d "$STATE" ] && printf '%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        "$MODE" "$ID" "$OPERATOR" "$1" >>"$STATE/audit.log" 2>/dev/null
    return 0 # no script ends otherwise because a record of it could not be written
}

failure() { # kind, step, message, remedy, evidence
    value failure "$1"
    value failed_step "$2"
    value message "$3"
    value remedy "$4"
    value evidence "${5:-}"
}

unconfirmed() { # kind, step
    left=$(word "$PENDING/id")
    fail "$1" "$2" "change $left is unconfirmed on this node" "wait until its guard reverts it, \
finish it with \`fleet resume\`, or revert it with \`fleet unlock $left\`"
}

mutex() { # wait at most $1 seconds for the script that works here, longer for one of ours
    command -v flock >/dev/null ||
        fail unsupported lock 'flock is missing on this node' 'install util-linux'
    # A failed redirection of exec would end the shell; that of printf does not.
    { { [ -d "$RUN" ] || mkdir -p "$RUN"; } && printf '' >>"$RUN/mutex"; } 2>/dev/null || {
        complaint=$({ mkdir -p "$RUN" && printf '' >>"$RUN/mutex"; } 2>&1)
        unwritten lock "write to $RUN" "$complaint" /run
    }
    exec 9>"$RUN/mutex"
    flock -w "$1" 9 || { own_lock && flock -w "$((10 * $1))" 9; }
}

own_lock() { [ "$(word "$LOCK")" = "$ROLLOUT" ]; }

told_lock() { # who, since when, for what
    [ -f "$LOCK" ] && { IFS= read -r who && IFS= read -r by && IFS= read -r what &&
        IFS= read -r since && IFS= read -r up; } <"$LOCK"
    read -r uptime _ </proc/uptime
    up=${up:-$uptime}
    age=$((${uptime%.*} - ${up%.*}))
    printf 'held by %s %s of %s since %s (%s s ago)' \
        "${what:-rollout}" "${who:-?}" "${by:-?}" "${since:-?}" "$age"
}

hold() { # take this node's lock for the rollout, or find that it has it already
    if [ -e "$LOCK" ] && ! own_lock; then
        fail locked lock "this node is $(told_lock)" \
            "wait for its end, or if that run is dead, run \`fleet unlock $(word "$LOCK")\`"
    fi
    own_lock && return 0
    read -r uptime _ </proc/uptime
    if ! printf '%s\n%s\n%s\n%s\n%s\n' "$ROLLOUT" "$OPERATOR" "$PURPOSE" \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$uptime" >"$LOCK.tmp" || ! mv -T "$LOCK.tmp" "$LOCK"; then
        complaint=$({ printf '%100s\n' x >"$LOCK.tmp" && mv -T "$LOCK.tmp" "$LOCK.try"; } 2>&1)
        rm -f "$LOCK.tmp" "$LOCK.try"
        unwritten lock "write $LOCK" "$complaint" "$RUN"
    fi
}

let_go() {
    own_lock && rm -f "$LOCK"
    return 0
}

refuse_busy() {
    fail locked lock "another fleet script is running on this node, $(told_lock)" \
        'wait for its end, then try again'
}
