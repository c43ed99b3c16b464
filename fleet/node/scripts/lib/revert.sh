# The revert of a change: restore its generation, restart, check, and release the node. The guard's
# timer runs it, the guard's unit at boot, or fleet.
# requires: text protocol paths change files steps daemon guard health liveness lock pending restore
# inputs: ID WHY
# functions: revert_change revert_report_held

revert_is_live() { # true unless the daemon read its directory before the change and does not now
    [ "$liveness" != not_reading ] && return 0
    unhealthy="containerd no longer reads $LIVENESS, which it read before the change: $said"
    return 1
}

revert_check_daemon() { # check the daemon after the restore; at boot it starts after this script
    [ "$WHY" = boot ] && return 0
    LIVENESS=$(files_first_line "$KEPT/live")
    daemon_restart
    { health_wait && revert_is_live; } || health_was_ill "$(files_first_line "$KEPT/ill")"
}

revert_files() { # restore the files; check that the guard's unit can be removed too
    restore_files && guard_is_removable
}

revert_change() { # once this begins, the change can only be reverted, even if this script is killed
    trap '' TERM INT
    pending_set_phase reverting || rm -f -- "$PENDING/phase" 2>/dev/null
    pending_note why "$WHY"
    steps_enter revert
    [ -z "$LIVENESS" ] || ! liveness_may_write || rm -rf -- "$LIVENESS"/[0-9]*.fleet-probe.invalid
    daemon_note_process
    if ! complaint=$(revert_files 2>&1); then
        protocol_value revert_evidence "$complaint"
        pending_note failed "${complaint:-killed}"
        [ "$WHY" = boot ] && steps_finish degraded
        guard_arm_again # the daemon has the old or a verified config; the change stays pending
        health_wait && steps_finish unsettled
        steps_finish degraded
    fi
    [ "$WHY" = boot ] && grep -qs "$TAB/etc/systemd/" "$KEPT/manifest" && systemctl daemon-reload
    RESTART_SECONDS=$((RESTART_SECONDS * 2))
    HEALTH_SECONDS=$((HEALTH_SECONDS * 2))
    liveness=
    if ! revert_check_daemon; then
        [ "$liveness" = not_reading ] || unhealthy=$(health_evidence)
        protocol_value revert_evidence "$unhealthy"
        pending_settle unwell "$WHY" && guard_disarm
        steps_finish degraded
    fi
    steps_enter reverted
    if ! pending_settle restored "$WHY"; then # all is restored, but that could not be recorded
        pending_note failed "cannot write under $STATE"
        guard_arm_again
        steps_finish unsettled
    fi
    [ "$WHY" = boot ] || rm -rf -- "$KEPT"
    guard_disarm
    systemctl reset-failed fleet-guard.service 2>/dev/null # after a failed try at boot
    steps_finish rolled_back
}

revert_report_held() { # report that the lock or the change stays after a revert with status $1
    case $1 in swapped | rolled_back) return 0 ;; esac
    if lock_is_ours || [ -e "$STAGE" ] || [ "$(files_first_line "$PENDING/id")" = "$ID" ]; then protocol_value held 1; fi
}
