# The pruning of saved generations. The newest 20 are kept, all that are not older than SINCE, and
# the original, which is the last of the chain. Those between are merged into one, with the oldest
# state of each path, so that the original can still be restored. Its rename is the commit: a
# pruning that is killed is done again by a later one.
# requires: text paths chain seal
# inputs: SINCE
# functions: prune_generations

prune_is_old() { # true if generation $1 was made before SINCE, by the date in its name
    local day
    day=${1%%-*}
    case $day in *[!0-9]* | '') return 1 ;; esac
    [ "${#day}" = 8 ] && [ "$day" -lt "$SINCE" ]
}

prune_list_chain() { # set $chain to the folders from the newest on; false if one is missing
    chain=
    chain_read_link "$STATE/state.json"
    while [ -n "$linked" ]; do
        chain_find_folder
        [ -d "$STATE/generations/$linked" ] || return 1
        case $NL$chain in *"$NL$linked$NL"*) return 1 ;; esac
        chain=$chain$linked$NL
        chain_read_link "$STATE/generations/$linked/state.json"
    done
}

prune_choose() { # set $doomed to the run of old generations above the original, the oldest first
    local name place
    doomed=
    place=0
    text_split_lines
    for name in $chain; do
        place=$((place + 1))
        if [ "$place" -gt 20 ] && prune_is_old "$name"; then
            doomed=$name$NL$doomed
        else
            doomed=
        fi
    done
    text_split_words
    doomed=${doomed#*"$NL"} # the last of the chain is the original
}

prune_copy() { # link what is saved at $1 below $from to $2 in the merged generation
    mkdir -p -- "$into/${2%/*}" && cp -al -- "$from/$1" "$into/$2"
}

prune_merge_line() { # add a line of a newer generation, unless an older one has its path
    local to
    to=$name-$index
    case $kind in
    file | absent | symlink | odd)
        case $NL$known in *"$NL$path$NL"*) return 0 ;; esac
        known=$known$path$NL
        taken=$taken$path$NL
        ;;
    link) case $NL$taken in *"$NL$path$NL"*) ;; *) return 0 ;; esac ;;
    *) case $NL$merged in *"$kind$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"*) return 0 ;; esac ;;
    esac
    case $kind in
    file | odd) prune_copy "files/$index" "files/$to" ;;
    symlink | link) prune_copy "links/$index" "links/$to" ;;
    folder) to=- && { [ -e "$into/folders$path" ] || prune_copy "folders$path" "folders$path"; } ;;
    *) to=- ;;
    esac || return 1
    merged=$merged$kind$TAB$to$TAB$mode$TAB$uid$TAB$gid$TAB$digest$TAB$path$NL
}

prune_merge() { # merge generation $name into the ones before
    local from kind index mode uid gid digest path taken
    from=$STATE/generations/$name
    seal_is_intact "$from" || return 1
    taken=
    while IFS="$TAB" read -r kind index mode uid gid digest path; do
        if [ -n "$first" ]; then
            case $kind in file | absent | symlink | odd) known=$known$path$NL ;; esac
            merged=$merged$kind$TAB$index$TAB$mode$TAB$uid$TAB$gid$TAB$digest$TAB$path$NL
        else
            prune_merge_line || return 1
        fi
    done <"$from/manifest"
    [ -z "$first" ] || cp -al -- "$from/." "$into" || return 1
    first=
    newest=$name
}

prune_write() { # give the merged generation its own manifest and seal, then its name
    rm -f -- "$into/manifest" "$into/after" "$into/seal" && printf '%s' "$merged" >"$into/manifest" &&
        cp -- "$STATE/generations/$newest/after" "$into/after" && seal_write "$into" &&
        sync "$into" "$into/manifest" "$into/seal" &&
        mv -T -- "$into" "$STATE/generations/$newest.pruned" && sync "$STATE/generations"
}

prune_chain() {
    local chain doomed into merged known first newest name gone
    prune_list_chain || return 0
    prune_choose
    case $doomed in *"$NL"?*) ;; *) return 0 ;; esac # fewer than two of them need no merge
    into=$STATE/generations/.merged
    rm -rf -- "$into"
    mkdir -- "$into" || return 1
    merged=
    known=
    first=1
    gone=
    text_split_lines
    for name in $doomed; do
        text_split_words
        prune_merge || return 1
        gone=$gone$STATE/generations/$name$NL
    done
    text_split_words
    prune_write && text_with_lines "$gone" rm -rf --
}

prune_beside() { # remove old generations that the chain does not need any more
    local entry number place chain doomed
    prune_list_chain || return 0
    doomed=
    place=0
    number=0
    for entry in "$STATE"/generations/*; do number=$((number + 1)); done
    for entry in "$STATE"/generations/*; do
        place=$((place + 1))
        case $NL$chain in *"$NL${entry##*/}$NL"*) continue ;; esac
        [ "$place" -gt $((number - 20)) ] || ! prune_is_old "${entry##*/}" || doomed=$doomed$entry$NL
    done
    [ -z "$doomed" ] || text_with_lines "$doomed" rm -rf --
}

prune_generations() { # without an old surplus this starts no process
    local entry number linked
    number=0
    for entry in "$STATE"/generations/*; do
        [ ! -d "$entry" ] || number=$((number + 1))
    done
    [ "$number" -gt 20 ] || return 0
    prune_chain
    prune_beside
}
