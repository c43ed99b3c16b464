# The removal of fleet's own files from a node. The state is renamed first: a removal that is killed
# leaves either all of it or a folder that the next removal deletes.
# requires: paths
# outputs: GONE
# functions: removal_delete

GONE=$STATE.removed

removal_delete() { # delete guard, state and lock; the lock goes last
    local unit
    unit=
    [ ! -e "$GUARD_UNIT" ] || unit=$GUARD_UNIT
    systemctl stop --no-block 'fleet-guard-*.timer' 2>/dev/null
    rm -rf -- "$GUARD_WANTED" "$GUARD_UNIT" "$GONE" || return 1
    [ -z "$unit" ] || systemctl daemon-reload
    if [ -d "$STATE" ]; then
        mv -T -- "$STATE" "$GONE" 2>/dev/null || GONE=$STATE # a mount point cannot be renamed
        sync "${STATE%/*}"
    fi
    rm -rf -- "$GONE" && rm -rf -- "$RUN"
}
