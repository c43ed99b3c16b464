# The containers that run, with their processes: a restart of containerd must not end any of them.
# requires: text
# inputs: K0S SOCKET before_restart
# functions: workloads_find workloads_all_run workloads_lost

# List containers by the init.pid files of containerd's shims; some shims have no such file.
workloads_list_files() {
    local process space folder known
    known=0
    for folder in "${SOCKET%/*}"/io.containerd.runtime.v*; do
        [ ! -d "$folder" ] || known=1
    done
    [ "$known" = 1 ] || return 1
    workloads=
    for folder in "${SOCKET%/*}"/io.containerd.runtime.v*/*/*; do
        [ -d "$folder" ] || continue
        [ -f "$folder/init.pid" ] || return 1
        IFS= read -r process <"$folder/init.pid"
        space=${folder%/*}
        [ ! -d "/proc/$process" ] ||
            workloads="$workloads${space##*/} ${folder##*/} $process RUNNING$NL"
    done
}

workloads_list_tasks() { # print what containerd lists: namespace, container, process, state
    local space container process state
    timeout 10 ${K0S:+"$K0S"} ctr -a "$SOCKET" --connect-timeout 5s namespaces ls -q 2>/dev/null |
        while IFS= read -r space; do
            timeout 10 ${K0S:+"$K0S"} ctr -a "$SOCKET" -n "$space" tasks ls 2>/dev/null |
                while read -r container process state; do
                    [ "$container" = TASK ] || printf '%s %s %s %s\n' \
                        "$space" "$container" "$process" "$state"
                done
        done
}

workloads_find() { # set $workloads to the running containers
    workloads_list_files || workloads=$(workloads_list_tasks | grep ' RUNNING$')
}

workloads_all_run() { # true if each process in the lines $1 still exists
    local line
    line=
    text_split_lines
    for line in $1; do
        line=${line% *}
        [ -d "/proc/${line##* }" ] || break
        line=
    done
    text_split_words
    [ -z "$line" ]
}

workloads_lost() { # print those of $before_restart whose process the restart has ended
    local now container process space state
    now=$(workloads_list_tasks)
    printf '%s\n' "$before_restart" | while read -r space container process state; do
        [ -n "$container" ] || continue
        case "
$now
" in *"
$space $container $process $state
"* | *"
$space $container $process STOPPED
"*) continue ;; esac
        # A container that containerd does not have any more was removed by its creator.
        timeout 10 ${K0S:+"$K0S"} ctr -a "$SOCKET" -n "$space" containers info "$container" >/dev/null 2>&1 &&
            printf '%s/%s (process %s)\n' "$space" "$container" "$process"
    done
}
