# The saved state before a change: bytes, modes and owners, absences, and directories that it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path. Beside it, `after` says
# what the change writes (digest, path), so that bytes of neither state are recognised as an edit.
# requires: text paths change files bundle operations seal stale storage
# inputs: EMPTIED ID ILL LIVENESS SAVED ill_then
# functions: generation_save

generation_list_missing() { # list the directories above $1 that are not there
    local new
    new=$1
    until [ -z "$new" ] || [ -d "$new" ]; do
        case $made in
        *"$TAB$new$NL"*) return 0 ;;
        esac
        made="${made}newdir$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$new$NL"
        new=${new%/*}
    done
}

generation_copy_link() { # copy the link itself, with its own attributes
    mkdir -p "$KEPT.tmp/links" &&
        cp -dp --preserve=all -- "$path" "$KEPT.tmp/links/$((number - 1))"
}

generation_list_link() {
    local row
    files_sum "$KEPT.tmp/links/$((number - 1))"
    [ "$sum" = "$before" ] || strange=$path
    row=$(stat -c "%a$TAB%u$TAB%g" -- "$KEPT.tmp/links/$((number - 1))")
    manifest="${manifest}symlink$TAB$((number - 1))$TAB$row$TAB$before$TAB$path$NL"
}

generation_copy_operation() {
    case $before in
    @*)
        generation_copy_link
        return
        ;;
    esac
    [ -f "$path" ] || return 0
    cp -p --preserve=all -- "$path" "$KEPT.tmp/files/$((number - 1))" || return 1
    found=$found$path$NL
    kept=$kept$KEPT.tmp/files/$((number - 1))$NL
}

generation_describe() { # read the attributes of all files and the digests of all copies
    [ -n "$kept" ] || return 0
    about=$(text_with_lines "$found" stat -c "%h$TAB%a$TAB%u$TAB%g" --)$NL && sums=$(text_with_lines "$kept" sha256sum --)$NL
}

generation_list_removed() {
    [ "$action" != delete ] || doomed=$doomed$path$NL
}

# Save mode, owner, ACL and label of folders that get other ones: a rollback restores them too.
generation_save_attributes() {
    local line path copy
    text_split_lines
    for line in $SAVED; do
        path=${line#*"$TAB"}
        copy=$KEPT.tmp/folders$path
        [ -d "${line%%"$TAB"*}" ] && [ -d "$path" ] && [ ! -L "$path" ] || continue
        mkdir -p -- "${copy%/*}" && files_copy_folder "$path" "$copy" || return 1
        made="${made}folder$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"
    done
    text_split_words
}

generation_is_emptied() { # true if the change removes everything in folder $1
    local entry
    set +f
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ -e "$entry" ] || [ -L "$entry" ] || continue
        case $NL$doomed in *"$NL$entry$NL"*) ;; *) return 1 ;; esac
    done
}

# Save mode, owner, ACL and label of folders that are removed with their files.
generation_save_folders() {
    local folders empty topmost parents copies doomed path
    doomed=
    operations_each generation_list_removed
    folders=
    text_split_lines
    for empty in $EMPTIED; do
        { [ -d "$empty" ] && generation_is_emptied "$empty"; } || continue
        doomed=$doomed$empty$NL
        folders=$folders$empty$NL
        made="${made}folder$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$empty$NL"
    done
    topmost=
    parents=
    for empty in $folders; do
        case $NL$folders in *"$NL${empty%/*}$NL"*) continue ;; esac
        topmost=$topmost$KEPT.tmp/folders${empty%/*}$TAB$empty$NL
        parents=$parents$KEPT.tmp/folders${empty%/*}$NL
    done
    text_split_words
    [ -n "$topmost" ] || return 0
    text_with_lines "$parents" mkdir -p -- && text_with_lines_by_kind "$topmost" cp -a -t || return 1
    copies=
    text_split_lines
    for path in $doomed; do
        [ -d "$path" ] || copies=$copies$KEPT.tmp/folders$path$NL
    done
    text_split_words
    [ -z "$copies" ] || text_with_lines "$copies" rm -f --
}

generation_save_link() { # keep a hard link, so that the same inode can be restored
    mkdir -p "$KEPT.tmp/links" && ln -- "$path" "$KEPT.tmp/links/$((number - 1))" 2>/dev/null &&
        made="${made}link$TAB$((number - 1))$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"
    return 0
}

generation_list_operation() {
    local row
    case $path in
    "$STATE"/*) ;;
    *) generation_list_missing "$folder" ;;
    esac
    writes=$writes$after$TAB$path$NL
    case $before in
    @*)
        generation_list_link
        return 0
        ;;
    esac
    case $NL$found in
    *"$NL$path$NL"*)
        [ "${sums%% *}" = "$before" ] || strange=$path
        row=${about%%"$NL"*}
        manifest="${manifest}file$TAB$((number - 1))$TAB${row#*"$TAB"}$TAB${sums%% *}$TAB$path$NL"
        case $row in "1$TAB"*) ;; *) generation_save_link ;; esac
        about=${about#*"$NL"}
        sums=${sums#*"$NL"}
        ;;
    *)
        [ "$before" = - ] || strange=$path
        manifest="${manifest}absent$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"
        ;;
    esac
}

# Prepare the record of the pending change, which a rename puts in its place.
generation_prepare_pending() {
    bundle_split bundle_guard >"$PENDING.tmp/guard.sh" && printf '%s\n' "$ID" >"$PENDING.tmp/id" &&
        printf 'armed\n' >"$PENDING.tmp/phase" &&
        printf '%s\n' "$LIVENESS" >"$PENDING.tmp/liveness"
}

generation_copy() {
    [ ! -d "$STATE/generations" ] || chmod 700 "$STATE" "$STATE/generations" || return 1
    mkdir -p "$KEPT.tmp/files" "$PENDING.tmp" && operations_each generation_copy_operation && generation_describe &&
        operations_each generation_list_operation && [ -z "$strange" ] &&
        generation_save_attributes && generation_save_folders &&
        printf '%s' "$manifest$made" >"$KEPT.tmp/manifest" &&
        printf '%s' "$writes" >"$KEPT.tmp/after" && generation_prepare_pending || return 1
    [ ! -f "$STATE/state.json" ] || cp "$STATE/state.json" "$KEPT.tmp/state.json" || return 1
    [ -z "$ILL" ] || printf '%s\n' "$ILL" >"$KEPT.tmp/ill" || return 1
    [ -z "$ill_then" ] || printf '%s\n' "$ill_then" >"$PENDING.tmp/ill" || return 1
    seal_write "$KEPT.tmp"
}

generation_save() { # save the generation; it gets its final name once all of it is on the disk
    local complaint made found kept writes manifest strange about sums
    made=
    found=
    kept=
    writes=
    manifest=
    strange=
    if [ -e "$KEPT.tmp" ] || [ -e "$PENDING.tmp" ]; then rm -rf -- "$KEPT.tmp" "$PENDING.tmp"; fi
    { generation_copy && text_with_lines "$kept" sync "$KEPT.tmp" "$KEPT.tmp"/* "$PENDING.tmp" "$PENDING.tmp"/* &&
        { [ ! -d "$KEPT" ] || mv -T "$KEPT" "$KEPT-$(date +%s)-$$"; } &&
        mv -T "$KEPT.tmp" "$KEPT" &&
        sync "$STATE/generations" "$STATE" "${STATE%/*}"; } 2>"$STAGE/error" && return 0
    complaint=$(cat "$STAGE/error" 2>/dev/null)
    rm -rf -- "$KEPT.tmp" "$PENDING.tmp"
    [ -z "$strange" ] || stale_fail "$strange"
    storage_fail keep "keep the files as they are under $STATE" "$complaint"
}
