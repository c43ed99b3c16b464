# Activate a staged change: check it again, save the generation, arm the guard, swap, restart,
# check. A failure before the swap leaves the node as it was. A failure after it is reverted here,
# on the node, even if the connection is lost. The guard stays armed until a new connection
# confirms. READ_BEFORE is the hosts directory that the config names before the change. RESTORES is
# the generation that a rollback restores. ILL is the reason why the node is unhealthy before it.
# requires: environment protocol paths change files steps daemon generation guard health liveness
# requires: lock pending prepare restore revert stale storage swap workloads
# inputs: ASKS DIGEST GUARD READ_BEFORE RESTORES UNIT WORKLOADS

ON_FAILURE=activate_on_failure
ON_FINISH=activate_finish
WHY=failed
SWAPPED=0
ARMED=0
RESTARTING=0

activate_finish() { # status
    trap - EXIT
    steps_audit "$1"
    revert_report_held "$1"
    protocol_value status "$1"
    protocol_end
    exit 0
}

activate_on_failure() { # kind
    local complaint
    # The running daemon has not read the change; a distribution restarts it for any event.
    [ "$RESTARTING" = 1 ] || [ "$RESTART" = self ] || RESTART=0
    [ "$SWAPPED" = 1 ] && revert_change
    if [ "$ARMED" = 1 ]; then # nothing was swapped; the guard removes later what cannot go now
        if ! complaint=$({ restore_sweep && restore_remove_directories && guard_is_removable; } 2>&1) ||
            ! pending_settle restored failed; then
            guard_arm_again
            activate_finish unsettled
        fi
        rm -rf -- "$KEPT"
        guard_disarm
    elif [ "$1" != locked ]; then
        rm -rf -- "$STAGE"
        lock_release
    fi
    [ "$1" = unstaged ] || activate_finish failed
    activate_finish unstaged
}

activate_note_pending() { # put the record of the unfinished change in place; it survives a crash
    local complaint
    { mv -T "$PENDING.tmp" "$PENDING" && { [ "$GUARD" != 0 ] || sync "$STATE"; }; } \
        2>"$STAGE/error" && ARMED=1 && return 0
    complaint=$(cat "$STAGE/error")
    rm -rf -- "$PENDING.tmp" "$KEPT"
    storage_fail arm "write the guard under $STATE" "$complaint"
}

activate_arm() { # arm the guard: a timer, and a unit in case the node boots before the timer fires
    local complaint
    activate_note_pending
    [ "$GUARD" != 0 ] || return 0
    complaint=$(guard_arm_boot 2>&1) ||
        storage_fail arm 'write the boot guard to /etc/systemd/system' "$complaint" /etc
    complaint=$(guard_arm_timer "$GUARD" 2>&1) ||
        steps_fail unsupported arm 'systemd-run cannot start the timer of the guard' \
            'fix what it reports, or run the command again with --guard 0 (no guard)' "$complaint"
}

activate_check_workloads() {
    local lost
    [ -n "$before_restart" ] || return 0
    workloads_all_run "$before_restart" && return 0
    lost=$(workloads_lost)
    [ -n "$lost" ] || return 0
    [ "$WORKLOADS" = disrupt ] && return 0
    steps_fail workloads restart "a restart of $UNIT ends running containers" \
        "find the reason in \`systemctl cat $UNIT\`, or allow it with --disrupt-workloads" "$lost"
}

# Record in the generation that the daemon reads folder $1; it must do so again after a revert.
activate_note_live() {
    { printf '%s\n' "$1" >"$KEPT/live" && sync "$KEPT/live"; } 2>/dev/null
    return 0
}

activate_fail_swap() {
    [ -z "$strange" ] || steps_fail stale swap \
        "$strange was edited during the swap, and the edit was kept" 'run the command again'
    storage_fail swap 'put the new files in place' "$(cat "$STAGE/error")"
}

activate_fail_respawn() {
    steps_fail restart restart "$UNIT did not restart its containerd after the change" \
        "$SEE" "$(health_evidence)"
}

activate_fail_unwell() {
    [ "$refused" = 0 ] || steps_fail restart restart \
        "$UNIT does not start with the new config" "$SEE" "$(health_evidence)"
    steps_fail health health "$UNIT did not become healthy within $limit s: $unhealthy" \
        "$SEE" "$(health_evidence)"
}

# Check liveness before the swap. Without a restart, the check after the swap gives the same answer.
activate_ask_before() {
    local wanted
    [ -n "$READ_BEFORE" ] && [ "$RESTART" = 1 ] || return 0
    wanted=$LIVENESS
    LIVENESS=$READ_BEFORE
    liveness_find 0
    LIVENESS=$wanted
    [ "$liveness" != live ] || activate_note_live "$READ_BEFORE"
}

activate_change() {
    local workloads
    ill_then=
    if [ -n "$RESTORES" ]; then
        [ "$ASKS" = 0 ] || LIVENESS=$(files_first_line "$STATE/generations/$RESTORES/live")
        ill_then=$(files_first_line "$STATE/generations/$RESTORES/ill")
        [ -z "$ill_then" ] || HEALTH_SECONDS=5
    fi
    lock_take_mutex 2 || lock_fail_busy
    lock_acquire
    [ "$(files_first_line "$STAGE/digest")" = "$DIGEST" ] || steps_fail unstaged check \
        'the staged files in /run/fleet are gone (a reboot)' 'run the command again'
    [ ! -d "$PENDING" ] || pending_fail conflict check
    steps_enter check
    stale_check
    steps_enter keep
    content=$(cat -- "$STAGE/bundle")
    generation_save
    activate_ask_before
    steps_enter arm
    activate_arm
    steps_enter stage
    prepare_files
    workloads=
    [ "$RESTART" = 0 ] || workloads_find
    before_restart=$workloads
    steps_enter swap
    SWAPPED=1
    daemon_note_process
    swap_all 2>"$STAGE/error" || activate_fail_swap
    # What is left beside the new files goes now: removed later, it would be one more restart.
    [ "$RESTART" != self ] || restore_sweep 2>"$STAGE/error" || activate_fail_swap
    steps_enter restart
    RESTARTING=1
    daemon_restart
    [ "$RESTART/$refused" != self/1 ] || activate_fail_respawn
    steps_enter health
    health_wait || health_was_ill "$ill_then" || activate_fail_unwell
    liveness_report || liveness_fail
    [ "$liveness" != live ] || [ "$LIVENESS" != "$READ_BEFORE" ] || [ "$RESTART" = 1 ] ||
        activate_note_live "$LIVENESS"
    # A daemon that was down before and still is ends no container, and cannot list them.
    [ "$RESTART" = 0 ] || [ "$unit" != active/running ] || activate_check_workloads
    pending_set_phase "swapped $daemon" ||
        storage_fail swap "write under $STATE"
    steps_enter swapped
    activate_finish swapped
}

activate_interrupted() {
    steps_fail timeout activate "$LATE" "$LATE_REMEDY"
}

protocol_begin
MODE=activate
trap '' PIPE HUP
trap activate_interrupted TERM INT
trap 'steps_fail bug activate "$EARLY" "$EARLY_REMEDY"' EXIT
activate_change
