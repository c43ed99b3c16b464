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
pulled=

evidence() { # what travels only once cannot be seen to travel for CRI
    fetch "$EVIDENCE_SECONDS"
    objects
    if shared; then # with one that CRI has from us: that one goes first, and this travels as a whole
        forget
        drop
        pulled=
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

look() { # is $name there (yes, no, ?)? all images are asked for, again after some seconds
    read -r uptime _ </proc/uptime
    if [ -z "${looked:-}" ] || [ $((${uptime%.*} - looked)) -ge 3 ]; then
        looked=${uptime%.*}
        had=$(ctl -n k8s.io images ls -q) || had='?'
        not_ours
    fi
    present=no
    case $NL$had$NL in
    *"$NL$name$NL"*) present=yes ;;
    *"$NL?$NL"*) present='?' ;; # then nothing is ours
    esac
}

by_crictl() {
    ready_to_pull
    output=$(cri pull "$image" 2>&1)
    code=$?
    read -r end _ </proc/uptime
    travelled
    put_back "$code"
    if [ "$code" = 0 ]; then brought "$output"; else brought ''; fi
    outcome crictl "$present" "$code" "$output"
}

ready_to_pull() {
    look
    evidence
    [ -n "$ours" ] || known=$(containers)
    note_name
    begin
}

begin() { # the daemon's log is read from the first pull on, and told apart by when each began
    [ -n "${since:-}" ] || since=$(date +%s.%N)
    read -r begin _ </proc/uptime
    tell began "$begin"
}

outcome() { # via, present before (yes, no, ?), exit code, output
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
    ours
    lay_probe >/dev/null 2>&1 || probe=
    value probe "$probe"
    turn
    [ -d "$LIVENESS/$probe" ] || value swept 1
    sweep_probes
}

by_cri() { # the other end pulls, and says what CRI calls it
    ready_to_pull
    tell present "$present"
    turn
    travelled
    case $line in
    sha256:*) brought "$line" ;;
    *)
        put_back 1
        brought ''
        ;;
    esac
}

logged() { # what the daemon has said since the first pull began
    [ -n "${since:-}" ] || return 0
    value since "$since"
    timeout 10 journalctl -a -u "$UNIT" --since "@$since" -o short-unix --no-pager 2>/dev/null |
        sed -nE -e "$HARMLESS" -e "/$LOGGED/s/^/log$TAB=/p" | tail -c 200000
}

sweep() {
    drop
    gone=$?
    [ "${fetched:-0}" = 0 ] || forget
    [ -z "${fetched:-}" ] || leave || gone=1
    [ "$gone" != 0 ] || [ ! -f "$NOTE" ] || rm -rf -- "$NOTE" "$WORK"
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
    only_roots
    exec 3<&0
    trap '' PIPE # or the shell would end before it has swept
    trap sweep EXIT
    trap 'exit 1' TERM INT HUP
    left_work
    remains
    check_liveness
    ask_by_cri
    prove
    trap - EXIT
    sweep
    logged # last, as the journal is a moment behind the daemon
    bye
}
main
