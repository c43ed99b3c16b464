# Keeping the before-state of a change as its generation; generation.sh says what one is.

missing() { # note the directories above $1 that are not there
    new=$1
    until [ -z "$new" ] || [ -d "$new" ]; do
        case $made in
        *"$TAB$new$NL"*) return 0 ;;
        esac
        made="${made}newdir$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$new$NL"
        new=${new%/*}
    done
}

copy_link() { # the link itself, with its own attributes
    mkdir -p "$KEPT.tmp/links" &&
        cp -dp --preserve=all -- "$path" "$KEPT.tmp/links/$((number - 1))"
}

list_link() {
    sum_of "$KEPT.tmp/links/$((number - 1))"
    [ "$sum" = "$before" ] || strange=$path
    row=$(stat -c "%a$TAB%u$TAB%g" -- "$KEPT.tmp/links/$((number - 1))")
    manifest="${manifest}symlink$TAB$((number - 1))$TAB$row$TAB$before$TAB$path$NL"
}

copy_operation() {
    case $before in
    @*)
        copy_link
        return
        ;;
    esac
    [ -f "$path" ] || return 0
    cp -p --preserve=all -- "$path" "$KEPT.tmp/files/$((number - 1))" || return 1
    found=$found$path$NL
    kept=$kept$KEPT.tmp/files/$((number - 1))$NL
}

describe() { # one process for all files, and one for the digests of all copies
    [ -n "$kept" ] || return 0
    about=$(every "$found" stat -c "%h$TAB%a$TAB%u$TAB%g" --)$NL && sums=$(every "$kept" sha256sum --)$NL
}

doomed_operation() {
    [ "$action" != delete ] || doomed=$doomed$path$NL
}

emptied() { # true if the change removes everything in folder $1
    set +f
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ -e "$entry" ] || [ -L "$entry" ] || continue
        case $NL$doomed in *"$NL$entry$NL"*) ;; *) return 1 ;; esac
    done
}

save_folders() { # save mode, owner, ACL and label of folders that are removed with their files
    doomed=
    operations doomed_operation
    folders=
    lines
    for empty in $EMPTIED; do
        { [ -d "$empty" ] && emptied "$empty"; } || continue
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
    words
    [ -n "$topmost" ] || return 0
    every "$parents" mkdir -p -- && each_kind "$topmost" cp -a -t || return 1
    copies=
    lines
    for path in $doomed; do
        [ -d "$path" ] || copies=$copies$KEPT.tmp/folders$path$NL
    done
    words
    [ -z "$copies" ] || every "$copies" rm -f --
}

save_link() { # keep a hard link, so that the same inode can be restored
    mkdir -p "$KEPT.tmp/links" && ln -- "$path" "$KEPT.tmp/links/$((number - 1))" 2>/dev/null &&
        made="${made}link$TAB$((number - 1))$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"
    return 0
}

list_operation() {
    case $path in
    "$STATE"/*) ;;
    *) missing "$folder" ;;
    esac
    writes=$writes$after$TAB$path$NL
    case $before in
    @*)
        list_link
        return 0
        ;;
    esac
    case $NL$found in
    *"$NL$path$NL"*)
        [ "${sums%% *}" = "$before" ] || strange=$path
        row=${about%%"$NL"*}
        manifest="${manifest}file$TAB$((number - 1))$TAB${row#*"$TAB"}$TAB${sums%% *}$TAB$path$NL"
        case $row in "1$TAB"*) ;; *) save_link ;; esac
        about=${about#*"$NL"}
        sums=${sums#*"$NL"}
        ;;
    *)
        [ "$before" = - ] || strange=$path
        manifest="${manifest}absent$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$path$NL"
        ;;
    esac
}

lay_pending() { # what makes the change known as unfinished, once a rename has put it in its place
    parted guard_part >"$PENDING.tmp/guard.sh" && printf '%s\n' "$ID" >"$PENDING.tmp/id" &&
        printf 'armed\n' >"$PENDING.tmp/phase" &&
        printf '%s\n' "$LIVENESS" >"$PENDING.tmp/liveness"
}

copy() {
    [ ! -d "$STATE/generations" ] || chmod 700 "$STATE" "$STATE/generations" || return 1
    mkdir -p "$KEPT.tmp/files" "$PENDING.tmp" && operations copy_operation && describe &&
        operations list_operation && [ -z "$strange" ] && save_folders &&
        printf '%s' "$manifest$made" >"$KEPT.tmp/manifest" &&
        printf '%s' "$writes" >"$KEPT.tmp/after" && lay_pending || return 1
    [ ! -f "$STATE/state.json" ] || cp "$STATE/state.json" "$KEPT.tmp/state.json" || return 1
    [ -z "$ILL" ] || printf '%s\n' "$ILL" >"$KEPT.tmp/ill" || return 1
    [ -z "$ill_then" ] || printf '%s\n' "$ill_then" >"$PENDING.tmp/ill" || return 1
    seal "$KEPT.tmp"
}

keep() { # all of it is on the disk before any of it counts
    made=
    found=
    kept=
    writes=
    manifest=
    strange=
    if [ -e "$KEPT.tmp" ] || [ -e "$PENDING.tmp" ]; then rm -rf -- "$KEPT.tmp" "$PENDING.tmp"; fi
    { copy && every "$kept" sync "$KEPT.tmp" "$KEPT.tmp"/* "$PENDING.tmp" "$PENDING.tmp"/* &&
        { [ ! -d "$KEPT" ] || mv -T "$KEPT" "$KEPT-$(date +%s)-$$"; } &&
        mv -T "$KEPT.tmp" "$KEPT" &&
        sync "$STATE/generations" "$STATE" "${STATE%/*}"; } 2>"$STAGE/error" && return 0
    complaint=$(cat "$STAGE/error" 2>/dev/null)
    rm -rf -- "$KEPT.tmp" "$PENDING.tmp"
    [ -z "$strange" ] || refuse_stale "$strange"
    unwritten keep "keep the files as they are under $STATE" "$complaint"
}
