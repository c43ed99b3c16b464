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

keep() {
    made=
    found=
    kept=
    writes=
    manifest=
    [ ! -e "$KEPT.tmp" ] || rm -rf -- "$KEPT.tmp"
    { { [ ! -d "$STATE/generations" ] || chmod 700 "$STATE" "$STATE/generations"; } &&
        mkdir -p "$KEPT.tmp/files" &&
        operations copy_operation && describe && operations list_operation &&
        printf '%s' "$manifest$made" >"$KEPT.tmp/manifest" &&
        printf '%s' "$writes" >"$KEPT.tmp/after" &&
        { [ ! -f "$STATE/state.json" ] || cp "$STATE/state.json" "$KEPT.tmp/state.json"; } &&
        every "$kept" sync "$KEPT.tmp/manifest" "$KEPT.tmp/after" "$KEPT.tmp/files" "$KEPT.tmp" &&
        { [ ! -d "$KEPT" ] || mv -T "$KEPT" "$KEPT-$(date +%s)-$$"; } &&
        mv -T "$KEPT.tmp" "$KEPT" &&
        sync "$STATE/generations" "$STATE"; } 2>"$RUN/error-$ID" && return 0
    complaint=$(cat "$RUN/error-$ID" 2>/dev/null)
    rm -rf -- "$KEPT.tmp"
    unwritten keep "keep the files as they are under $STATE" "$complaint"
}
