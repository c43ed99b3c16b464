# Settle a change: report its state, confirm it, recheck it, revert it, release the node, or remove
# fleet from it, by MODE. A change is pending until it is confirmed or restored; then it is the last
# one. RECORD is the digest of state.json as it must be before fleet is removed, CHECKS are folders
# of liveness checks that are removed too.
# requires: environment text protocol paths change files steps cleanup compare daemon guard health
# requires: liveness lock ownership pending prune removal restore seal storage
# inputs: CHECKS ID MODE RECORD SOCKET UNIT

ON_FAILURE=settle_on_failure
ON_FINISH=settle_finish
WHY=asked
PREVIOUS="run \`fleet rollout\` with the previous mirrors.yaml"

settle_finish() { # status
    trap - EXIT
    case $MODE in
    look) ;;
    remove) [ "$1" = removed ] || [ ! -e "$STATE/audit.log" ] || steps_audit "$1" ;;
    *) steps_audit "$1" ;;
    esac
    protocol_value status "$1"
    protocol_end
    exit 0
}

settle_on_failure() { # a failed removal leaves no lock behind: nothing of a change is pending
    [ "$MODE" != remove ] || [ -d "$PENDING" ] || lock_release
    settle_finish failed
}

# Set $standing: armed, swapped, reverting, confirmed, restored, unwell, untouched.
settle_read_state() {
    standing=untouched
    files_read_line "$PENDING/id"
    if [ "$line" = "$ID" ]; then
        files_read_line "$PENDING/phase"
        standing=${line:-reverting}
        return 0
    fi
    files_read_line "$LAST/id"
    [ "$line" = "$ID" ] || return 0
    files_read_line "$LAST/phase"
    case $line in
    swapped*) standing=confirmed ;;
    *) standing=${line:-restored} ;;
    esac
}

# Remove guard, stage and lock, which a script that was killed after it settled a change has left.
settle_tidy_up() {
    case $standing in confirmed | restored | unwell) ! lock_is_ours || guard_disarm ;; esac
}

settle_report() {
    settle_read_state
    settle_tidy_up
    protocol_value standing "$standing"
    files_read_line "$LAST/why"
    protocol_value why "$line"
    [ "$standing" != confirmed ] || compare_files || protocol_value strange "$strange"
    [ ! -f "$LOCK" ] || protocol_value lock "$(head -c 4096 -- "$LOCK")"
    [ ! -e "$LOCK" ] || protocol_value lock_description "$(lock_describe)"
    files_read_line "$PENDING/id"
    protocol_value pending "$line"
}

settle_look() {
    if lock_take_mutex 0; then
        settle_report
    else
        [ ! -f "$LOCK" ] || protocol_value lock "$(head -c 4096 -- "$LOCK")"
        [ ! -e "$LOCK" ] || protocol_value lock_description "$(lock_describe)"
        protocol_value standing applying
    fi
    settle_finish looked
}

settle_read_liveness() { # set $LIVENESS to the folder that the change in $1 makes the daemon read
    files_read_line "$1/liveness"
    LIVENESS=$line
}

settle_check_liveness() { liveness_report || liveness_fail; }

settle_read_ill() { # set $ill to why the state was unhealthy that the change in $1 has restored
    files_read_line "$1/ill"
    ill=$line
    [ -z "$ill" ] || HEALTH_SECONDS=1
}

settle_check_daemon() { # fail unless the daemon of the swap and its CRI plugin still run
    local phase
    settle_read_liveness "$PENDING"
    settle_read_ill "$PENDING"
    if ! health_wait; then
        health_was_ill "$ill" && return 0
        steps_fail health soak "$UNIT was healthy, but did not stay healthy: $unhealthy" "$SEE" "$(health_evidence)"
    fi
    files_read_line "$PENDING/phase"
    phase=$line
    [ "$phase" = "swapped $daemon" ] || [ -n "$ill" ] ||
        steps_fail health soak "$UNIT was healthy, but did not stay up" "$SEE" \
            "was $phase; is $properties"
}

settle_tidy() { # sweep; check that the guard's unit can be removed: a disk may be read-only by now
    restore_sweep && guard_is_removable
}

settle_check_files() { # refuse to go on if a file of the change was edited since
    compare_files || steps_fail stale "$MODE" "$strange was edited after the change wrote it" \
        "see who edited it with \`fleet drift\`, then run the command again"
}

settle_confirm() {
    local complaint
    lock_take_mutex 20 || lock_fail_busy
    settle_read_state
    case $standing in
    swapped*) ;;
    *)
        settle_report
        settle_finish not_pending
        ;;
    esac
    settle_check_daemon
    settle_check_liveness
    settle_check_files
    complaint=$(settle_tidy 2>&1) ||
        storage_fail confirm 'remove the temporary files beside the new ones' "$complaint"
    # The rename confirms the change. What follows is cleanup; a crash before it changes nothing.
    [ ! -e "$LAST" ] || rm -rf -- "$LAST"
    if ! mv -T "$PENDING" "$LAST"; then
        storage_fail confirm "write under $STATE"
    fi
    sync "$LAST" "$STATE"
    guard_disarm
    prune_generations >/dev/null 2>&1 # what fails here is tried again after the next change
    settle_finish confirmed
}

settle_recheck() { # check a confirmed change again, after a pause
    lock_take_mutex 20 || lock_fail_busy
    settle_read_state
    if [ "$standing" != confirmed ]; then
        settle_report
        settle_finish not_pending
    fi
    settle_read_liveness "$LAST"
    settle_read_ill "$LAST"
    health_wait || health_was_ill "$ill" ||
        steps_fail health pause "$UNIT did not stay healthy: $unhealthy" "$SEE" "$(health_evidence)"
    settle_check_liveness
    settle_check_files
    settle_finish confirmed
}

settle_check_newest() { # refuse to revert a confirmed change that is not the newest one
    local path wrote
    while IFS="$TAB" read -r wrote path; do
        [ "$path" = "$STATE/state.json" ] || continue
        [ "$(files_digest "$path")" = "$wrote" ] && return 0
        steps_fail stale revert "a newer change than $ID is active on this node and was kept" \
            "revert both with \`fleet rollback --to $ID\`"
    done <"$KEPT/after"
}

# Make the confirmed change pending again: if this script dies, the guard reverts it.
settle_unconfirm() {
    [ -f "$KEPT/manifest" ] || steps_fail no_generation revert \
        "the saved files in $KEPT are gone" "$PREVIOUS"
    seal_is_intact "$KEPT" || steps_fail no_generation revert \
        "$KEPT/$damage is damaged (a power cut or an edit)" "$PREVIOUS"
    settle_check_newest
    if ! mv -T "$LAST" "$PENDING" || ! sync "$STATE" || ! pending_set_phase armed; then
        storage_fail revert "write under $STATE"
    fi
    guard_arm_boot 2>/dev/null
    guard_arm_timer 60 2>/dev/null
}

settle_revert() {
    lock_take_mutex 20 || lock_fail_busy
    settle_read_state
    case $standing in
    armed | swapped* | reverting) ;;
    confirmed) settle_unconfirm ;;
    *)
        settle_report
        settle_finish not_pending
        ;;
    esac
    trap - EXIT TERM INT
    kill "$PULSE" 2>/dev/null
    exec sh "$PENDING/guard.sh" asked
}

settle_release() { # release this rollout's lock; fail if its change is still unconfirmed
    lock_take_mutex 2 || lock_fail_busy
    if [ ! -e "$LOCK" ] || lock_is_ours; then
        [ "$(files_first_line "$PENDING/id")" != "$ID" ] || pending_fail conflict release
        rm -rf -- "$STAGE"
        lock_release
        settle_finish released
    fi
    settle_report
    settle_finish not_ours
}

settle_remove_work() { # remove what killed checks and verifications have left outside of $STATE
    local folder NAMESPACE RUNTIME
    while IFS= read -r folder; do
        case $folder in /*/[0-9]*."$PROBE_NAME") ;; *) continue ;; esac
        LIVENESS=${folder%/*}
        liveness_sweep
    done <<LIST
$CHECKS
LIST
    NAMESPACE=k8s.io
    RUNTIME=${SOCKET%/*}
    cleanup_left_runs
}

settle_remove() { # remove fleet's own files, unless another change was made here meanwhile
    local complaint
    lock_take_mutex 20 || lock_fail_busy
    lock_acquire
    [ ! -d "$PENDING" ] || pending_fail conflict remove
    [ "$(files_digest "$STATE/state.json")" = "$RECORD" ] ||
        steps_fail stale remove "another change was made on this node after the plan" \
            'run the command again'
    (settle_remove_work) >/dev/null 2>&1 # a daemon that is down does not keep fleet on the node
    complaint=$(removal_delete 2>&1) || storage_fail remove "remove fleet's own files" "$complaint"
    settle_finish removed
}

protocol_begin
case $MODE in confirm | recheck) ownership_check_owner ;; *) ownership_check ;; esac # staging has checked modes
trap '' PIPE HUP
trap 'steps_fail timeout settle "$LATE" "$LATE_REMEDY"' TERM INT
trap 'steps_fail bug settle "$EARLY" "$EARLY_REMEDY"' EXIT
case $MODE in
look) settle_look ;;
confirm) settle_confirm ;;
recheck) settle_recheck ;;
revert) settle_revert ;;
release) settle_release ;;
remove) settle_remove ;;
esac
