# Root works only in folders that no other user can change. In any other folder a name could be
# redirected between two steps. This matters most for fleet's own folders. If another user can
# change one of them, for example because a service of the same name made it, that user decides what
# root reads and writes.
# requires: text protocol
# inputs: ends ways
# outputs: steered ways
# functions: ownership_walk ownership_find_shared ownership_check_owner ownership_walk_own
# functions: ownership_check ownership_check_existing

# Add every folder on the way to $1, through links too, to $ways, its end to $ends.
ownership_walk() {
    local ahead at links piece leads
    ahead=$1
    at=
    links=0
    while [ -n "$ahead" ]; do
        ahead=${ahead#/}
        piece=${ahead%%/*}
        case $ahead in
        */*) ahead=/${ahead#*/} ;;
        *) ahead= ;;
        esac
        case $piece in
        '' | .) continue ;;
        ..)
            at=${at%/*}
            continue
            ;;
        esac
        if [ -L "$at/$piece" ] && [ "$links" -lt 40 ]; then
            links=$((links + 1))
            ownership_add_end "$at" # in a sticky folder the link could be another user's
            leads=$(readlink -- "$at/$piece")
            case $leads in /*) at= ;; esac
            ahead=/$leads$ahead
            continue
        fi
        [ -d "$at/$piece" ] || break
        at=$at/$piece
        case $NL$ways in *"$NL$at$NL"*) ;; *) ways=$ways$at$NL ;; esac
    done
    ownership_add_end "$at"
}

ownership_add_end() { # add a folder to $ends
    case $NL$ends in *"$NL$1$NL"*) ;; *) ends=$ends$1$NL ;; esac
}

ownership_bits_write() { case $1 in *[2367]) return 0 ;; *) return 1 ;; esac }

# True if a user other than root can change $steered, with group $1 and mode $2.
ownership_is_shared() {
    case $2 in
    [1357]???) # a sticky folder protects root's existing files, but not new names
        case $NL$ends in *"$NL$steered$NL"*) ;; *) return 1 ;; esac
        ;;
    esac
    ! ownership_bits_write "$2" || return 0
    # MicroK8s's group may run any container as root.
    case $steered in /var/snap/microk8s/*) return 1 ;; esac
    ownership_bits_write "${2%?}" || return 1
    [ "$1" = 0 ] && ! ownership_root_group_is_shared || return 0
    # With an ACL these bits are its mask: a user whom it names may write.
    case $(ls -ld -- "$steered") in ??????????+*) return 0 ;; esac
    return 1
}

ownership_root_group_is_shared() { # true if users other than root are members of root's group
    local members number
    while IFS=: read -r _ _ number members; do
        case $number:$members in 0: | 0:root) ;; 0:*) return 0 ;; esac
    done </etc/group
    return 1
}

# True if another user can change a folder of $ways, which $steered then names.
ownership_find_shared() {
    local bits group owner about
    [ -n "$ways" ] || return 1
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- $ways
    text_split_words
    steered=$1
    about=$(stat -c '%u %g %a %n' -- "$@") || return 0
    while read -r owner group bits steered; do
        [ "$owner" = 0 ] || return 0
        case $bits in 777) [ ! -L "$steered" ] || continue ;; esac # a link has no mode of its own
        ! ownership_is_shared "$group" "$bits" || return 0
    done <<LIST
$about
LIST
    return 1
}

# End if another user owns a folder of fleet's own, in which root reads and writes.
ownership_check_owner() {
    local each
    for each in /run/fleet /var/lib/fleet; do
        # shellcheck disable=SC3067 # dash, bash and busybox have -O
        [ ! -e "$each" ] || [ -O "$each" ] || ownership_end "$each"
    done
}

ownership_end() { # end, since another user can change folder $1
    trap - EXIT
    protocol_value steered "$1"
    protocol_end
    exit 0
}

# Start $ways with fleet's own folders and what is in them: it may be older than their owner.
ownership_walk_own() {
    local each
    ways=
    ends=
    ownership_walk /run/fleet
    ownership_walk /var/lib/fleet
    for each in /run/fleet/* /var/lib/fleet/* /var/lib/fleet/pending/* /var/lib/fleet/generations/*; do
        { [ ! -e "$each" ] && [ ! -L "$each" ]; } || ownership_add_entry "$each"
    done
}

ownership_add_entry() { # add an entry of fleet's own folders, and the folder to which it leads
    case $1 in *"$NL"*) return 0 ;; esac
    ways=$ways$1$NL
    [ ! -L "$1" ] || ownership_walk "$1"
}

ownership_check() { # as ownership_check_owner, but check the modes too, and the folders above
    local ways ends steered
    ownership_walk_own
    steered=
    ! ownership_find_shared || ownership_end "$steered"
}

ownership_check_existing() { # as ownership_check, unless there is nothing of fleet's own to read
    { [ ! -e /run/fleet ] && [ ! -e /var/lib/fleet ]; } || ownership_check
}
