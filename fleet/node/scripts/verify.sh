# Prove a node: fetch every test image by ctr to see which hosts answer, throw that away, pull it by
# CRI, look what the daemon logged, and remove what we pulled. POSIX sh. In: IMAGES HOSTS_DIRECTORY
# VIA (crictl, cri or ctr) UNIT SOCKET PULL_SECONDS HEALTH_SECONDS ID LIVENESS CRICTL.
# An image is: reference, registry, hosts.toml in base64. With VIA=cri somebody on the other end of
# this connection pulls between the lines.
TAB=$(printf '\t')
WORK=/run/fleet/verify-$ID-$$
NAMESPACE=fleet-probe-$$
# Evidence must not use up the time before the guard: the pull itself is what counts.
EVIDENCE_SECONDS=$(((PULL_SECONDS + 2) / 3))

now() {
    read -r uptime _ </proc/uptime
    printf '%s' "$uptime"
}

cri() { timeout "$PULL_SECONDS" crictl -r "unix://$SOCKET" -i "unix://$SOCKET" "$@"; }

told() { # key, text: one record of the image that is at hand, the last 60 kB of the text
    printf '%s\t%s\t%s\n' "$1" "$(printf '%s' "$image" | b64)" \
        "$(printf '%s' "$2" | tail -c 60000 | b64)" || exit 1 # nobody listens any more
}

fetch() { # for $1 seconds, by the daemon's own folder where it has one, else by the same wishes in one of ours
    directory=$HOSTS_DIRECTORY
    if [ -z "$directory" ]; then
        directory=$WORK
        mkdir -p "$WORK/$registry"
        printf '%s' "$hosts" | base64 -d >"$WORK/$registry/hosts.toml"
    fi
    begin=$(now)
    output=$(timeout "$1" ctr -a "$SOCKET" -n "$NAMESPACE" --debug content fetch \
        --hosts-dir "$directory" "$image" 2>&1)
    fetch_code=$?
    fetch_end=$(now)
    told fetched "$(printf '%s' "$output" | tr '\r' '\n' | grep -E \
        'do request|fetch response|trying next|fetch failed|resolved|loading host|decode|^ctr:')"
    objects=$(ctr -a "$SOCKET" -n "$NAMESPACE" content ls -q 2>/dev/null)
    forget
}

forget() { # what travels only once cannot be seen to travel for CRI
    ctr -a "$SOCKET" -n "$NAMESPACE" images rm --sync "$image" >/dev/null 2>&1
    ctr -a "$SOCKET" namespaces rm "$NAMESPACE" >/dev/null 2>&1
}

pulled() { # via, present before (yes, no), exit code, output, begin, end
    printf 'pull\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(printf '%s' "$image" | b64)" "$1" "$2" "$3" \
        "$5" "$6" "$(printf '%s' "$4" | tail -c 20000 | b64)" || exit 1
}

logged() { # what the daemon has said since the pull began
    told log "$(timeout 10 journalctl -u "$UNIT" --since "@$since" -o cat --no-pager 2>/dev/null |
        grep -E 'trying next|fetch failed|failed to decode|stop pulling image')"
}

kept() { # how many of the objects that ctr had fetched stand in CRI's store now
    [ -n "$objects" ] || objects=none
    told kept "$(printf '%s\n' "$objects" | grep -c '^sha256:')/$(timeout 20 ctr -a "$SOCKET" \
        -n k8s.io content ls -q 2>/dev/null | grep -cxF "$objects")"
}

in_use() { # a container that began since then keeps the image that it runs from
    timeout 20 ctr -a "$SOCKET" -n k8s.io containers ls 2>/dev/null | grep -qF " $image "
}

there() { # CRI's list cannot be asked for one image: containerd answers with all of them
    cri inspecti "$image" >/dev/null 2>&1 ||
        [ -n "$(timeout 20 ctr -a "$SOCKET" -n k8s.io images ls -q "name==$image" 2>/dev/null)" ]
}

by_crictl() {
    present=no
    there && present=yes
    fetch "$EVIDENCE_SECONDS"
    since=$(date +%s.%N)
    begin=$(now)
    output=$(cri pull "$image" 2>&1)
    code=$?
    end=$(now)
    kept
    # An image that was not there goes again, so that the next proof downloads it again.
    [ "$code" = 0 ] && [ "$present" = no ] && ! in_use && cri rmi "$image" >/dev/null 2>&1
    logged
    pulled crictl "$present" "$code" "$output" "$begin" "$end"
}

by_ctr() {
    fetch "$PULL_SECONDS"
    pulled ctr no "$fetch_code" "$output" "$begin" "$fetch_end"
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
    fetch "$EVIDENCE_SECONDS"
    since=$(date +%s.%N)
    turn
    kept
    if in_use; then value used yes; else value used no; fi
    turn
    logged
}

sweep() {
    end_relay
    image=${image:-}
    forget
    rm -rf -- "$WORK"
    sweep_probes
}

prove() {
    while IFS="$TAB" read -r image registry hosts; do
        [ -n "$image" ] || continue
        case $VIA in
        crictl) by_crictl ;;
        cri) by_cri ;;
        *) by_ctr ;;
        esac
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
    bye
}
main
