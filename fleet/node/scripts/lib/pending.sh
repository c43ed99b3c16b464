# The change that is neither confirmed nor reverted: its phase, its notes, and its end.
# requires: paths files steps
# functions: pending_set_phase pending_note pending_settle pending_fail

pending_set_phase() { # write the phase of the pending change atomically, and sync all beside it
    { printf '%s\n' "$1" >"$PENDING/phase.new" && sync "$PENDING"/*; } 2>/dev/null &&
        mv -fT "$PENDING/phase.new" "$PENDING/phase"
}

pending_note() { # write a small file of the pending change once: the first text stays
    [ -s "$PENDING/$1" ] || { printf '%.300s\n' "$2" >"$PENDING/$1"; } 2>/dev/null
    return 0
}

pending_settle() { # settle the change in phase $1, restored or unwell, by a rename to $LAST
    rm -rf -- "$LAST"
    pending_note why "${2:-}"
    pending_set_phase "$1" || rm -f "$PENDING/phase" || return 1 # full disk: no phase means restored
    mv -T "$PENDING" "$LAST" && sync "$LAST" "$STATE"
}

pending_fail() { # kind, step
    local left
    left=$(files_first_line "$PENDING/id")
    steps_fail "$1" "$2" "change $left is unconfirmed on this node" "wait until its guard reverts it, \
finish it with \`fleet resume\`, or revert it with \`fleet unlock $left\`"
}
