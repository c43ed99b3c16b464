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

copy_operation() {
    [ -f "$path" ] || return 0
    cp -p --preserve=all -- "$path" "$KEPT.tmp/files/$((number - 1))" || return 1
    found=$found$path$NL
    kept=$kept$KEPT.tmp/files/$((number - 1))$NL
}

describe() { # one process for all files, and one for the digests of all copies
    [ -n "$kept" ] || return 0
    about=$(every "$found" stat -c "%a$TAB%u$TAB%g" --)$NL && sums=$(every "$kept" sha256sum --)$NL
}

list_operation() {
    case $path in
    "$STATE"/*) ;;
    *) missing "$folder" ;;
    esac
    writes=$writes$after$TAB$path$NL
    case $NL$found in
    *"$NL$path$NL"*)
        manifest="${manifest}file$TAB$((number - 1))$TAB${about%%"$NL"*}$TAB${sums%% *}$TAB$path$NL"
        about=${about#*"$NL"}
        sums=${sums#*"$NL"}
        ;;
    *) manifest="${manifest}absent$TAB-$TAB-$TAB-$TAB-$TAB-$TAB$path$NL" ;;
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
        operations list_operation && printf '%s' "$manifest$made" >"$KEPT.tmp/manifest" &&
        printf '%s' "$writes" >"$KEPT.tmp/after" && lay_pending || return 1
    [ ! -f "$STATE/state.json" ] || cp "$STATE/state.json" "$KEPT.tmp/state.json"
}

keep() { # all of it is on the disk before any of it counts
    made=
    found=
    kept=
    writes=
    manifest=
    if [ -e "$KEPT.tmp" ] || [ -e "$PENDING.tmp" ]; then rm -rf -- "$KEPT.tmp" "$PENDING.tmp"; fi
    { copy && every "$kept" sync "$KEPT.tmp/manifest" "$KEPT.tmp/after" "$KEPT.tmp/files" \
        "$KEPT.tmp" "$PENDING.tmp/guard.sh" "$PENDING.tmp/id" "$PENDING.tmp/phase" &&
        { [ ! -d "$KEPT" ] || mv -T "$KEPT" "$KEPT-$(date +%s)-$$"; } &&
        mv -T "$KEPT.tmp" "$KEPT" &&
        sync "$STATE/generations" "$STATE"; } 2>"$STAGE/error" && return 0
    complaint=$(cat "$STAGE/error" 2>/dev/null)
    rm -rf -- "$KEPT.tmp" "$PENDING.tmp"
    unwritten keep "keep the files as they are under $STATE" "$complaint"
}
