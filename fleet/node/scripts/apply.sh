# Change a node, or take the change back: lock, check, keep, stage, validate, swap, restart, gate.
# POSIX sh. In: MODE (apply or revert) ID ROLLOUT OPERATOR SPOOL SIZE DIGEST OPERATIONS CHECKS
# ROLLBACK EMPTIED UNIT CONFIG BINARY SOCKET RESTART CRICTL HEALTH_SECONDS RESTART_SECONDS.
# An operation is: action, mode, uid, gid, offset, size, digest before, digest after, path.
# Whatever fails before the swap leaves the node as it was; whatever fails after it is taken back
# here, on the node, whether or not anybody still listens.
# shellcheck disable=SC2153 # the names in capitals come from outside, those in small are a line's
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077
STATE=/var/lib/fleet
KEPT=$STATE/generations/$ID
RUN=/run/fleet
STAGE=$RUN/stage-$ID
TAB=$(printf '\t')
SWAPPED=0
LOCKED=0

b64() { base64 | tr -d '\n'; }

value() { printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | b64)"; }

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

stage_operation() {
    [ "$action" = delete ] && return 0
    target=$staged
    if [ ! -d "$folder" ] && [ "$path" != "$CONFIG" ]; then
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

validate_operation() {
    [ "$path" = "$CONFIG" ] && [ "$action" != delete ] || return 0
    old=$(dump "$CONFIG")
    new=$(dump "$staged") || fail validate validate "containerd refuses the new $CONFIG" "$new"
    case $new in
    *'Ignoring unknown key'*key=registry*)
        fail validate validate "containerd would ignore the registry table in $CONFIG"
        ;;
    esac
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

restart() {
    [ "$RESTART" = 1 ] || return 0
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

# -- health ----------------------------------------------------------------------------------

property() { # the value of one of the unit's properties in $properties
    rest=${properties#*"$1="}
    printf '%s' "${rest%%
*}"
}

plugin_ok() { # the row of the CRI plugin itself must end in ok; an active unit says nothing
    printf '%s\n' "$1" | while read -r type id row; do
        [ "$type $id" = 'io.containerd.grpc.v1 cri' ] && [ "${row##* }" = ok ] && exit 5
    done
    [ $? = 5 ]
}

runtime_ready() {
    flat=$(printf '%s' "$1" | tr -d ' \n\t')
    case $flat in
    *'"status":true,"type":"RuntimeReady"'* | *'"type":"RuntimeReady","status":true'*) return 0 ;;
    esac
    return 1
}

healthy() {
    properties=$(systemctl show "$UNIT" -p ActiveState -p SubState -p MainPID -p NRestarts)
    unhealthy="unit $(property ActiveState)/$(property SubState)"
    [ "$(property ActiveState)/$(property SubState)" = active/running ] || return 1
    unhealthy='containerd does not answer'
    timeout 10 ctr -a "$SOCKET" --connect-timeout 5s version >/dev/null 2>&1 || return 1
    rows=$(timeout 10 ctr -a "$SOCKET" plugins ls id==cri 2>/dev/null)
    unhealthy='the CRI plugin is not ok, though the unit is active'
    plugin_ok "$rows" || return 1
    [ "$CRICTL" = 1 ] || return 0
    unhealthy='CRI does not answer that its runtime is ready'
    info=$(timeout 10 crictl -r "unix://$SOCKET" -i "unix://$SOCKET" info 2>/dev/null) &&
        runtime_ready "$info"
}

gate() {
    read -r begin _ </proc/uptime
    until healthy; do
        read -r uptime _ </proc/uptime
        [ $((${uptime%.*} - ${begin%.*})) -lt "$HEALTH_SECONDS" ] || return 1
        sleep 0.2
    done
    value main_pid "$(property MainPID)"
    value restarts "$(property NRestarts)"
}

reason() {
    printf '%s\n' "${unhealthy:-}" "${complaint:-}"
    timeout 10 ctr -a "$SOCKET" plugins ls -d id==cri 2>&1 | head -n 12
    timeout 10 journalctl -u "$UNIT" -n 12 --no-pager -o cat 2>&1
}

interrupted() {
    fail timeout apply 'the pass ran out of time or was stopped'
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
    operations validate_operation
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

value hello "$(id -u)"
[ "$(id -u)" = 0 ] || exit 0
trap '' PIPE HUP
trap interrupted TERM INT
trap 'fail bug apply "the script ended early"' EXIT
"$MODE"
