# A check that the files of a change can be replaced. What forbids it is reported while staging,
# before any change or restart. Nothing is written, and no process is started if all is well.
# requires: text paths change steps operations storage
# inputs: GUARD OPERATIONS
# functions: movable_check

# List files of the change that are mount points, which rename cannot replace.
movable_mount_points() {
    local point
    mounted=
    while read -r _ _ _ _ point _; do
        case $OPERATIONS$NL in *"$TAB$point$NL"*) mounted=$mounted$point$NL ;; esac
    done </proc/self/mountinfo
}

movable_check_writable() { # refuse unless $1, or the nearest existing folder above it, is writable
    local place complaint
    place=$1
    until [ -e "$place" ] || [ -z "$place" ]; do place=${place%/*}; done
    [ -w "${place:-/}" ] && return 0
    complaint=$(touch -c -- "${place:-/}" 2>&1)
    storage_fail stage "write $place" "$complaint" "$place"
}

movable_check_operation() {
    case $NL$mounted in
    *"$NL$path$NL"*)
        steps_fail conflict stage "$path is a mount point, so it cannot be replaced (EBUSY)" \
            "run \`umount $path\`, or mount its folder instead" "$(findmnt -n -- "$path" 2>&1)"
        ;;
    esac
    [ ! -f "$path" ] || [ -L "$path" ] || movable_check_writable "$path"
    movable_check_writable "$folder"
}

movable_check() {
    local mounted
    movable_mount_points
    operations_each movable_check_operation || exit 1
    movable_check_writable "$STATE"
    [ "$GUARD" = 0 ] || movable_check_writable "${GUARD_UNIT%/*}"
}
