# The guard's two triggers: a unit for a boot that comes before the change is settled, and a timer.

guard_text() {
    name=$UNIT
    case $name in *.service) ;; *) name=$name.service ;; esac
    printf '%s\n' '[Unit]' \
        'Description=fleet: take back a change of the registry config that nobody confirmed' \
        'ConditionPathExists=/var/lib/fleet/pending/guard.sh' "Before=$name" \
        'RequiresMountsFor=/var/lib/fleet' '[Service]' 'Type=oneshot' 'TimeoutStartSec=300' \
        'ExecStart=/bin/sh /var/lib/fleet/pending/guard.sh boot'
}

arm_boot() {
    : >"$RUN/armed-$ID" && guard_text >"$GUARD_UNIT" &&
        { [ -d "${GUARD_WANTED%/*}" ] || mkdir -p "${GUARD_WANTED%/*}"; } &&
        ln -sfn "$GUARD_UNIT" "$GUARD_WANTED" &&
        sync "$GUARD_UNIT" "${GUARD_UNIT%/*}" "${GUARD_WANTED%/*}" "$STATE"
}

arm_timer() { # seconds, part of a name; the guard is started again until it has succeeded
    timeout 20 systemd-run --quiet --collect --unit "fleet-guard-$ID${2:-}" --on-active="$1" \
        --on-unit-inactive=20 --timer-property=AccuracySec=1s /bin/sh -c \
        "[ ! -e $PENDING/guard.sh ] || exec /bin/sh $PENDING/guard.sh timer $ID; exec systemctl stop --no-block 'fleet-guard-$ID*.timer'"
}
