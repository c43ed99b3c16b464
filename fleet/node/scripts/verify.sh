# Prove a node: fetch every test image by ctr to see which hosts answer, throw that away, pull it by
# CRI, look what the daemon logged, and remove what we pulled. POSIX sh. In: IMAGES HOSTS_DIRECTORY
# VIA (crictl, cri or ctr) UNIT SOCKET PULL_SECONDS HEALTH_SECONDS ID LIVENESS CRICTL.
# An image is: reference, CRI's own name for it, registry, hosts.toml in base64. With VIA=cri
# somebody on the other end of this connection pulls between the lines. What is told of an image
# begins with its number, from 0.
STATE=${SOCKET%/*}
# Evidence must not use up the time before the guard: the pull itself is what counts.
EVIDENCE_SECONDS=$(((PULL_SECONDS + 2) / 3))
LOGGED='trying next|fetch failed|failed to decode|stop pulling image'
ours=
pulled=

evidence() { # what travels only once cannot be seen to travel for CRI
    fetch "$EVIDENCE_SECONDS"
    objects
    if shared; then # with one that CRI has from us: that one goes first, and this travels as a whole
        forget
        drop
        fetch "$EVIDENCE_SECONDS"
        objects
    fi
    printf '%s\n' "$trace" || exit 1
    [ -n "$STORE" ] || find_store
    forget
    fetched=0
    stand
    tell stayed "$standing"
}

shared() { # is any object one of those that were pulled just now?
    for object in $objects; do
        case "$pulled " in *" $object "*) return 0 ;; esac
    done
    return 1
}

drop() { # an image that was not there goes again, so that the next proof downloads it again
    [ -n "$ours" ] || return 0
    set --
    used=$(users)
    for each in $ours; do
        case $used in *" $each "*) ;; *) set -- "$@" "$each" ;; esac
    done
    [ "$#" = 0 ] || cri rmi "$@" >/dev/null 2>&1
    objects=$pulled
    stand
    if [ -n "$standing" ] && [ "$#" -gt 1 ]; then # not every client takes more than one
        for each; do cri rmi "$each" >/dev/null 2>&1; done
    fi
    ours=
    pulled=
}

containers() { # all that run or were made, without a process: each has a folder
    set -- "$STATE"/io.containerd.runtime.v2.task/k8s.io/* \
        "$STATE"/io.containerd.grpc.v1.cri/containers/*
    printf '%s' "$*"
}

users() { # what CRI's containers run from, unless all of them are older than our images
    [ -d "$STATE/io.containerd.runtime.v2.task" ] && [ "$(containers)" = "$known" ] && return 0
    ctl -n k8s.io containers ls
}

look() { # which of all the images CRI has; asked again where that was some seconds ago
    read -r uptime _ </proc/uptime
    [ -n "${looked:-}" ] && [ $((${uptime%.*} - looked)) -lt 3 ] && return 0
    looked=${uptime%.*}
    set --
    while IFS="$TAB" read -r _ other _; do
        set -- "$@" "name==$other"
    done <<LIST
$IMAGES
LIST
    had=$(ctl -n k8s.io images ls -q "$@") || had='?'
}

by_crictl() {
    look
    present=no
    case $NL$had$NL in *"$NL$name$NL"*) present=yes ;; esac
    evidence
    [ -n "$ours" ] || known=$(containers)
    begin
    output=$(cri pull "$image" 2>&1)
    code=$?
    read -r end _ </proc/uptime
    travelled
    [ "$code$present" = 0no ] && [ "$had" != '?' ] && ours="$ours $name" && pulled=$pulled$objects
    outcome crictl "$present" "$code" "$output"
}

begin() { # the daemon's log is read from the first pull on, and told apart by when each began
    [ -n "${since:-}" ] || since=$(date +%s.%N)
    read -r begin _ </proc/uptime
    tell began "$begin"
}

outcome() { # via, present before (yes, no), exit code, output
    [ "$3" = 0 ] || value "said$TAB$number" "$(printf '%s' "$4" | tail -c 20000)"
    printf 'pull\t%s\t%s\t%s\t%s\t%s\t%s\n' "$number" "$1" "$2" "$3" "$begin" "$end" || exit 1
}

by_ctr() {
    read -r begin _ </proc/uptime
    fetch "$PULL_SECONDS"
    printf '%s\n' "$trace" || exit 1
    read -r end _ </proc/uptime
    forget
    fetched=0
    outcome ctr no "$fetch_code" ''
}

ask_by_cri() { # as check_liveness does, with somebody else asking
    [ "$VIA" = cri ] && [ -n "$LIVENESS" ] || return 0
    probe=$$.$PROBE_NAME
    lay_probe 2>/dev/null || probe=
    value probe "$probe"
    turn
    [ -d "$LIVENESS/$probe" ] || value swept 1
    sweep_probes
}

by_cri() {
    evidence
    known=$(containers)
    begin
    turn
    travelled
    case $(users) in *" $name "*) value used yes ;; *) value used no ;; esac
    turn
}

logged() { # what the daemon has said since the first pull began
    [ -n "${since:-}" ] || return 0
    value since "$since"
    timeout 10 journalctl -a -u "$UNIT" --since "@$since" -o short-unix --no-pager 2>/dev/null |
        sed -nE -e "$HARMLESS" -e "/$LOGGED/s/^/log$TAB=/p" | tail -c 200000
}

sweep() {
    end_relay
    drop
    [ "${fetched:-0}" = 0 ] || forget
    [ -z "${fetched:-}" ] || leave
    [ ! -d "$WORK" ] || rm -rf -- "$WORK"
    sweep_probes
}

prove() {
    number=0
    while IFS="$TAB" read -r image name registry hosts; do
        [ -n "$image" ] || continue
        case $VIA in
        crictl) by_crictl ;;
        cri) by_cri ;;
        *) by_ctr ;;
        esac
        number=$((number + 1))
    done <<LIST
$IMAGES
LIST
}

main() { # a function: what comes in after the script is the other end's word, not the shell's
    hello
    exec 3<&0
    trap '' PIPE # or the shell would end before it has swept
    trap sweep EXIT
    trap 'exit 1' TERM INT HUP
    [ "$VIA" = cri ] && relay
    check_liveness
    ask_by_cri
    prove
    trap - EXIT
    sweep
    logged # last, as the journal is a moment behind the daemon
    bye
}
main
