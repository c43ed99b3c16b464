# The kept before-state of a change: bytes, modes and owners, absences, and directories it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path. Beside it, `after` says what
# the change writes (digest, path), so that bytes by another hand are told from both sides.

make_directory() { (umask 022 && mkdir -p -- "$1"); }

restore_directory() { # with the mode, owner, ACL and label that it had, in one rename
    top=$1
    while [ -d "$KEPT/folders${top%/*}" ] && [ -n "${top%/*}" ] && [ ! -d "${top%/*}" ]; do
        top=${top%/*}
    done
    if [ ! -d "$KEPT/folders$top" ]; then
        make_directory "$1"
        return
    fi
    home=${top%/*}/.fleet-$ID
    make_directory "$home" && cp -aT -- "$KEPT/folders$top" "$home/${top##*/}" &&
        mv -T -- "$home/${top##*/}" "$top" && rmdir -- "$home"
}

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

strange_folder() { # where bytes go that neither side knows: they get a generation of their own
    strange=$STATE/generations/$ID-displaced
    mkdir -p "$strange/files" || return 1
    number=$(grep -c . "$strange/manifest" 2>/dev/null)
    number=${number:-0}
}

sync_strange() {
    sync "$@" "$strange/manifest" "$strange/files" "$strange" "${strange%/*}"
}

set_aside() { # what stands at $path and is not a plain file is moved there whole
    strange_folder &&
        printf 'odd\t%s\t-\t-\t-\t-\t%s\n' "$number" "$path" >>"$strange/manifest" &&
        mv -T -- "$path" "$strange/files/$number" && sync_strange
}

displace() {
    if [ -L "$path" ] || { stands "$path" && [ ! -f "$path" ]; }; then
        set_aside
        return
    fi
    now=$(digest "$path")
    [ "$now" = - ] || [ "$now" = "$before" ] || [ ! -f "$KEPT/after" ] && return 0
    written_by_us "$now" && return 0
    strange_folder && about=$(stat -c "%a$TAB%u$TAB%g" -- "$path") || return 1
    cp -p --preserve=all -- "$path" "$strange/files/$number" &&
        printf 'file\t%s\t%s\t%s\t%s\n' "$number" "$about" "$now" "$path" >>"$strange/manifest" &&
        sync_strange "$strange/files/$number"
}

undo_file() { # the link that was laid beside needs no space; the kept copy is the other way
    [ "$(digest "$path")" = "$before" ] &&
        [ "$(stat -c '%a %u %g' -- "$path")" = "$mode $uid $gid" ] && return 0
    back=$folder/.fleet-$ID.${path##*/}.back
    [ -d "$folder" ] || restore_directory "$folder" || return 1
    if [ "$(digest "$back")" != "$before" ]; then
        rm -f -- "$back"
        { [ "$(digest "$KEPT/links/$index")" = "$before" ] && ln -- "$KEPT/links/$index" "$back"; } ||
            cp -p --preserve=all -- "$KEPT/files/$index" "$back" || return 1
        [ "$(digest "$back")" = "$before" ] || {
            rm -f -- "$back"
            printf '%s is damaged\n' "$KEPT/files/$index" >&2
            return 1
        }
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
        touched=$touched$folder$NL
    done <"$KEPT/manifest"
    sweep_beside || return 1
    undo_directories
    sync_folders "$touched"
}

sync_folders() { # of lines, those that are left, and what is left above them, each once
    there=
    lines
    for place in $1; do
        above=${place%/*}
        until [ -z "$above" ] || [ -d "$above" ]; do above=${above%/*}; done
        for each in "$place" "$above"; do
            [ -d "$each" ] || continue
            case $NL$there in *"$NL$each$NL"*) ;; *) there=$there$each$NL ;; esac
        done
    done
    words
    [ -z "$there" ] || every "$there" sync
}
