# The guard: laid beside the pending change, it takes back what nobody has confirmed. POSIX sh.
# $1 says who calls: timer, boot or asked; $2 which change a timer was armed for, since a late one
# finds another change here. A reboot between swap and confirm brings the old config
# back: it is the one that was proven to boot, and whether the new one is, nobody was left to say.
WHY=${1:-asked}
MODE=guard
before_this=$(word "$PENDING/failed") # an earlier try has failed, and was recorded

finish() { # status
    trap - EXIT
    [ -n "$before_this" ] || audit "$1"
    [ "$WHY" = asked ] || printf 'fleet: change %s, unconfirmed, %s (%s)\n' "$ID" "$1" "$WHY" >&2
    still_held "$1"
    value status "$1"
    bye
    case $WHY/$1 in asked/* | */rolled_back) exit 0 ;; esac
    exit 1
}

fail() {
    failure "$@"
    note failed "$3; $4"
    finish degraded
}

# shellcheck disable=SC3067 # dash, bash and busybox have -O
[ ! -e "$RUN" ] || [ -O "$RUN" ] || fail unsupported revert "$RUN $STEERED" "$STEERED_REMEDY"
[ "${2:-$ID}" = "$ID" ] || exec systemctl stop --no-block "fleet-guard-$2*.timer"
if [ "$WHY" != asked ]; then
    exec 3>&1 >/dev/null
    if [ "$WHY" = boot ]; then
        [ ! -e "$RUN/armed-$ID" ] || exit 0
        arm_timer 20 2>/dev/null # first: it takes over if this is killed or fails
    fi
    mutex 600 || exit 1
else
    live 9>&-
fi
[ "$(word "$PENDING/id")" = "$ID" ] || exit 0
BY_HAND="restore the registry config by hand, then remove $PENDING"
[ -f "$KEPT/manifest" ] || fail no_generation revert "the saved files in $KEPT are gone" "$BY_HAND"
intact || fail no_generation revert "$KEPT/$damage is damaged, as after a power cut" "$BY_HAND"
trap '' PIPE HUP
trap 'fail bug revert "$EARLY" "$EARLY_REMEDY"' EXIT
take_back
