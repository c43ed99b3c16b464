# The guard's two triggers: a unit for a boot that comes before the change is settled, and a timer.
# requires: paths change lock
# inputs: ID UNIT WHY
# functions: guard_arm_boot guard_arm_timer guard_arm_again guard_is_removable guard_disarm

guard_unit_text() {
    local name
    name=$UNIT
    case $name in *.service) ;; *) name=$name.service ;; esac
    printf '%s\n' '[Unit]' \
        'Description=fleet: revert an unconfirmed change of the registry config' \
        'ConditionPathExists=/var/lib/fleet/pending/guard.sh' "Before=$name" \
        'RequiresMountsFor=/var/lib/fleet' '[Service]' 'Type=oneshot' 'TimeoutStartSec=300' \
        'ExecStart=/bin/sh /var/lib/fleet/pending/guard.sh boot'
}

guard_arm_boot() {
    : >"$RUN/armed-$ID" && guard_unit_text >"$GUARD_UNIT" &&
        { [ -d "${GUARD_WANTED%/*}" ] || mkdir -p "${GUARD_WANTED%/*}"; } &&
        ln -sfn "$GUARD_UNIT" "$GUARD_WANTED" &&
        sync "$GUARD_UNIT" "${GUARD_UNIT%/*}" "${GUARD_WANTED%/*}" "$STATE"
}

guard_arm_timer() { # seconds, suffix of the name; systemd starts the guard again until it succeeds
    timeout 20 systemd-run --quiet --collect --unit "fleet-guard-$ID${2:-}" --on-active="$1" \
        --on-unit-inactive=20 --timer-property=AccuracySec=1s /bin/sh -c \
        "[ ! -e $PENDING/guard.sh ] || exec /bin/sh $PENDING/guard.sh timer $ID; exec systemctl stop --no-block 'fleet-guard-$ID*.timer'"
}

guard_arm_again() { # arm another timer: a full or read-only disk may be writable later
    case $WHY in timer | boot) ;; *) guard_arm_timer 20 -again >/dev/null 2>&1 ;; esac
}

guard_is_removable() { [ ! -e "$GUARD_UNIT" ] || printf '' >>"$GUARD_UNIT"; }

guard_disarm() { # remove the guard's units, the stage and the lock; the guard's script is gone
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" "$RUN/armed-$ID" "$STAGE" 2>/dev/null
    sync "${GUARD_WANTED%/*}" "${GUARD_UNIT%/*}" 2>/dev/null
    systemctl stop --no-block "fleet-guard-$ID*.timer" 2>/dev/null
    lock_release
}
