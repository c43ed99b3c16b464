# The saved state before a change: bytes, modes and owners, absences, and directories it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path. Beside it, `after` says what
# the change writes (digest, path), so that bytes of neither state are recognised as an edit.

make_directory() { (umask 022 && mkdir -p -- "$1"); }

restore_directory() { # with its old mode, owner, ACL and label, in one rename
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

sweep_beside() { # remove what staging, the swap and a revert left beside the files of a manifest
    beside=
    while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        case $kind in
        file | symlink | absent) ;;
        newdir | folder) # prepared in a folder beside it
            each=${path%/*}/.fleet-$ID
            ! stands "$each" || beside=$beside$each$NL
            continue
            ;;
        *) continue ;;
        esac
        siblings
        for each in "$staged" "$back" "$back.tmp" "$aside" "${folder%/*}/.fleet-$ID"; do
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

strange_folder() { # make the generation in which edits by others are saved
    strange=$STATE/generations/$ID-displaced
    mkdir -p "$strange/files" || return 1
    number=$(grep -c . "$strange/manifest" 2>/dev/null)
    number=${number:-0}
}

sync_strange() {
    sync "$@" "$strange/manifest" "$strange/files" "$strange" "${strange%/*}"
}

set_aside() { # move $1, which is not a plain file, there; a rollback can restore a link
    kind=odd
    about=-$TAB-$TAB-$TAB-
    into=files
    case $sum$TAB$path in
    -* | @"$TAB"* | @*[!]A-Za-z0-9_.:/@%+[-]*"$TAB"*) ;;
    *.pem | */hosts.toml)
        kind=symlink
        about=$(stat -c "%a$TAB%u$TAB%g$TAB" -- "$1")$sum
        into=links
        ;;
    esac
    strange_folder && mkdir -p "$strange/$into" &&
        printf '%s\t%s\t%s\t%s\n' "$kind" "$number" "$about" "$path" >>"$strange/manifest" &&
        mv -T -- "$1" "$strange/$into/$number" && sync_strange "$strange/$into"
}

displace() { # if $1 is neither the old nor the new file, save it as an edit by others
    stands "$1" || return 0
    sum_of "$1"
    case $sum in
    -)
        set_aside "$1"
        return
        ;;
    "$before" | "$displaced") return 0 ;;
    esac
    [ ! -f "$KEPT/after" ] || written_by_us "$sum" && return 0
    case $sum in
    @*)
        set_aside "$1"
        return
        ;;
    esac
    strange_folder && about=$(stat -c "%a$TAB%u$TAB%g" -- "$1") || return 1
    cp -p --preserve=all -- "$1" "$strange/files/$number" &&
        printf 'file\t%s\t%s\t%s\t%s\n' "$number" "$about" "$sum" "$path" >>"$strange/manifest" &&
        sync_strange "$strange/files/$number" && displaced=$sum
}

rescue() { # beside $path, set $ready to the old file and $foreign to an edited one
    ready=
    foreign=
    for each in "$staged" "$aside" "$back"; do
        stands "$each" || continue
        # A change that was killed while it wrote new files may have left half of one.
        [ "$each" != "$staged" ] || [ -e "$PENDING/laid" ] || continue
        sum_of "$each"
        if [ "$sum" = - ]; then
            foreign=$each
        elif [ "$sum" = "$before" ]; then
            ready=$each
        elif ! written_by_us "$sum"; then
            foreign=$each
        fi
    done
}

copy_back() { # put the old file at $back.tmp, as the same inode if it had hard links
    rm -f -- "$back.tmp"
    saved=$KEPT/links/$index
    sum_of "$saved"
    { [ "$sum" = "$before" ] && ln -- "$saved" "$back.tmp" 2>/dev/null; } || {
        of_kind "$saved" "$before" || saved=$KEPT/files/$index
        cp -dp --preserve=all -- "$saved" "$back.tmp" || return 1
    }
    sum_of "$back.tmp"
    [ "$sum" = "$before" ] && return 0
    rm -f -- "$back.tmp"
    printf '%s is damaged\n' "$saved" >&2
    return 1
}

owned_again() { # give $back its owner and mode; a link has no mode of its own
    if [ -L "$back" ]; then
        chown -h "$uid:$gid" "$back"
    else
        chown "$uid:$gid" "$back" && chmod "$mode" "$back" && sync "$back"
    fi
}

lay_back() { # put the whole old file at $back; the replaced file itself needs no space
    from=${foreign:-$ready}
    if [ -z "$from" ]; then
        copy_back || return 1
        from=$back.tmp
    fi
    [ "$from" = "$back" ] || mv -fT -- "$from" "$back" || return 1
    [ -n "$foreign" ] || owned_again
}

undo_file() {
    rescue
    if [ -z "$foreign" ]; then
        sum_of "$path"
        [ "$sum" = "$before" ] &&
            [ "$(stat -c '%a %u %g' -- "$path")" = "$mode $uid $gid" ] && return 0
    fi
    displace "$path" || return 1
    [ -d "$folder" ] || restore_directory "$folder" || return 1
    lay_back && replace "$back" && displace "$replaced"
}

undo_absent() {
    before=-
    rescue
    [ -z "$foreign" ] || displace "$foreign" || return 1
    stands "$path" || return 0
    displace "$path" || return 1
    stands "$path" || return 0
    mv -fT -- "$path" "$back" && displace "$back"
}

undo_files() { # except those that the swap had not reached
    touched=
    left=$(cat "$PENDING/left" 2>/dev/null)
    while IFS="$TAB" read -r kind index mode uid gid before path; do
        case $kind in file | symlink | absent) ;; *) continue ;; esac
        case $NL$left$NL in *"$NL$path$NL"*) continue ;; esac
        siblings
        displaced=
        if [ "$kind" = absent ]; then undo_absent; else undo_file; fi || return 1
        touched=$touched$folder$NL
    done <"$KEPT/manifest"
    sweep_beside || return 1
    undo_directories
    sync_folders "$touched"
}

sync_folders() { # sync the listed folders that exist and their parents, each once
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
