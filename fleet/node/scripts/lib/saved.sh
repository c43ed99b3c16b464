# The saved generations in the report of a probe: the newest one, or all back to $WALK. A restore of
# the state before the oldest of them needs only the oldest copy of each path, so the probe reads no
# others; else many generations of many files would be too much to read.
# requires: text protocol chain report
# inputs: STATE WALK
# functions: saved_report

saved_report_records() { # report what generation $1 holds; its state.json names the previous one
    local entry
    for entry in manifest seal after state.json ill; do
        report_saved_file "$STATE/generations/$1/$entry"
    done
}

saved_report_copies() { # report all copies of files in generation $1
    local entry
    for entry in "$STATE/generations/$1/files"/*; do report_saved_file "$entry"; done
}

saved_report_oldest() { # report the copies in generation $1 of paths that are not in $known
    local kind index path _
    [ -f "$STATE/generations/$1/manifest" ] || return 0
    while IFS="$TAB" read -r kind index _ _ _ _ path; do
        case $kind in file | absent | symlink) ;; *) continue ;; esac
        case $known in *"$NL$path$NL"*) continue ;; esac
        known=$known$path$NL
        case $kind$index in file*/* | [!f]*) ;; *) report_saved_file "$STATE/generations/$1/files/$index" ;; esac
    done <"$STATE/generations/$1/manifest"
}

saved_walk_chain() { # set $walked to the generations back to $WALK, the oldest first; false without it
    local id
    walked=
    chain_read_link "$STATE/state.json"
    while [ -n "$linked" ]; do
        id=$linked
        chain_find_folder
        case $NL$walked in *"$NL$linked$NL"*) return 1 ;; esac # an edited record may name a newer one
        walked=$linked$NL$walked
        protocol_value chain "$linked"
        case $WALK in latest | "$id") return 0 ;; esac
        chain_read_link "$STATE/generations/$linked/state.json"
    done
    return 1
}

saved_newest() { # set $linked to the newest state before a change on a node whose record names none
    local entry
    linked=
    for entry in "$STATE"/generations/*; do
        case $entry in *.tmp | *-displaced) ;; *) linked=${entry##*/} ;; esac
    done
}

# True if generation $1 is that of a first change which was reverted, as the guard does at boot.
saved_is_undone() {
    local id phase
    id=
    phase=
    [ ! -f "$STATE/last/id" ] || IFS= read -r id <"$STATE/last/id"
    [ ! -f "$STATE/last/phase" ] || IFS= read -r phase <"$STATE/last/phase"
    case $id/$phase in "$1"/swapped*) return 1 ;; "$1"/*) ;; *) return 1 ;; esac
    grep -qs "^absent$TAB.*$TAB$STATE/state.json\$" "$STATE/generations/$1/manifest"
}

saved_report_beside() { # report generation $1, which is not in the chain, if the node has it
    [ -n "$1" ] && [ -d "$STATE/generations/$1" ] || return 0
    protocol_value beside "$1"
    saved_report_records "$1"
    saved_report_copies "$1"
}

saved_report_edits() { # report the saved edits by others: digest, copy and path
    local each kind index sum path folder _
    for each in "$STATE"/generations/*-displaced; do
        [ -f "$each/manifest" ] || continue
        while IFS="$TAB" read -r kind index _ _ _ sum path; do
            case $kind in symlink) folder=links ;; *) folder=files ;; esac
            protocol_value edit "$sum $each/$folder/$index $path"
        done <"$each/manifest"
    done
}

saved_report() {
    local walked linked name found known
    found=yes
    saved_walk_chain || found=
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- $walked
    text_split_words
    known=$NL
    for name in "$@"; do
        saved_report_records "$name"
        case $WALK$found in all | *yes) saved_report_oldest "$name" ;; *) saved_report_copies "$name" ;; esac
    done
    [ "$WALK" != all ] || saved_report_edits
    [ -z "$found" ] || return 0
    case $WALK in
    latest | */* | .*) ;;
    all)
        [ -z "$walked" ] || return 0
        saved_newest
        [ -e "$STATE/state.json" ] || ! saved_is_undone "$linked" || linked=
        saved_report_beside "$linked"
        ;;
    # A generation beside that chain: the state before a rollback, or edits by others over a change.
    *) saved_report_beside "$WALK" ;;
    esac
}
