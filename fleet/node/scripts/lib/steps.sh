# The steps of a script, its failure and its end. The entry script names a handler for each of the
# two in ON_FAILURE and ON_FINISH.
# requires: protocol paths
# inputs: ID MESSAGE MODE ON_FAILURE ON_FINISH OPERATOR PURPOSE
# outputs: EARLY EARLY_REMEDY LATE LATE_REMEDY
# functions: steps_enter steps_audit steps_report_failure steps_fail steps_finish

EARLY='the script ended early because of a bug in fleet'
EARLY_REMEDY="report it with the output of \`fleet probe --json\` for this node"
LATE='the script ran out of time or was stopped'
LATE_REMEDY='run the command again when the node is less busy'

steps_enter() {
    local uptime
    read -r uptime _ </proc/uptime
    protocol_value step "$1 $uptime"
}

steps_audit() { # status; a record that cannot be written does not change how a script ends
    [ -d "$STATE" ] || return 0
    {
        case $MODE in activate | release) steps_prune_audit ;; esac
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$MODE" "$ID" \
            "$OPERATOR" "$1" "$PURPOSE" "$MESSAGE" >>"$STATE/audit.log"
    } 2>/dev/null
    return 0
}

# Keep the newest half of a log of more than 1 MiB. The log is replaced by a rename, so that it is
# whole after a crash, and only by the holder of the mutex, so that no line of another is lost.
steps_prune_audit() {
    local log size
    log=$STATE/audit.log
    [ -f "$log" ] && [ ! -L "$log" ] && size=$(stat -c %s -- "$log") &&
        [ "$size" -gt 1048576 ] && flock -n 9 || return 0
    tail -c 524288 -- "$log" | {
        IFS= read -r _ # the rest of a line
        cat
    } >"$log.new" && sync "$log.new" && mv -fT "$log.new" "$log" && return 0
    rm -f -- "$log.new"
}

steps_report_failure() { # kind, step, message, remedy, evidence
    protocol_value failure "$1"
    protocol_value failed_step "$2"
    protocol_value message "$3"
    protocol_value remedy "$4"
    protocol_value evidence "${5:-}"
}

steps_fail() { # kind, step, message, remedy, evidence
    steps_report_failure "$@"
    "$ON_FAILURE" "$@"
}

steps_finish() { # status
    "$ON_FINISH" "$1"
}
