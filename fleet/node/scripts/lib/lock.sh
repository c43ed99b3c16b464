# The mutex of a script and the lock of a rollout. A process holds the mutex until it ends. A
# rollout holds the lock even if its fleet process has died, until the rollout or its resume
# releases the lock, or `fleet unlock` breaks it.
# requires: paths files steps storage
# inputs: OPERATOR PURPOSE ROLLOUT
# functions: lock_take_mutex lock_is_ours lock_describe lock_acquire lock_release lock_fail_busy

lock_take_mutex() { # wait $1 seconds for a running script, 10 times longer for one of this rollout
    local complaint
    command -v flock >/dev/null ||
        steps_fail unsupported lock 'flock is missing on this node' 'install util-linux'
    # A failed redirection of exec would end the shell; that of printf does not.
    { { [ -d "$RUN" ] || mkdir -p "$RUN"; } && printf '' >>"$RUN/mutex"; } 2>/dev/null || {
        complaint=$({ mkdir -p "$RUN" && printf '' >>"$RUN/mutex"; } 2>&1)
        storage_fail lock "write to $RUN" "$complaint" /run
    }
    exec 9>>"$RUN/mutex"
    flock -w "$1" 9 || { lock_is_ours && flock -w "$((10 * $1))" 9; }
}

lock_is_ours() { [ "$(files_first_line "$LOCK")" = "$ROLLOUT" ]; }

lock_describe() { # print who holds the lock, since when, and for what
    local who by what up uptime age since
    [ -f "$LOCK" ] && { IFS= read -r who && IFS= read -r by && IFS= read -r what &&
        IFS= read -r since && IFS= read -r up; } <"$LOCK"
    read -r uptime _ </proc/uptime
    up=${up:-$uptime}
    age=$((${uptime%.*} - ${up%.*}))
    printf 'held by %s %s of %s since %s (%s s ago)' \
        "${what:-rollout}" "${who:-?}" "${by:-?}" "${since:-?}" "$age"
}

lock_acquire() { # acquire this node's lock, unless this rollout holds it already
    local uptime complaint
    if [ -e "$LOCK" ] && ! lock_is_ours; then
        [ -n "$(files_first_line "$LOCK")" ] || steps_fail locked lock \
            "$LOCK names no rollout" "find out what wrote it, then remove it by hand"
        steps_fail locked lock "this node is locked: $(lock_describe)" \
            "wait until it ends; if that fleet no longer runs, run \`fleet unlock $(files_first_line "$LOCK")\`"
    fi
    lock_is_ours && return 0
    read -r uptime _ </proc/uptime
    if ! printf '%s\n%s\n%s\n%s\n%s\n' "$ROLLOUT" "$OPERATOR" "$PURPOSE" \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$uptime" >"$LOCK.tmp" || ! mv -T "$LOCK.tmp" "$LOCK"; then
        complaint=$({ printf '%100s\n' x >"$LOCK.tmp" && mv -T "$LOCK.tmp" "$LOCK.try"; } 2>&1)
        rm -f "$LOCK.tmp" "$LOCK.try"
        storage_fail lock "write $LOCK" "$complaint" "$RUN"
    fi
}

lock_release() {
    lock_is_ours && rm -f "$LOCK"
    return 0
}

lock_fail_busy() {
    steps_fail locked lock "another fleet process is working on this node: $(lock_describe)" \
        'wait until it ends, then run the command again'
}
