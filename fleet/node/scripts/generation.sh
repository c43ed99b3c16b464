# The kept before-state of a change: bytes, modes and owners, absences, and directories it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path.

make_directory() { (umask 022 && mkdir -p -- "$1"); }

missing() { # print the directories above $1 that are not there, the highest first
    [ -d "$1" ] || [ -z "$1" ] && return 0
    missing "${1%/*}"
    printf '%s\n' "$1"
}

keep_operation() {
    case $path in
    "$STATE"/*) ;;
    *)
        missing "$folder" | while IFS= read -r new; do
            printf 'newdir\t-\t-\t-\t-\t-\t%s\n' "$new"
        done >>"$KEPT.tmp/made"
        ;;
    esac
    if [ -f "$path" ]; then
        cp -p --preserve=all -- "$path" "$KEPT.tmp/files/$index" || return 1
        about=$(stat -c "%a$TAB%u$TAB%g" -- "$path") || return 1
        printf 'file\t%s\t%s\t%s\t%s\n' \
            "$index" "$about" "$(digest "$KEPT.tmp/files/$index")" "$path"
    else
        printf 'absent\t-\t-\t-\t-\t-\t%s\n' "$path"
    fi >>"$KEPT.tmp/manifest" || return 1
    index=$((index + 1))
}

keep() {
    index=0
    { mkdir -p "$STATE/generations" && chmod 700 "$STATE" "$STATE/generations" &&
        rm -rf -- "$KEPT.tmp" && mkdir -p "$KEPT.tmp/files" && : >"$KEPT.tmp/made" &&
        : >"$KEPT.tmp/manifest" &&
        operations keep_operation && sort -u "$KEPT.tmp/made" >>"$KEPT.tmp/manifest" &&
        rm -f "$KEPT.tmp/made" &&
        { [ ! -f "$STATE/state.json" ] || cp "$STATE/state.json" "$KEPT.tmp/state.json"; } &&
        sync "$KEPT.tmp/manifest" && mv -T "$KEPT.tmp" "$KEPT"; } 2>"$RUN/error-$ID" && return 0
    complaint=$(cat "$RUN/error-$ID" 2>/dev/null)
    rm -rf -- "$KEPT.tmp"
    fail storage keep "cannot keep the files as they are under $STATE; is the disk full?" \
        "$complaint"
}

undo_directories() {
    sort -r "$KEPT/manifest" | while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        [ "$kind" = newdir ] && [ -d "$path" ] && rmdir -- "$path"
    done
    return 0
}

undo_files() {
    while IFS="$TAB" read -r kind index mode uid gid before path; do
        folder=${path%/*}
        case $kind in
        file)
            [ "$(digest "$path")" = "$before" ] &&
                [ "$(stat -c '%a %u %g' -- "$path")" = "$mode $uid $gid" ] && continue
            [ -d "$folder" ] || make_directory "$folder" || return 1
            cp -p --preserve=all -- "$KEPT/files/$index" "$folder/.fleet-$ID.back" &&
                chown "$uid:$gid" "$folder/.fleet-$ID.back" &&
                chmod "$mode" "$folder/.fleet-$ID.back" && sync "$folder/.fleet-$ID.back" &&
                mv -fT -- "$folder/.fleet-$ID.back" "$path" || return 1
            ;;
        absent) rm -f -- "$path" || return 1 ;;
        esac
    done <"$KEPT/manifest"
    undo_directories
}
