# Settle a change: say how it stands, confirm it, take it back, or let go of the node. POSIX sh.
# In: MODE (look, confirm, recheck, revert, release) ID ROLLOUT OPERATOR UNIT SOCKET CRICTL
# HEALTH_SECONDS. A change is pending until it is confirmed or restored; then it is the last one.
WHY=asked

finish() { # status
    trap - EXIT
    [ "$MODE" = look ] || audit "$1"
    value status "$1"
    bye
    exit 0
}

fail() {
    failure "$@"
    finish failed
}

first() { # note the first line of a small file of ours in $line; `word` costs a process
    line=
    [ ! -f "$1" ] || IFS= read -r line <"$1"
}

standing() { # set $standing: armed, swapped, reverting, confirmed, restored, unwell, untouched
    standing=untouched
    first "$PENDING/id"
    if [ "$line" = "$ID" ]; then
        first "$PENDING/phase"
        standing=${line:-reverting}
        return 0
    fi
    first "$LAST/id"
    [ "$line" = "$ID" ] || return 0
    first "$LAST/phase"
    case $line in
    swapped*) standing=confirmed ;;
    *) standing=${line:-restored} ;;
    esac
}

tidy_up() { # finish what was killed after the rename that settled it: guard, stage and lock go
    case $standing in confirmed | restored | unwell) ! own_lock || disarm ;; esac
}

tell() {
    standing
    tidy_up
    value standing "$standing"
    first "$LAST/why"
    value why "$line"
    [ "$standing" != confirmed ] || as_written || value strange "$strange"
    [ ! -e "$LOCK" ] || value lock "$(cat "$LOCK")"
    [ ! -e "$LOCK" ] || value told "$(told_lock)"
    first "$PENDING/id"
    value pending "$line"
}

look() {
    if mutex 0; then
        tell
    else
        [ ! -e "$LOCK" ] || value lock "$(cat "$LOCK")"
        [ ! -e "$LOCK" ] || value told "$(told_lock)"
        value standing applying
    fi
    finish looked
}

to_ask() { # note the folder that the change of $1 has to find read
    first "$1/liveness"
    LIVENESS=$line
}

listens() { tell_liveness || deaf; }

ill_then() { # note in $ill why the state that the change of $1 has restored was not healthy
    first "$1/ill"
    ill=$line
    [ -z "$ill" ] || HEALTH_SECONDS=1
}

same_daemon() { # the daemon of the swap still runs, and so does its CRI plugin
    to_ask "$PENDING"
    ill_then "$PENDING"
    if ! gate; then
        as_ill_as "$ill" && return 0
        fail health soak "$UNIT was healthy, but did not stay healthy: $unhealthy" "$SEE" "$(reason)"
    fi
    first "$PENDING/phase"
    phase=$line
    [ "$phase" = "swapped $daemon" ] || [ -n "$ill" ] ||
        fail health soak "$UNIT was healthy, but did not stay up" "$SEE" \
            "was $phase; is $properties"
}

tidied() { # what has to go with the confirmation can go: a disk may be read-only by now
    sweep_beside && guard_goes
}

refuse_strange() { # refuse to go on if a file of the change was edited since
    as_written || fail stale "$MODE" "$strange was edited after the change wrote it" \
        "find what edited it with \`fleet drift\`, then roll out again"
}

confirm() {
    mutex 20 || refuse_busy
    standing
    case $standing in
    swapped*) ;;
    *)
        tell
        finish not_pending
        ;;
    esac
    same_daemon
    listens
    refuse_strange
    complaint=$(tidied 2>&1) ||
        unwritten confirm 'sweep what was laid beside the files' "$complaint"
    # The rename counts; what follows only tidies up, and a crash before it changes nothing.
    [ ! -e "$LAST" ] || rm -rf -- "$LAST"
    if ! mv -T "$PENDING" "$LAST"; then
        unwritten confirm "write under $STATE"
    fi
    sync "$LAST" "$STATE"
    disarm
    finish confirmed
}

recheck() { # a confirmed change, some time after
    mutex 20 || refuse_busy
    standing
    if [ "$standing" != confirmed ]; then
        tell
        finish not_pending
    fi
    to_ask "$LAST"
    ill_then "$LAST"
    gate || as_ill_as "$ill" ||
        fail health pause "$UNIT did not stay healthy: $unhealthy" "$SEE" "$(reason)"
    listens
    refuse_strange
    finish confirmed
}

check_ours() { # a confirmed change is taken back only while it is the newest one
    while IFS="$TAB" read -r wrote path; do
        [ "$path" = "$STATE/state.json" ] || continue
        [ "$(digest "$path")" = "$wrote" ] && return 0
        fail stale revert "a newer change than $ID is active on this node, and was kept" \
            "revert both with \`fleet rollback --to $ID\`"
    done <"$KEPT/after"
}

unconfirm() { # from here on the change is to be taken back, also by a boot or without us
    [ -f "$KEPT/manifest" ] || fail no_generation revert \
        "the saved files in $KEPT are gone" 'roll out the previous mirrors.yaml'
    intact || fail no_generation revert \
        "$KEPT/$damage is damaged, as after a power cut" 'roll out the previous mirrors.yaml'
    check_ours
    if ! mv -T "$LAST" "$PENDING" || ! sync "$STATE" || ! phase armed; then
        unwritten revert "write under $STATE"
    fi
    arm_boot 2>/dev/null
    arm_timer 60 2>/dev/null
}

revert() {
    mutex 20 || refuse_busy
    standing
    case $standing in
    armed | swapped* | reverting) ;;
    confirmed) unconfirm ;;
    *)
        tell
        finish not_pending
        ;;
    esac
    trap - EXIT TERM INT
    kill "$PULSE" 2>/dev/null
    exec sh "$PENDING/guard.sh" asked
}

release() { # a change that stands unconfirmed is not let go of
    mutex 2 || refuse_busy
    if [ ! -e "$LOCK" ] || own_lock; then
        [ "$(word "$PENDING/id")" != "$ID" ] || unconfirmed conflict release
        rm -rf -- "$STAGE"
        let_go
        finish released
    fi
    tell
    finish not_ours
}

hello
case $MODE in confirm | recheck) own_folders ;; *) only_roots ;; esac # staging has checked it for those
trap '' PIPE HUP
trap 'fail timeout settle "$LATE" "$LATE_REMEDY"' TERM INT
trap 'fail bug settle "$EARLY" "$EARLY_REMEDY"' EXIT
"$MODE"
