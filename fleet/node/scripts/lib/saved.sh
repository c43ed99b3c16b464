# The saved generations in the report of a probe: the newest one, or all back to $WALK.
# requires: text protocol chain report
# inputs: STATE WALK
# functions: saved_report

saved_report_generation() { # report a generation's files; its state.json names the previous one
    local base entry
    base=$STATE/generations/$1
    for entry in manifest seal after state.json ill; do report_file "$base/$entry"; done
    for entry in "$base"/files/*; do
        report_file "$entry"
    done
}

saved_walk_chain() { # set $walked to the generations from the newest back to $WALK; false without it
    local id
    walked=
    chain_read_link "$STATE/state.json"
    while [ -n "$linked" ]; do
        id=$linked
        chain_find_folder
        case $NL$walked in *"$NL$linked$NL"*) return 1 ;; esac # an edited record may name a newer one
        walked=$walked$linked$NL
        protocol_value chain "$linked"
        case $WALK in latest | "$id") return 0 ;; esac
        chain_read_link "$STATE/generations/$linked/state.json"
    done
    return 1
}

saved_newest() { # set $linked to the newest generation of a node whose record names none
    local entry
    linked=
    for entry in "$STATE"/generations/*; do
        case $entry in *.tmp) ;; *) linked=${entry##*/} ;; esac
    done
}

saved_report_beside() { # report generation $1, which is not in the chain, if the node has it
    [ -n "$1" ] && [ -d "$STATE/generations/$1" ] || return 0
    protocol_value beside "$1"
    saved_report_generation "$1"
}

saved_report() {
    local walked linked name found
    found=yes
    saved_walk_chain || found=
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- $walked
    text_split_words
    for name in "$@"; do saved_report_generation "$name"; done
    [ -z "$found" ] || return 0
    case $WALK in
    latest | */* | .*) ;;
    all)
        [ -z "$walked" ] || return 0
        saved_newest
        saved_report_beside "$linked"
        ;;
    # A generation beside that chain: the state before a rollback, or edits by others over a change.
    *) saved_report_beside "$WALK" ;;
    esac
}
