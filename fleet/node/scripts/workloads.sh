# The containers that run, with their processes: a restart of containerd must not end any of them.

listed() { # by the files in which containerd's shims keep their processes; some shims keep none
    known=0
    for folder in "${SOCKET%/*}"/io.containerd.runtime.v*; do
        [ ! -d "$folder" ] || known=1
    done
    [ "$known" = 1 ] || return 1
    found=
    for folder in "${SOCKET%/*}"/io.containerd.runtime.v*/*/*; do
        [ -d "$folder" ] || continue
        [ -f "$folder/init.pid" ] || return 1
        IFS= read -r process <"$folder/init.pid"
        space=${folder%/*}
        [ ! -d "/proc/$process" ] ||
            found="$found${space##*/} ${folder##*/} $process RUNNING$NL"
    done
}

all_run() { # whether each process of the lines $1 is still there
    lines
    for line in $1; do
        line=${line% *}
        [ -d "/proc/${line##* }" ] || break
        line=
    done
    words
    [ -z "$line" ]
}

tasks() { # of containerd itself: namespace, container, process, state; one line each
    timeout 10 ctr -a "$SOCKET" --connect-timeout 5s namespaces ls -q 2>/dev/null |
        while IFS= read -r space; do
            timeout 10 ctr -a "$SOCKET" -n "$space" tasks ls 2>/dev/null |
                while read -r container process state; do
                    [ "$container" = TASK ] || printf '%s %s %s %s\n' \
                        "$space" "$container" "$process" "$state"
                done
        done
}

running() { # in $found
    listed || found=$(tasks | grep ' RUNNING$')
}
