# The files at all relevant paths: type, device and inode, links, size, owner and mode, without
# following links. Names are collected first, and one `stat` reads them all. If there are links,
# three more processes read all of them.
# requires: text protocol report
# outputs: whole
# functions: places_add places_add_with_parents places_add_named places_clean places_note

PLACES=
PLACED=0
LINKED=

places_add() { # add a path, up to the size of stat's arguments
    [ -e "$1" ] || [ -L "$1" ] || return 0
    case $1 in *"$NL"*) return 0 ;; esac
    PLACED=$((PLACED + ${#1} + 1))
    [ "$PLACED" -lt 400000 ] || return 0
    PLACES=$PLACES$1$NL
    [ ! -L "$1" ] || LINKED=$LINKED$1$NL
}

places_add_with_parents() { # add a path and every folder above it, each once
    local parent
    places_add "$1"
    parent=${1%/*}
    while [ -n "$parent" ]; do
        case $NL$PLACES in *"$NL$parent$NL"*) return 0 ;; esac
        places_add "$parent"
        parent=${parent%/*}
    done
}

places_add_named() { # add all absolute paths in the hosts.toml files, such as certificates
    local named number path
    named=
    text_split_lines
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
    [ "$#" -le 1000 ] || protocol_value places_left 1
    number=0
    for path in "$@"; do
        number=$((number + 1))
        [ "$number" -le 1000 ] || break
        path=${path#?}
        places_add "${path%?}"
    done
    text_split_words
    protocol_value named 1
}

places_clean() { # set $whole to a path as Go's filepath.Clean writes it, as containerd does
    local part
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
    text_split_words
    whole=${whole:-/}
}

places_note() {
    [ "$PLACED" -lt 400000 ] || protocol_value places_left 1
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- $PLACES
    text_split_words
    [ "$#" = 0 ] || report_note places "$(stat -c '%f %d %i %h %s %u %g %Y %n' -- "$@" 2>/dev/null)"
    [ -n "$LINKED" ] || return 0
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- $LINKED
    text_split_words
    report_note links "${LINKED%"$NL"}" "$(readlink -- "$@" 2>/dev/null)" \
        "$(realpath -m -- "$@" 2>/dev/null)" "$(stat -L -c '%d %i %n' -- "$@" 2>/dev/null)"
}
