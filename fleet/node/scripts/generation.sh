# The kept before-state of a change: bytes, modes and owners, absences, and directories it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path. Beside it, `after` says what
# the change writes (digest, path), so that bytes by another hand are told from both sides.

make_directory() { (umask 022 && mkdir -p -- "$1"); }

undo_directories() {
    sort -r "$KEPT/manifest" | while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        [ "$kind" = newdir ] && [ -d "$path" ] && rmdir -- "$path"
    done
    return 0
}

stands() { [ -e "$1" ] || [ -L "$1" ]; }

sweep_beside() { # what staging laid beside the files that a manifest names
    beside=
    while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        folder=${path%/*}
        case $kind in file | absent) ;; *) continue ;; esac
        for each in "$folder/.fleet-$ID.${path##*/}.new" "$folder/.fleet-$ID.${path##*/}.back" \
            "${folder%/*}/.fleet-$ID"; do
            ! stands "$each" || beside=$beside$each$NL
        done
    done <"$KEPT/manifest"
    [ -z "$beside" ] || every "$beside" rm -rf --
}

written_by_us() { # is a digest what the change of this generation writes to $path?
    while IFS="$TAB" read -r wrote which; do
        [ "$which" = "$path" ] && [ "$wrote" = "$1" ] && return 0
    done <"$KEPT/after"
    return 1
}

displace() { # bytes that neither side knows are somebody's: they get a generation of their own
    now=$(digest "$path")
    [ "$now" = - ] || [ "$now" = "$before" ] || [ ! -f "$KEPT/after" ] && return 0
    written_by_us "$now" && return 0
    strange=$STATE/generations/$ID-displaced
    mkdir -p "$strange/files" || return 1
    number=$(grep -c . "$strange/manifest" 2>/dev/null)
    number=${number:-0}
    about=$(stat -c "%a$TAB%u$TAB%g" -- "$path") || return 1
    cp -p --preserve=all -- "$path" "$strange/files/$number" &&
        printf 'file\t%s\t%s\t%s\t%s\n' "$number" "$about" "$now" "$path" >>"$strange/manifest" &&
        sync "$strange/files/$number" "$strange/manifest"
}

undo_file() { # the link that was laid beside needs no space; the kept copy is the other way
    [ "$(digest "$path")" = "$before" ] &&
        [ "$(stat -c '%a %u %g' -- "$path")" = "$mode $uid $gid" ] && return 0
    back=$folder/.fleet-$ID.${path##*/}.back
    [ -d "$folder" ] || make_directory "$folder" || return 1
    if [ "$(digest "$back")" != "$before" ]; then
        rm -f -- "$back"
        cp -p --preserve=all -- "$KEPT/files/$index" "$back" || return 1
    fi
    chown "$uid:$gid" "$back" && chmod "$mode" "$back" && sync "$back" && mv -fT -- "$back" "$path"
}

undo_files() {
    touched=
    while IFS="$TAB" read -r kind index mode uid gid before path; do
        folder=${path%/*}
        case $kind in
        file) displace && undo_file || return 1 ;;
        absent)
            before=-
            ! stands "$path" || { displace && rm -f -- "$path"; } || return 1
            ;;
        *) continue ;;
        esac
        [ ! -d "$folder" ] || touched=$touched$folder$NL
    done <"$KEPT/manifest"
    [ -z "$touched" ] || every "$touched" sync
    sweep_beside || return 1
    undo_directories
}
