# The files of a generation, restored byte for byte. Edits by others are saved as a generation of
# their own.
# requires: text paths change files
# inputs: ID
# functions: restore_remove_directories restore_sweep restore_files

# Restore folder $1 with its mode, owner, ACL and label, in one rename. The sweep removes $home.
restore_directory() {
    local top home
    top=$1
    while [ -d "$KEPT/folders${top%/*}" ] && [ -n "${top%/*}" ] && [ ! -d "${top%/*}" ]; do
        top=${top%/*}
    done
    if [ ! -d "$KEPT/folders$top" ]; then
        files_make_directory "$1"
        return
    fi
    home=${top%/*}/.fleet-$ID
    files_make_directory "$home" && cp -aT -- "$KEPT/folders$top" "$home/${top##*/}" &&
        mv -T -- "$home/${top##*/}" "$top"
}

# Give a folder that the change only gave other attributes those that it had. The ACL and the label
# need some space on the disk, mode and owner do not.
restore_attributes() {
    local kind path saved empty
    while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        saved=$KEPT/folders$path
        [ "$kind" = folder ] && [ -d "$saved" ] && [ -d "$path" ] && [ ! -L "$path" ] || continue
        empty=${path%/*}/.fleet-$ID/${path##*/}~
        { mkdir -p -- "$empty" && files_copy_folder "$saved" "$empty" && files_dress_folder "$empty" "$path"; } 2>/dev/null
        chown --reference="$saved" -- "$path" && chmod --reference="$saved" -- "$path" || return 1
    done <"$KEPT/manifest"
}

restore_remove_directories() {
    local kind path
    sort -r "$KEPT/manifest" | while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        [ "$kind" = newdir ] && [ -d "$path" ] && rmdir -- "$path"
    done
    return 0
}

restore_sweep() { # remove what staging, the swap and a revert left beside the files of a manifest
    local beside kind each path folder staged back aside
    beside=
    while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        case $kind in
        file | symlink | absent) ;;
        newdir | folder) # prepared in a folder beside it
            each=${path%/*}/.fleet-$ID
            ! files_exists "$each" || beside=$beside$each$NL
            continue
            ;;
        *) continue ;;
        esac
        change_siblings
        for each in "$staged" "$back" "$back.tmp" "$aside" "${folder%/*}/.fleet-$ID"; do
            ! files_exists "$each" || beside=$beside$each$NL
        done
    done <"$KEPT/manifest"
    [ -z "$beside" ] || text_with_lines "$beside" rm -rf --
}

restore_is_written_by_us() { # true if the change of this generation writes digest $1 to $path
    local which wrote
    while IFS="$TAB" read -r wrote which; do
        [ "$which" = "$path" ] && [ "$wrote" = "$1" ] && return 0
    done <"$KEPT/after"
    return 1
}

restore_open_displaced() { # make the generation in which edits by others are saved
    strange=$STATE/generations/$ID-displaced
    mkdir -p "$strange/files" || return 1
    number=$(grep -c . "$strange/manifest" 2>/dev/null)
    number=${number:-0}
}

restore_sync_displaced() {
    sync "$@" "$strange/manifest" "$strange/files" "$strange" "${strange%/*}"
}

restore_set_aside() { # move $1, not a plain file, to the saved edits; a rollback can restore a link
    local kind into about strange number
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
    restore_open_displaced && mkdir -p "$strange/$into" &&
        printf '%s\t%s\t%s\t%s\n' "$kind" "$number" "$about" "$path" >>"$strange/manifest" &&
        mv -T -- "$1" "$strange/$into/$number" && restore_sync_displaced "$strange/$into"
}

restore_displace() { # if $1 is neither the old nor the new file, save it as an edit by others
    local about strange number
    files_exists "$1" || return 0
    files_sum "$1"
    case $sum in
    -)
        restore_set_aside "$1"
        return
        ;;
    "$before" | "$displaced") return 0 ;;
    esac
    [ ! -f "$KEPT/after" ] || restore_is_written_by_us "$sum" && return 0
    case $sum in
    @*)
        restore_set_aside "$1"
        return
        ;;
    esac
    restore_open_displaced && about=$(stat -c "%a$TAB%u$TAB%g" -- "$1") || return 1
    cp -p --preserve=all -- "$1" "$strange/files/$number" &&
        printf 'file\t%s\t%s\t%s\t%s\n' "$number" "$about" "$sum" "$path" >>"$strange/manifest" &&
        restore_sync_displaced "$strange/files/$number" && displaced=$sum
}

restore_find_siblings() { # beside $path, set $ready to the old file and $foreign to an edited one
    local each
    ready=
    foreign=
    for each in "$staged" "$aside" "$back"; do
        files_exists "$each" || continue
        # A change that was killed while it wrote new files may have left an incomplete one.
        [ "$each" != "$staged" ] || [ -e "$PENDING/laid" ] || continue
        files_sum "$each"
        if [ "$sum" = - ]; then
            foreign=$each
        elif [ "$sum" = "$before" ]; then
            ready=$each
        elif ! restore_is_written_by_us "$sum"; then
            foreign=$each
        fi
    done
}

restore_copy() { # put the old file at $back.tmp, as the same inode if it had hard links
    local saved
    rm -f -- "$back.tmp"
    saved=$KEPT/links/$index
    files_sum "$saved"
    { [ "$sum" = "$before" ] && ln -- "$saved" "$back.tmp" 2>/dev/null; } || {
        files_has_kind "$saved" "$before" || saved=$KEPT/files/$index
        cp -dp --preserve=all -- "$saved" "$back.tmp" || return 1
    }
    files_sum "$back.tmp"
    [ "$sum" = "$before" ] && return 0
    rm -f -- "$back.tmp"
    printf '%s is damaged\n' "$saved" >&2
    return 1
}

restore_owner() { # give $back its owner and mode; a link has no mode of its own
    if [ -L "$back" ]; then
        chown -h "$uid:$gid" "$back"
    else
        chown "$uid:$gid" "$back" && chmod "$mode" "$back" && sync "$back"
    fi
}

restore_lay() { # put the complete old file at $back; to move the replaced file needs no disk space
    local from
    from=${foreign:-$ready}
    if [ -z "$from" ]; then
        restore_copy || return 1
        from=$back.tmp
    fi
    [ "$from" = "$back" ] || mv -fT -- "$from" "$back" || return 1
    [ -n "$foreign" ] || restore_owner
}

restore_file() {
    local ready foreign replaced
    restore_find_siblings
    if [ -z "$foreign" ]; then
        files_sum "$path"
        [ "$sum" = "$before" ] &&
            [ "$(stat -c '%a %u %g' -- "$path")" = "$mode $uid $gid" ] && return 0
    fi
    restore_displace "$path" || return 1
    [ -d "$folder" ] || restore_directory "$folder" || return 1
    restore_lay && files_replace "$back" && restore_displace "$replaced"
}

restore_absence() {
    local ready foreign
    before=-
    restore_find_siblings
    [ -z "$foreign" ] || restore_displace "$foreign" || return 1
    files_exists "$path" || return 0
    restore_displace "$path" || return 1
    files_exists "$path" || return 0
    mv -fT -- "$path" "$back" && restore_displace "$back"
}

restore_files() { # restore all files except those that the swap did not reach
    local touched kind index mode uid gid before path displaced left folder staged back aside
    touched=
    left=$(cat "$PENDING/left" 2>/dev/null)
    while IFS="$TAB" read -r kind index mode uid gid before path; do
        case $kind in file | symlink | absent) ;; *) continue ;; esac
        case $NL$left$NL in *"$NL$path$NL"*) continue ;; esac
        change_siblings
        displaced=
        if [ "$kind" = absent ]; then restore_absence; else restore_file; fi || return 1
        touched=$touched$folder$NL
    done <"$KEPT/manifest"
    restore_attributes && restore_sweep || return 1
    restore_remove_directories
    files_sync_folders "$touched"
}
