# Fleet's own folders on a node. If another user can change one of them, as where a service of the
# same name has made it, root would read and write what that user wants.

STEERED='can be changed by users other than root, who could redirect what is written there'
STEERED_REMEDY='let only root write it (chown root, chmod go-w)'

own_folders() { # end if another user owns a folder of fleet's own, in which root reads and writes
    for each in /run/fleet /var/lib/fleet; do
        # shellcheck disable=SC3067 # dash, bash and busybox have -O
        [ ! -e "$each" ] || [ -O "$each" ] || end_steered "$each"
    done
}

end_steered() { # end, since another user can change folder $1
    trap - EXIT
    value steered "$1"
    bye
    exit 0
}

own_ways() { # start $ways with fleet's own folders
    ways=
    ends=
    walk /run/fleet
    walk /var/lib/fleet
}

only_roots() { # as own_folders, but for the modes of these folders and those above them as well
    own_ways
    steered=
    ! steered || end_steered "$steered"
}
