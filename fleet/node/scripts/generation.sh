# The kept before-state of a change: bytes, modes and owners, absences, and directories it made.
# A line of the manifest is: kind, index, mode, uid, gid, digest, path. Beside it, `after` says what
# the change writes (digest, path), so that bytes by another hand are told from both sides.

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
    printf '%s\t%s\n' "$after" "$path" >>"$KEPT.tmp/after" || return 1
    if [ -f "$path" ]; then
        cp -p --preserve=all -- "$path" "$KEPT.tmp/files/$index" || return 1
        about=$(stat -c "%a$TAB%u$TAB%g" -- "$path") || return 1
        sync "$KEPT.tmp/files/$index"
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
        sync "$KEPT.tmp/manifest" "$KEPT.tmp/after" "$KEPT.tmp/files" "$KEPT.tmp" &&
        { [ ! -d "$KEPT" ] || mv -T "$KEPT" "$KEPT-$(date +%s)-$$"; } &&
        mv -T "$KEPT.tmp" "$KEPT" &&
        sync "$STATE/generations" "$STATE"; } 2>"$RUN/error-$ID" && return 0
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

sweep_beside() { # what staging laid beside the files that a manifest names
    while IFS="$TAB" read -r kind _ _ _ _ _ path; do
        folder=${path%/*}
        case $kind in file | absent) ;; *) continue ;; esac
        rm -f -- "$folder/.fleet-$ID.${path##*/}.new" "$folder/.fleet-$ID.${path##*/}.back" &&
            rm -rf -- "${folder%/*}/.fleet-$ID.${folder##*/}" || return 1
    done <"$KEPT/manifest"
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
    while IFS="$TAB" read -r kind index mode uid gid before path; do
        folder=${path%/*}
        case $kind in
        file) displace && undo_file || return 1 ;;
        absent)
            before=-
            displace && rm -f -- "$path" || return 1
            ;;
        *) continue ;;
        esac
        [ ! -d "$folder" ] || sync "$folder"
    done <"$KEPT/manifest"
    sweep_beside || return 1
    undo_directories
}
