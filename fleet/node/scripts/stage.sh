# Stage a change: lock, check, unpack, and validate it with the node's own containerd. Nothing
# outside /run is written. OUTSIDE and IGNORED come from the dump that the probe read.
# requires: environment text protocol paths change files steps bundle lock movable operations
# requires: ownership pending stale steered storage validate
# inputs: BUNDLE DIGEST GUARD GUARD_DIGEST ID NEEDED

ON_FAILURE=stage_on_failure

stage_finish() { # status
    trap - EXIT
    [ "$1" = staged ] || { rm -rf -- "$STAGE"; [ "${MUTEX:-0}" = 1 ] && lock_release; }
    protocol_value status "$1"
    protocol_end
    exit 0
}

stage_on_failure() { stage_finish failed; }

# Add the folders on the way to an operation's path, through links too.
stage_walk_operation() { ownership_walk "$path"; }

# Note in $shared a folder that another user can change; end if it is one of fleet's own.
stage_find_shared() {
    local own ways ends steered
    shared=
    ownership_walk_own
    own=$NL$ways
    operations_each stage_walk_operation
    ownership_find_shared || return 0
    shared=$steered
    case $own in *"$NL$steered$NL"*) ;; *) return 0 ;; esac
    steps_report_failure unsupported check "$shared $STEERED" "$STEERED_OWN_REMEDY"
    protocol_value status failed
    protocol_end
    trap - EXIT
    exit 0
}

stage_remove_left() { # remove all staged files: no other rollout needs them while this has the lock
    local stage left
    left=
    for stage in "$RUN"/stage-*; do
        [ ! -e "$stage" ] || left=$left$stage$NL
    done
    [ -z "$left" ] || text_with_lines "$left" rm -rf --
}

stage_check_needed() { # end if a certificate is missing to which the new files refer
    local path
    text_split_lines
    for path in $NEEDED; do
        [ -f "$path" ] || steps_fail conflict check "mirrors.yaml names $path, which is not a file on this node" \
            'install the certificate there, or name a file of the machine that runs fleet'
    done
    text_split_words
}

stage_unpack() {
    local complaint expected unpacked
    stage_remove_left
    unpacked=$STAGE/bundle$NL$STAGE/guard.sh$NL
    expected="$DIGEST  $STAGE/bundle$NL$GUARD_DIGEST  $STAGE/guard.sh$NL"
    content=$BUNDLE
    if ! mkdir -p "$STAGE/files" || ! printf '%s' "$content" >"$STAGE/bundle" ||
        ! bundle_split operations_each stage_unpack_operation ||
        ! bundle_split bundle_guard >"$STAGE/guard.sh" || ! printf '%s\n' "$DIGEST" >"$STAGE/digest"; then
        complaint=$({ mkdir -p "$STAGE/files" && printf '%s' "$content" >"$STAGE/bundle"; } 2>&1)
        storage_fail upload "unpack the upload in $STAGE" "$complaint" "$RUN"
    fi
    [ "$(text_with_lines "$unpacked" sha256sum --)$NL" = "$expected" ] && return 0
    steps_fail upload upload "the upload in $STAGE differs from what was sent" 'run the command again'
}

stage_unpack_operation() { # write a config to a file of its own, which containerd validates
    [ "$action" != delete ] && operations_is_config || return 0
    unpacked=$unpacked$STAGE/files/$number$NL
    expected="$expected$after  $STAGE/files/$number$NL"
    bundle_part "$1" >"$STAGE/files/$number"
}

stage_change() {
    stage_find_shared
    lock_take_mutex 2 || lock_fail_busy
    MUTEX=1
    lock_acquire
    [ ! -d "$PENDING" ] || [ "$(files_first_line "$PENDING/id")" = "$ID" ] ||
        pending_fail locked lock
    [ ! -d "$PENDING" ] || pending_fail conflict lock
    [ "$GUARD" = 0 ] || command -v systemd-run >/dev/null ||
        steps_fail unsupported guard 'systemd-run is missing on this node, so no guard can be armed' \
            'install systemd, or run the command again with --guard 0 (no guard)'
    steps_enter check
    stale_check
    stage_check_needed
    [ -z "$shared" ] || steps_fail unsupported check "$shared $STEERED" "$STEERED_REMEDY"
    movable_check
    steps_enter unpack
    stage_unpack
    steps_enter validate
    validate_config
    [ ! -e "$STAGE/shadow" ] || rm -rf -- "$STAGE/shadow"
    stage_finish staged
}

protocol_begin
MODE=stage
trap '' PIPE HUP
trap 'steps_fail timeout stage "$LATE" "$LATE_REMEDY"' TERM INT
trap 'steps_fail bug stage "$EARLY" "$EARLY_REMEDY"' EXIT
stage_change
