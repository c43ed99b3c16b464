# The way back: restore a generation byte for byte, restart, prove, and let go. Run by the guard's
# timer, at boot, or because fleet asks. In: ID ROLLOUT OPERATOR UNIT SOCKET CRICTL RESTART
# HEALTH_SECONDS RESTART_SECONDS LIVENESS.

restart() {
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
    [ "$code" = 124 ] && return 0 # slow is not dead: the gate waits for it
    return "$code"
}

settled_as() { # the one step that counts: pending becomes last, restored or unwell
    rm -rf -- "$LAST"
    printf '%s\n' "${2:-}" >"$PENDING/why" 2>/dev/null
    phase "$1" || rm -f "$PENDING/phase" || return 1 # a full disk: without a phase it is restored
    mv -T "$PENDING" "$LAST" && sync "$LAST" "$STATE"
}

disarm() { # whatever of the guard still stands; what it would run is gone already
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" "$RUN/armed-$ID" "$STAGE" 2>/dev/null
    sync "${GUARD_WANTED%/*}" "${GUARD_UNIT%/*}" 2>/dev/null
    [ "$WHY" = boot ] ||
        systemctl stop "fleet-guard-$ID.timer" "fleet-guard-$ID-*.timer" 2>/dev/null
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
    restart && gate && still_live
}

take_back() {
    trap '' TERM INT
    step revert
    [ -z "$LIVENESS" ] || ! ours || rm -rf -- "$LIVENESS"/[0-9]*.fleet-probe.invalid
    if ! complaint=$(undo_files 2>&1); then
        value revert_evidence "$complaint"
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
    if settled_as restored "$WHY"; then
        [ "$WHY" = boot ] || rm -rf -- "$KEPT"
        disarm
    fi
    finish rolled_back
}

again() { # a disk that is full or read-only now may not be so later
    systemd-run --quiet --on-active=20 --timer-property=AccuracySec=1s \
        --unit "fleet-guard-$ID-$$" /bin/sh "$PENDING/guard.sh" timer "$ID" >/dev/null 2>&1
}
