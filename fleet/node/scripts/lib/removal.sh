# The removal of fleet's own files from a node. The state is renamed first: a removal that is killed
# leaves either all of it or a folder that the next removal deletes.
# requires: paths
# functions: removal_delete

removal_empty_generations() { # delete the generations behind link $1, and their folder if it is empty
    local entry target
    [ -L "$1" ] || return 0
    target=$(readlink -f -- "$1")
    for entry in "$target"/[0-9]*-[0-9]*-[0-9a-f]* "$target"/.merged; do
        rm -rf -- "$entry" || return 1
    done
    rmdir -- "$target" 2>/dev/null
    return 0
}

removal_empty() { # delete all that is fleet's in folder $1, which may hold things of others
    removal_empty_generations "$1/generations" || return 1
    rm -rf -- "$1/generations" "$1/pending" "$1/pending.tmp" "$1/last" "$1/state.json" \
        "$1/audit.log" "$1/audit.log.new" "$1"/proof-* "$1"/.fleet-*
}

removal_delete_link() { # delete link $1 and what is fleet's in the folder to which it leads
    local target
    target=$(readlink -f -- "$1")
    if [ -d "$target" ]; then
        removal_empty "$target" || return 1
        rmdir -- "$target" 2>/dev/null # it stays if others use it too
    fi
    rm -f -- "$1"
}

removal_delete_state() { # delete folder $1; a mount point stays, without what is fleet's
    if [ -L "$1" ]; then
        removal_delete_link "$1"
    elif mountpoint -q -- "$1" 2>/dev/null; then
        removal_empty "$1"
    else
        removal_empty_generations "$1/generations" && rm -rf -- "$1"
    fi
}

removal_delete() { # delete guard, state and lock; the lock goes last
    local unit gone
    gone=$STATE.removed
    unit=
    [ ! -e "$GUARD_UNIT" ] || unit=$GUARD_UNIT
    systemctl stop --no-block 'fleet-guard-*.timer' 2>/dev/null
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" && removal_delete_state "$gone" || return 1
    [ -z "$unit" ] || systemctl daemon-reload
    if [ -d "$STATE" ] || [ -L "$STATE" ]; then
        mv -T -- "$STATE" "$gone" 2>/dev/null || gone=$STATE # a mount point cannot be renamed
        sync "${STATE%/*}"
    fi
    removal_delete_state "$gone" && rm -rf -- "$RUN"
}
