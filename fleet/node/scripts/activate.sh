# Activate a staged change: check, keep, arm the guard, swap, restart, gate. POSIX sh. In: as for
# stage.sh, and EMPTIED UNIT SOCKET RESTART CRICTL HEALTH_SECONDS RESTART_SECONDS WORKLOADS; LIVENESS
# READ_BEFORE RESTORES: the folder to ask for, the one that files named before, and for a rollback the
# generation that tells which one was live then. ILL: why the node is not healthy before the change.
# Whatever fails before the swap leaves the node as it was; whatever fails after it is taken back
# here, on the node, whether or not anybody still listens. The guard stays armed until a new
# connection confirms.
WHY=failed
ARMED=0
RESTARTING=0

finish() { # status
    trap - EXIT
    audit "$1"
    still_held "$1"
    value status "$1"
    bye
    exit 0
}

fail() { # kind, step, message, remedy, evidence
    failure "$@"
    [ "$RESTARTING" = 1 ] || RESTART=0 # the running daemon has not read the change
    [ "$SWAPPED" = 1 ] && take_back
    if [ "$ARMED" = 1 ]; then # nothing was swapped; the guard removes later what cannot go now
        if ! complaint=$({ sweep_beside && undo_directories && guard_goes; } 2>&1) ||
            ! settled_as restored failed; then
            again
            finish unsettled
        fi
        rm -rf -- "$KEPT"
        disarm
    elif [ "$1" != locked ]; then
        rm -rf -- "$STAGE"
        let_go
    fi
    [ "$1" = unstaged ] || finish failed
    finish unstaged
}

note_pending() { # from here on the change is known to be unfinished, also after a crash
    { mv -T "$PENDING.tmp" "$PENDING" && { [ "$GUARD" != 0 ] || sync "$STATE"; }; } \
        2>"$STAGE/error" && ARMED=1 && return 0
    complaint=$(cat "$STAGE/error")
    rm -rf -- "$PENDING.tmp" "$KEPT"
    unwritten arm "write the guard under $STATE" "$complaint"
}

arm() { # a timer for now, a unit for the boot that may come before it
    note_pending
    [ "$GUARD" != 0 ] || return 0
    complaint=$(arm_boot 2>&1) ||
        unwritten arm 'write the boot guard to /etc/systemd/system' "$complaint" /etc
    complaint=$(arm_timer "$GUARD" 2>&1) ||
        fail unsupported arm 'systemd-run cannot start the timer of the guard' \
            'fix what it reports, or roll out without a guard (--guard 0)' "$complaint"
}

lost_workloads() { # those of $before_restart whose process the restart has ended
    now=$(tasks)
    printf '%s\n' "$before_restart" | while read -r space container process state; do
        [ -n "$container" ] || continue
        case "
$now
" in *"
$space $container $process $state
"* | *"
$space $container $process STOPPED
"*) continue ;; esac
        # A container that is gone altogether was removed by whoever made it.
        timeout 10 ctr -a "$SOCKET" -n "$space" containers info "$container" >/dev/null 2>&1 &&
            printf '%s/%s (process %s)\n' "$space" "$container" "$process"
    done
}

check_workloads() {
    [ -n "$before_restart" ] || return 0
    value workloads "$(printf '%s\n' "$before_restart" | grep -c .)"
    all_run "$before_restart" && return 0
    lost=$(lost_workloads)
    [ -n "$lost" ] || return 0
    value lost_workloads "$lost"
    [ "$WORKLOADS" = disrupt ] && return 0
    fail workloads restart "a restart of $UNIT ends running containers" \
        "find the reason in \`systemctl cat $UNIT\`, or allow it with --disrupt-workloads" "$lost"
}

note_live() { # in the generation: a way back to it must find the daemon reading that folder
    { printf '%s\n' "$1" >"$KEPT/live" && sync "$KEPT/live"; } 2>/dev/null
    return 0
}

not_swapped() {
    [ -z "$strange" ] || fail stale swap \
        "$strange was edited during the swap, and the edit was kept" 'run the command again'
    unwritten swap 'put the new files in place' "$(cat "$STAGE/error")"
}

unwell() {
    [ "$refused" = 0 ] || fail restart restart \
        "$UNIT does not start with the new config" "$SEE" "$(reason)"
    fail health health "$UNIT did not become healthy within $limit s: $unhealthy" \
        "$SEE" "$(reason)"
}

ask_before() { # where nothing restarts, the answer after the swap is the one before it as well
    [ -n "$READ_BEFORE" ] && [ "$RESTART" = 1 ] || return 0
    wanted=$LIVENESS
    LIVENESS=$READ_BEFORE
    listen 0
    LIVENESS=$wanted
    [ "$liveness" != live ] || note_live "$READ_BEFORE"
}

activate() {
    ill_then=
    if [ -n "$RESTORES" ]; then
        [ "$ASKS" = 0 ] || LIVENESS=$(word "$STATE/generations/$RESTORES/live")
        ill_then=$(word "$STATE/generations/$RESTORES/ill")
        [ -z "$ill_then" ] || HEALTH_SECONDS=5
    fi
    mutex 2 || refuse_busy
    hold
    [ "$(word "$STAGE/digest")" = "$DIGEST" ] || fail unstaged check \
        'the staged files in /run/fleet are gone, as after a reboot' 'run the command again'
    [ ! -d "$PENDING" ] || unconfirmed conflict check
    step check
    check
    step keep
    content=$(cat -- "$STAGE/bundle")
    keep
    ask_before
    step arm
    arm
    step stage
    beside
    found=
    [ "$RESTART" = 0 ] || running
    before_restart=$found
    step swap
    SWAPPED=1
    swap 2>"$STAGE/error" || not_swapped
    step restart
    RESTARTING=1
    restart
    step health
    gate || as_ill_as "$ill_then" || unwell
    tell_liveness || deaf
    [ "$liveness" != live ] || [ "$LIVENESS" != "$READ_BEFORE" ] || [ "$RESTART" = 1 ] ||
        note_live "$LIVENESS"
    # A daemon that is down, as it was then, ends no container, and cannot be asked for them.
    [ "$RESTART" = 0 ] || [ "$unit" != active/running ] || check_workloads
    phase "swapped $daemon" ||
        unwritten swap "write under $STATE"
    step swapped
    finish swapped
}

interrupted() {
    fail timeout activate "$LATE" "$LATE_REMEDY"
}

hello
MODE=activate
trap '' PIPE HUP
trap interrupted TERM INT
trap 'fail bug activate "$EARLY" "$EARLY_REMEDY"' EXIT
activate
