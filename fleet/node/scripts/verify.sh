# Prove a node: pull every test image, and remove what we pulled.
# POSIX sh. In: IMAGES HOSTS_DIRECTORY CRICTL SOCKET PULL_SECONDS ID.
# An image is: reference, registry, hosts.toml in base64.
TAB=$(printf '\t')
WORK=/run/fleet/verify-$ID
NAMESPACE=fleet-probe-$ID

now() {
    read -r uptime _ </proc/uptime
    printf '%s' "$uptime"
}

pulled() { # via, present before (yes, no), exit code, output
    printf 'pull\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(printf '%s' "$image" | b64)" "$1" "$2" "$3" \
        "$begin" "$(now)" "$(printf '%s' "$4" | tail -c 20000 | b64)"
}

cri() { timeout "$PULL_SECONDS" crictl -r "unix://$SOCKET" -i "unix://$SOCKET" "$@"; }

by_crictl() {
    present=no
    [ -n "$(cri images -q "$image" 2>/dev/null)" ] && present=yes
    output=$(cri pull "$image" 2>&1)
    code=$?
    pulled crictl "$present" "$code" "$output"
    # An image that was not there goes again, so that the next proof downloads it again.
    [ "$code" = 0 ] && [ "$present" = no ] && cri rmi "$image" >/dev/null 2>&1
    return 0
}

by_ctr() { # the daemon's own folder where it has one, else the same wishes in a folder of ours
    directory=$HOSTS_DIRECTORY
    if [ -z "$directory" ]; then
        directory=$WORK
        mkdir -p "$WORK/$registry"
        printf '%s' "$hosts" | base64 -d >"$WORK/$registry/hosts.toml"
    fi
    local_pull=
    ctr images pull --help 2>/dev/null | { while IFS= read -r line; do
        case $line in *--local*) exit 5 ;; esac
    done; }
    [ $? = 5 ] && local_pull=--local
    # shellcheck disable=SC2086 # the flag is a word or nothing
    output=$(timeout "$PULL_SECONDS" ctr -a "$SOCKET" -n "$NAMESPACE" --debug images pull \
        $local_pull --hosts-dir "$directory" "$image" 2>&1)
    pulled ctr no "$?" "$output"
    ctr -a "$SOCKET" -n "$NAMESPACE" images rm --sync "$image" >/dev/null 2>&1
    ctr -a "$SOCKET" namespaces rm "$NAMESPACE" >/dev/null 2>&1
    rm -rf -- "$WORK"
}

hello
while IFS="$TAB" read -r image registry hosts; do
    [ -n "$image" ] || continue
    begin=$(now)
    if [ "$CRICTL" = 1 ]; then by_crictl; else by_ctr; fi
done <<LIST
$IMAGES
LIST
bye
