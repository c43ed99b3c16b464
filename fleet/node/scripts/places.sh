# What stands at the paths that matter: type, device and inode, links, size, owner and mode, without
# following links. Noted by name alone and told by one `stat`; links take three processes more, for
# all of them together, and only where there are any.
PLACES=
PLACED=0
LINKED=

place() { # note what is to be looked at: no more than stat takes as its arguments
    [ -e "$1" ] || [ -L "$1" ] || return 0
    case $1 in *"$NL"*) return 0 ;; esac
    PLACED=$((PLACED + ${#1} + 1))
    [ "$PLACED" -lt 400000 ] || return 0
    PLACES=$PLACES$1$NL
    [ ! -L "$1" ] || LINKED=$LINKED$1$NL
}

placed() { # note a path and every folder above it, each once
    place "$1"
    parent=${1%/*}
    while [ -n "$parent" ]; do
        case $NL$PLACES in *"$NL$parent$NL"*) return 0 ;; esac
        place "$parent"
        parent=${parent%/*}
    done
}

named_places() { # whatever the noted hosts.toml files name by an absolute path: certificates
    named=
    lines
    for path in $FILES; do
        case $path in */hosts.toml) named=$named$path$NL ;; esac
    done
    # shellcheck disable=SC2086 # one word a line
    set -- $named
    named=
    [ "$#" = 0 ] ||
        named=$(grep -hoE "[\"']/[^\"']{1,300}[\"']" -- "$@" 2>/dev/null | sort -u)
    # shellcheck disable=SC2086 # one word a line
    set -- $named
    [ "$#" -le 1000 ] || value places_left 1
    number=0
    for path in "$@"; do
        number=$((number + 1))
        [ "$number" -le 1000 ] || break
        path=${path#?}
        place "${path%?}"
    done
    words
    value named 1
}

cleaned() { # put a path into $whole as Go's filepath.Clean writes it, which containerd applies to all
    whole=$1
    case $1/ in
    *//* | */./* | */../*) ;;
    *) return 0 ;;
    esac
    whole=
    set -f
    IFS=/
    for part in $1; do
        case $part in
        '' | .) ;;
        ..) whole=${whole%/*} ;;
        *) whole=$whole/$part ;;
        esac
    done
    words
    whole=${whole:-/}
}

tell_places() {
    [ "$PLACED" -lt 400000 ] || value places_left 1
    lines
    # shellcheck disable=SC2086 # one word a line
    set -- $PLACES
    words
    [ "$#" = 0 ] || note places "$(stat -c '%f %d %i %h %s %u %g %Y %n' -- "$@" 2>/dev/null)"
    [ -n "$LINKED" ] || return 0
    lines
    # shellcheck disable=SC2086 # one word a line
    set -- $LINKED
    words
    note links "${LINKED%"$NL"}" "$(readlink -- "$@" 2>/dev/null)" \
        "$(realpath -m -- "$@" 2>/dev/null)" "$(stat -L -c '%d %i %n' -- "$@" 2>/dev/null)"
}
