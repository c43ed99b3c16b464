# The removal of fleet's own files from a node. The state is renamed first: a removal that is killed
# leaves either all of it or a folder that the next removal deletes.
# requires: paths
# functions: removal_delete

removal_delete() { # delete guard, state and lock; the lock goes last
    local unit gone
    gone=$STATE.removed
    unit=
    [ ! -e "$GUARD_UNIT" ] || unit=$GUARD_UNIT
    systemctl stop --no-block 'fleet-guard-*.timer' 2>/dev/null
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" "$gone" || return 1
    [ -z "$unit" ] || systemctl daemon-reload
    if [ -d "$STATE" ]; then
        mv -T -- "$STATE" "$gone" 2>/dev/null || gone=$STATE # a mount point cannot be renamed
        sync "${STATE%/*}"
    fi
    rm -rf -- "$gone" && rm -rf -- "$RUN"
}
