# Stage a change: lock, check, unpack, and let the node's own containerd judge it. Nothing outside
# /run is written. POSIX sh. In: ID ROLLOUT OPERATOR PURPOSE BUNDLE DIGEST GUARD_DIGEST
# MARK OPERATIONS CHECKS ROLLBACK CONFIG CONFIGS BINARY GUARD, and of the dump before: OUTSIDE IGNORED.

finish() { # status
    trap - EXIT
    [ "$1" = staged ] || { rm -rf -- "$STAGE"; [ "${MUTEX:-0}" = 1 ] && let_go; }
    value status "$1"
    bye
    exit 0
}

fail() {
    failure "$@"
    finish failed
}

note_way() { walk "$path"; } # where a link leads to as well

safe_ways() { # note in $shared a folder that another user can change; end if it is one of fleet's own
    shared=
    own_ways
    own=$NL$ways
    operations note_way
    steered || return 0
    shared=$steered
    case $own in *"$NL$steered$NL"*) ;; *) return 0 ;; esac
    failure unsupported check "$shared $STEERED" "$STEERED_REMEDY"
    value status failed
    bye
    trap - EXIT
    exit 0
}

left_stages() { # remove all that is staged: this rollout has the lock, so no other needs it
    left=
    for stage in "$RUN"/stage-*; do
        [ ! -e "$stage" ] || left=$left$stage$NL
    done
    [ -z "$left" ] || every "$left" rm -rf --
}

take_bundle() {
    left_stages
    unpacked=$STAGE/bundle$NL$STAGE/guard.sh$NL
    expected="$DIGEST  $STAGE/bundle$NL$GUARD_DIGEST  $STAGE/guard.sh$NL"
    content=$BUNDLE
    if ! mkdir -p "$STAGE/files" || ! printf '%s' "$content" >"$STAGE/bundle" ||
        ! parted operations unpack_operation ||
        ! parted guard_part >"$STAGE/guard.sh" || ! printf '%s\n' "$DIGEST" >"$STAGE/digest"; then
        complaint=$({ mkdir -p "$STAGE/files" && printf '%s' "$content" >"$STAGE/bundle"; } 2>&1)
        unwritten upload "unpack the upload in $STAGE" "$complaint" "$RUN"
    fi
    [ "$(every "$unpacked" sha256sum --)$NL" = "$expected" ] && return 0
    fail upload upload "the upload in $STAGE differs from what was sent" 'try again'
}

unpack_operation() { # a config stands alone, for containerd to judge it
    [ "$action" != delete ] && is_config || return 0
    unpacked=$unpacked$STAGE/files/$number$NL
    expected="$expected$after  $STAGE/files/$number$NL"
    part "$1" >"$STAGE/files/$number"
}

dump() { # what a daemon would read; without the file it has only its defaults
    if [ -f "$1" ]; then
        GOMAXPROCS=1 GOGC=off timeout 15 "$BINARY" -c "$1" config dump 2>&1
    else
        GOMAXPROCS=1 GOGC=off timeout 15 "$BINARY" config default 2>&1
    fi
}

outside_registry() { # as fleet/core/containerd/dump.py does it with the dump that the probe has read
    skip=0
    lines
    for line in $1; do
        case $line in
        time=* | imports\ =*) continue ;;
        *\[plugins*.registry\] | *\[plugins*.registry.*\]) skip=1 ;;
        *\[*plugins.*\] | \[*\]) skip=0 ;;
        esac
        [ "$skip" = 1 ] || printf '%s\n' "$line"
    done
    words
}

inside_registry() { # the registry tables of a dump, for the driver to compare with what was meant
    skip=1
    lines
    for line in $1; do
        case $line in
        time=*) continue ;;
        *\[plugins*.registry\] | *\[plugins*.registry.*\]) skip=0 ;;
        *\[*plugins.*\] | \[*\]) skip=1 ;;
        esac
        [ "$skip" = 1 ] || printf '%s\n' "$line"
    done
    words
}

staged_root() { # note what stands in for the root file, and whether nothing else changes
    is_config || return 0
    if [ "$path" = "$CONFIG" ] && [ "$action" != delete ]; then
        root=$STAGE/files/$number
    else
        alone=0
    fi
}

bind_operation() {
    is_config || return 0
    staged=$STAGE/files/$number
    [ "$action" = delete ] && staged=/dev/null
    printf '%s\t%s\n' "$staged" "$path"
}

shadowed_dump() { # what a daemon would read with every new config file in its place
    # shellcheck disable=SC2016 # the inner shell, in a mount namespace of its own, expands these
    operations bind_operation | unshare -m -- sh -c '
        count=0
        while IFS="$4" read -r staged path; do
            folder=${path%/*}
            count=$((count + 1))
            copy=$1/shadow/$count
            if [ -e "$path" ]; then
                mount --bind "$staged" "$path" || exit 97
            elif [ "$staged" != /dev/null ] && [ -d "$folder" ]; then
                mkdir -p "$copy" && cp -a "$folder/." "$copy/" &&
                    cp -p "$staged" "$copy/${path##*/}" &&
                    mount --bind "$copy" "$folder" || exit 97
            elif [ "$staged" != /dev/null ]; then
                while [ ! -d "${folder%/*}" ]; do folder=${folder%/*}; done
                above=${folder%/*}
                below=$copy/${path#"$above"/}
                mkdir -p "$copy" && cp -a "$above/." "$copy/" && mkdir -p "${below%/*}" &&
                    cp -p "$staged" "$below" && mount --bind "$copy" "$above" || exit 97
            fi
        done
        if [ -f "$3" ]; then
            exec timeout 15 "$2" -c "$3" config dump
        fi
        exec timeout 15 "$2" config default' sh "$STAGE" "$BINARY" "$CONFIG" "$TAB" 2>&1
}

ignored() { # how often it says so of a registry table
    case $1 in
    *'Ignoring unknown key'*)
        printf '%s' "$1" | grep -c 'Ignoring unknown key.*key="\{0,1\}registry'
        ;;
    *) printf 0 ;;
    esac
}

strayed() { # what else a daemon would read otherwise
    outside_registry "$(dump "$CONFIG")" >"$STAGE/outside"
    outside_registry "$new" | diff "$STAGE/outside" - | head -n 12
}

new_dump() {
    root=
    alone=1
    operations staged_root
    if [ "$alone" = 1 ]; then
        dump "$root"
    else
        shadowed_dump
    fi
}

refused() { # the new config is refused; a rollback goes on if the present one is too
    if [ "$ROLLBACK" = 0 ]; then
        fail validate validate "$BINARY refuses the new $CONFIG" \
            "find the line that it names in \`fleet diff\`" "$new"
    fi
    [ ! -s "$STATE/generations/$RESTORES/ill" ] || return 0 # it did not start with it then either
    dump "$CONFIG" >/dev/null || return 0
    fail validate validate "$BINARY does not start with the previous $CONFIG" \
        "fix what it reports by hand, or run \`fleet rollout\`" "$new"
}

validate() {
    [ -n "$CONFIGS" ] || return 0
    new=$(new_dump) || refused
    [ "$ROLLBACK" = 0 ] || return 0 # a rollback may always restore the old config
    [ "$(ignored "$new")" -le "$IGNORED" ] ||
        fail validate validate "$BINARY would ignore a registry table of the new $CONFIG" \
            'move what its warning names by hand' "$(printf '%s' "$new" | grep 'Ignoring unknown key')"
    left=$(outside_registry "$new" | sha256sum)
    [ "${left%% *}" = "$OUTSIDE" ] && value registry "$(inside_registry "$new")" && return 0
    fail validate validate "the new $CONFIG would change more than the registry tables" \
        "add to it by hand what \`fleet diff\` shows" "$(strayed)"
}

stage() {
    safe_ways
    mutex 2 || refuse_busy
    MUTEX=1
    hold
    [ ! -d "$PENDING" ] || [ "$(word "$PENDING/id")" = "$ID" ] ||
        unconfirmed locked lock
    [ ! -d "$PENDING" ] || unconfirmed conflict lock
    [ "$GUARD" = 0 ] || command -v systemd-run >/dev/null ||
        fail unsupported guard 'systemd-run is missing on this node, so no guard can be armed' \
            'install systemd, or roll out without a guard (--guard 0)'
    step check
    check
    [ -z "$shared" ] || fail unsupported check "$shared $STEERED" "$STEERED_REMEDY"
    movable
    step unpack
    take_bundle
    step validate
    validate
    [ ! -e "$STAGE/shadow" ] || rm -rf -- "$STAGE/shadow"
    finish staged
}

hello
MODE=stage
trap '' PIPE HUP
trap 'fail timeout stage "$LATE" "$LATE_REMEDY"' TERM INT
trap 'fail bug stage "$EARLY" "$EARLY_REMEDY"' EXIT
stage
