# The containers that run, with their processes: a restart of containerd must not end any of them.

tasks() { # namespace, container, process, state; one line each
    timeout 10 ctr -a "$SOCKET" --connect-timeout 5s namespaces ls -q 2>/dev/null |
        while IFS= read -r space; do
            timeout 10 ctr -a "$SOCKET" -n "$space" tasks ls 2>/dev/null |
                while read -r container process state; do
                    [ "$container" = TASK ] || printf '%s %s %s %s\n' \
                        "$space" "$container" "$process" "$state"
                done
        done
}

running() { tasks | grep ' RUNNING$'; }
