# The guard: stored beside the pending change, it reverts a change that was not confirmed. $1 is
# the caller: timer, boot or asked. $2 is the change for which a timer was armed: a late timer may
# find another change. A reboot between swap and confirmation restores the old config, which is
# known to boot.
# requires: environment protocol paths change files steps daemon guard lock pending revert seal steered
# inputs: ID

ON_FAILURE=guard_on_failure
ON_FINISH=guard_on_finish
WHY=${1:-asked}
MODE=guard
before_this=$(files_first_line "$PENDING/failed") # set if an earlier try has failed

guard_on_finish() { # status
    trap - EXIT
    [ -n "$before_this" ] || steps_audit "$1"
    [ "$WHY" = asked ] || printf 'fleet: change %s, unconfirmed, %s (%s)\n' "$ID" "$1" "$WHY" >&2
    revert_report_held "$1"
    protocol_value status "$1"
    protocol_end
    case $WHY/$1 in asked/* | */rolled_back) exit 0 ;; esac
    exit 1
}

guard_on_failure() { # kind, step, message, remedy
    pending_note failed "$3; $4"
    guard_on_finish degraded
}

# shellcheck disable=SC3067 # dash, bash and busybox have -O
[ ! -e "$RUN" ] || [ -O "$RUN" ] || steps_fail unsupported revert "$RUN $STEERED" "$STEERED_OWN_REMEDY"
[ "${2:-$ID}" = "$ID" ] || exec systemctl stop --no-block "fleet-guard-$2*.timer"
if [ "$WHY" != asked ]; then
    exec 3>&1 >/dev/null
    if [ "$WHY" = boot ]; then
        [ ! -e "$RUN/armed-$ID" ] || exit 0
        guard_arm_timer 20 2>/dev/null # armed first: it tries again if this run fails or is killed
    fi
    lock_take_mutex 600 || exit 1
    [ "$WHY" = boot ] || ! daemon_is_starting || exit 1 # the timer tries again in 20 s
else
    protocol_start_pulse 9>&-
fi
[ "$(files_first_line "$PENDING/id")" = "$ID" ] || exit 0
BY_HAND="restore the registry config by hand, then remove $PENDING"
[ -f "$KEPT/manifest" ] || steps_fail no_generation revert "the saved files in $KEPT are gone" "$BY_HAND"
seal_is_intact "$KEPT" || steps_fail no_generation revert "$KEPT/$damage is damaged (a power cut or an edit)" "$BY_HAND"
trap '' PIPE HUP
trap 'steps_fail bug revert "$EARLY" "$EARLY_REMEDY"' EXIT
revert_change
