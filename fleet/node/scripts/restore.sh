# The way back: restore a generation byte for byte, restart, prove, and let go. Run by the guard's
# timer, at boot, or because fleet asks. In: ID ROLLOUT OPERATOR UNIT SOCKET CRICTL RESTART
# HEALTH_SECONDS RESTART_SECONDS LIVENESS.

restart() { # its exit code does not decide: the gate checks the daemon, briefly after a failure
    refused=0
    [ "$RESTART" = 1 ] || return 0
    grep -qs "$TAB/etc/systemd/" "$KEPT/manifest" && systemctl daemon-reload
    complaint=$(timeout "$RESTART_SECONDS" systemctl restart "$UNIT" 2>&1)
    code=$?
    case $code in
    0 | 124) ;;
    *) # one restart more than the unit may have at a time says nothing about the config
        case $(systemctl show "$UNIT" -p Result) in *start-limit-hit)
            systemctl reset-failed "$UNIT" 2>/dev/null
            complaint=$(timeout "$RESTART_SECONDS" systemctl restart "$UNIT" 2>&1)
            code=$?
            ;;
        esac
        ;;
    esac
    case $code in 0 | 124) ;; *) refused=1 ;; esac # slow is not dead: the gate waits for it
}

note() { # write a small file of the pending change once: the first text stays
    [ -s "$PENDING/$1" ] || { printf '%.300s\n' "$2" >"$PENDING/$1"; } 2>/dev/null
    return 0
}

settled_as() { # the one step that counts: pending becomes last, restored or unwell
    rm -rf -- "$LAST"
    note why "${2:-}"
    phase "$1" || rm -f "$PENDING/phase" || return 1 # a full disk: without a phase it is restored
    mv -T "$PENDING" "$LAST" && sync "$LAST" "$STATE"
}

disarm() { # whatever of the guard still stands; what it would run is gone already
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" "$RUN/armed-$ID" "$STAGE" 2>/dev/null
    sync "${GUARD_WANTED%/*}" "${GUARD_UNIT%/*}" 2>/dev/null
    systemctl stop --no-block "fleet-guard-$ID*.timer" 2>/dev/null
    let_go
}

still_live() { # what the daemon read before the change it reads again after the way back
    [ "$liveness" != deaf ] && return 0
    unhealthy="this daemon read $LIVENESS before the change, and does not any more: $said"
    return 1
}

restored() { # the old bytes are back; at boot the daemon starts after us
    [ "$WHY" = boot ] && return 0
    LIVENESS=$(word "$KEPT/live")
    restart
    { gate && still_live; } || as_ill_as "$(word "$KEPT/ill")"
}

undo() { # undo the files; check that the guard's unit can be removed too
    undo_files && guard_goes
}

guard_goes() { [ ! -e "$GUARD_UNIT" ] || printf '' >>"$GUARD_UNIT"; }

take_back() { # from here on the change is not in force, even if this script is killed
    trap '' TERM INT
    phase reverting || rm -f -- "$PENDING/phase" 2>/dev/null
    note why "$WHY"
    step revert
    [ -z "$LIVENESS" ] || ! ours || rm -rf -- "$LIVENESS"/[0-9]*.fleet-probe.invalid
    if ! complaint=$(undo 2>&1); then
        value revert_evidence "$complaint"
        note failed "${complaint:-killed}"
        [ "$WHY" = boot ] && finish degraded
        again # what runs has the old config or a proven one, and the change stays pending
        gate && finish unsettled
        finish degraded
    fi
    [ "$WHY" = boot ] && grep -qs "$TAB/etc/systemd/" "$KEPT/manifest" && systemctl daemon-reload
    RESTART_SECONDS=$((RESTART_SECONDS * 2))
    HEALTH_SECONDS=$((HEALTH_SECONDS * 2))
    liveness=
    if ! restored; then
        [ "$liveness" = deaf ] || unhealthy=$(reason)
        value revert_evidence "$unhealthy"
        settled_as unwell "$WHY" && disarm
        finish degraded
    fi
    step reverted
    if ! settled_as restored "$WHY"; then # all is restored, but the guard could not record it
        note failed "cannot write under $STATE"
        again
        finish unsettled
    fi
    [ "$WHY" = boot ] || rm -rf -- "$KEPT"
    disarm
    systemctl reset-failed fleet-guard.service 2>/dev/null # after a failed try at boot
    finish rolled_back
}

still_held() { # report that the lock or the change stays after a revert with status $1
    case $1 in swapped | rolled_back) return 0 ;; esac
    if own_lock || [ -e "$STAGE" ] || [ "$(word "$PENDING/id")" = "$ID" ]; then value held 1; fi
}

again() { # a disk that is full or read-only now may not be so later
    case $WHY in timer | boot) ;; *) arm_timer 20 -again >/dev/null 2>&1 ;; esac
}
