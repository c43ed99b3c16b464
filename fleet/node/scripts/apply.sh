# Change a node, or take the change back: lock, check, keep, stage, validate, swap, restart, gate.
# POSIX sh. In: MODE (apply or revert) ID ROLLOUT OPERATOR SPOOL SIZE DIGEST OPERATIONS CHECKS
# ROLLBACK EMPTIED UNIT CONFIG CONFIG_BEFORE CONFIGS BINARY SOCKET RESTART CRICTL HEALTH_SECONDS
# RESTART_SECONDS. CONFIGS are the paths, one a line, of config files among the operations.
# An operation is: action, mode, uid, gid, offset, size, digest before, digest after, path.
# Whatever fails before the swap leaves the node as it was; whatever fails after it is taken back
# here, on the node, whether or not anybody still listens.
umask 077
TAB=$(printf '\t')
STATE=/var/lib/fleet
KEPT=$STATE/generations/$ID
RUN=/run/fleet
STAGE=$RUN/stage-$ID
SWAPPED=0
LOCKED=0

step() {
    read -r uptime _ </proc/uptime
    value step "$1 $uptime"
}

digest() {
    if [ -f "$1" ]; then
        sum=$(sha256sum <"$1")
        printf '%s' "${sum%% *}"
    else
        printf '%s' -
    fi
}

finish() { # status
    trap - EXIT
    rm -rf -- "$STAGE"
    sweep
    if [ "$LOCKED" = 1 ]; then
        rm -f "$RUN/lock/note" "$RUN/lock/pid"
        rmdir "$RUN/lock"
    fi
    [ -d "$STATE" ] && printf '%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        "$MODE" "$ID" "$OPERATOR" "$1" >>"$STATE/audit.log" 2>/dev/null
    value status "$1"
    printf 'end\t\n'
    exit 0
}

fail() { # kind, step, message, evidence
    value failure "$1"
    value failed_step "$2"
    value message "$3"
    value evidence "${4:-}"
    [ "$SWAPPED" = 1 ] || finish failed
    take_back
}

operations() { # run a function for every operation
    while IFS="$TAB" read -r action mode uid gid offset size before after path; do
        [ -n "$action" ] || continue
        folder=${path%/*}
        staged=$folder/.fleet-$ID.${path##*/}
        hidden=${folder%/*}/.fleet-$ID.${folder##*/}
        "$1" || return 1
    done <<LIST
$OPERATIONS
LIST
}

is_config() {
    case "
$CONFIGS
" in *"
$path
"*) return 0 ;; esac
    return 1
}

# -- lock ------------------------------------------------------------------------------------

lock() {
    mkdir -p "$RUN" || fail storage lock "cannot write to $RUN"
    if ! mkdir "$RUN/lock" 2>/dev/null; then
        holder=$(cat "$RUN/lock/pid" 2>/dev/null)
        if [ -n "$holder" ] && [ -d "/proc/$holder" ]; then
            value lock "$(cat "$RUN/lock/note" 2>/dev/null)"
            fail locked lock "another rollout works on this node: $(cat "$RUN/lock/note")"
        fi
        # Its holder is a process of this node and is gone: nobody works here any more.
        rm -rf -- "$RUN/lock"
        mkdir "$RUN/lock" || fail locked lock "cannot take the lock $RUN/lock"
    fi
    LOCKED=1
    printf '%s\n' "$$" >"$RUN/lock/pid"
    printf '%s\n' "rollout $ROLLOUT by $OPERATOR since $(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        >"$RUN/lock/note"
}

# -- before the swap -------------------------------------------------------------------------

check_operation() {
    [ "$(digest "$path")" = "$before" ] && return 0
    fail stale check "$path is not as it was when the plan was made; plan again"
}

check() {
    operations check_operation || exit 1
    while IFS="$TAB" read -r before path; do
        [ -n "$path" ] && check_operation
    done <<LIST
$CHECKS
LIST
}

take_bundle() {
    if ! mkdir -p "$STAGE" || ! cp -- "$SPOOL/bundle" "$STAGE/bundle"; then
        fail storage upload "cannot copy the upload to $STAGE; is /run full?"
    fi
    got=$(wc -c <"$STAGE/bundle")
    [ "$got" -eq "$SIZE" ] ||
        fail upload upload "only $got of $SIZE bytes arrived; is the disk under /tmp full?"
    [ "$(digest "$STAGE/bundle")" = "$DIGEST" ] ||
        fail upload upload "the upload was changed on its way to $STAGE"
}

stage_operation() {
    [ "$action" = delete ] && return 0
    target=$staged
    if [ ! -d "$folder" ] && ! is_config; then
        [ -d "${folder%/*}" ] || make_directory "${folder%/*}" || return 1
        [ -d "$hidden" ] || make_directory "$hidden" || return 1
        target=$hidden/${path##*/}
    elif [ ! -d "$folder" ]; then
        make_directory "$folder" || return 1
    fi
    if [ -f "$path" ]; then
        cp -p --preserve=all -- "$path" "$target" && chmod 600 "$target" || return 1
    fi
    tail -c "+$((offset + 1))" "$STAGE/bundle" | head -c "$size" >"$target" || return 1
    [ "$(digest "$target")" = "$after" ] && chown "$uid:$gid" "$target" &&
        chmod "$mode" "$target" && sync "$target"
}

stage() {
    operations stage_operation 2>"$RUN/error-$ID" && return 0
    complaint=$(cat "$RUN/error-$ID" 2>/dev/null)
    fail storage stage "cannot write the new files beside the old ones; is the disk full?" \
        "$complaint"
}

sweep_operation() {
    [ -e "$staged" ] && rm -f -- "$staged"
    [ -d "$hidden" ] && rm -rf -- "$hidden"
    return 0
}

sweep() {
    rm -f "$RUN/error-$ID"
    [ "$MODE" = apply ] || return 0
    operations sweep_operation
    [ "$SWAPPED" = 1 ] || drop_kept
}

drop_kept() { # staging may have made directories; they go as well
    [ -f "$KEPT/manifest" ] && undo_directories 2>/dev/null
    rm -rf -- "$KEPT"
}

dump() { # what a daemon would read; without the file it has only its defaults
    if [ -f "$1" ]; then
        timeout 15 "$BINARY" -c "$1" config dump 2>&1
    else
        timeout 15 "$BINARY" config default 2>&1
    fi
}

outside_registry() { # a dump without its registry tables, its imports and its log lines
    skip=0
    while IFS= read -r line; do
        case $line in
        time=* | imports\ =* | '') continue ;;
        *\[plugins*.registry\] | *\[plugins*.registry.*\]) skip=1 ;;
        *\[*plugins.*\] | \[*\]) skip=0 ;;
        esac
        [ "$skip" = 1 ] || printf '%s\n' "$line"
    done
}

staged_root() { # note what stands in for the root file, and whether nothing else changes
    is_config || return 0
    if [ "$path" = "$CONFIG" ] && [ "$action" != delete ]; then
        root=$staged
    else
        alone=0
    fi
}

bind_operation() {
    is_config || return 0
    [ "$action" = delete ] && staged=/dev/null
    printf '%s\t%s\n' "$staged" "$path"
}

shadowed_dump() { # what a daemon would read with every new config file in its place
    # shellcheck disable=SC2016 # the inner shell, in a mount namespace of its own, expands these
    operations bind_operation | unshare -m -- sh -c '
        while IFS="$4" read -r staged path; do
            if [ -e "$path" ]; then
                mount --bind "$staged" "$path" || exit 97
            elif [ "$staged" != /dev/null ]; then
                mkdir -p "$1/shadow" && cp -a "${path%/*}/." "$1/shadow/" &&
                    cp -p "$staged" "$1/shadow/${path##*/}" &&
                    mount --bind "$1/shadow" "${path%/*}" || exit 97
            fi
        done
        if [ -f "$3" ]; then
            exec timeout 15 "$2" -c "$3" config dump
        fi
        exec timeout 15 "$2" config default' sh "$STAGE" "$BINARY" "$CONFIG" "$TAB" 2>&1
}

ignored() { grep -c 'Ignoring unknown key.*key="\{0,1\}registry'; }

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

validate() {
    [ -n "$CONFIGS" ] || return 0
    old=$(dump "$CONFIG_BEFORE")
    new=$(new_dump) || fail validate validate "containerd refuses the new $CONFIG" "$new"
    [ "$(printf '%s' "$new" | ignored)" -le "$(printf '%s' "$old" | ignored)" ] ||
        fail validate validate "containerd would ignore the registry table in $CONFIG"
    [ "$ROLLBACK" = 0 ] || return 0
    old=$(printf '%s\n' "$old" | outside_registry)
    [ "$old" = "$(printf '%s\n' "$new" | outside_registry)" ] && return 0
    fail validate validate "the new $CONFIG would change more than the registry tables"
}

# -- the swap and the way back ---------------------------------------------------------------

swap_operation() {
    case $action in
    delete) rm -f -- "$path" ;;
    *)
        if [ -d "$hidden" ] && [ ! -d "$folder" ]; then
            mv -T -- "$hidden" "$folder"
        elif [ -e "$staged" ]; then
            mv -fT -- "$staged" "$path"
        else
            [ -f "$path" ]
        fi
        ;;
    esac
}

remove_emptied() {
    printf '%s\n' "$EMPTIED" | while IFS= read -r empty; do
        [ -n "$empty" ] && [ -d "$empty" ] && rmdir -- "$empty" 2>/dev/null
    done
    return 0
}

restart() {
    [ "$RESTART" = 1 ] || return 0
    grep -qs "$TAB/etc/systemd/" "$KEPT/manifest" && systemctl daemon-reload
    systemctl reset-failed "$UNIT" 2>/dev/null
    complaint=$(timeout "$RESTART_SECONDS" systemctl restart "$UNIT" 2>&1)
}

take_back() { # what was swapped is restored byte for byte, and proven
    trap '' TERM INT
    step revert
    SWAPPED=0
    if ! complaint=$(undo_files 2>&1); then
        value revert_evidence "$complaint"
        SWAPPED=1
        finish degraded
    fi
    if ! restart || ! gate; then
        value revert_evidence "$(reason)"
        SWAPPED=1
        finish degraded
    fi
    step reverted
    rm -rf -- "$KEPT"
    finish rolled_back
}

# -- the two passes --------------------------------------------------------------------------

apply() {
    lock
    step check
    check
    take_bundle
    step keep
    keep
    step stage
    stage
    step validate
    validate
    step swap
    SWAPPED=1
    complaint=$(operations swap_operation 2>&1) ||
        fail storage swap 'cannot put the new files in place' "$complaint"
    remove_emptied
    step restart
    restart || fail restart restart "$UNIT does not start with the new config" "$(reason)"
    step health
    gate || fail health health "not healthy within $HEALTH_SECONDS s: $unhealthy" "$(reason)"
    step swapped
    finish converged
}

revert() {
    lock
    [ -f "$KEPT/manifest" ] || fail no_generation revert "generation $ID is not on this node"
    SWAPPED=1
    take_back
}

hello
trap '' PIPE HUP
trap interrupted TERM INT
trap 'fail bug apply "the script ended early"' EXIT
"$MODE"
