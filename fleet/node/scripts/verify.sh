# Prove a node: fetch every test image by ctr to see which hosts answer, throw that away, pull it by
# CRI, look what the daemon logged, and remove what we pulled. POSIX sh. In: IMAGES HOSTS_DIRECTORY
# VIA (crictl, cri or ctr) UNIT SOCKET PULL_SECONDS HEALTH_SECONDS ID LIVENESS CRICTL.
# An image is: reference, CRI's own name for it, registry, hosts.toml in base64. With VIA=cri
# somebody on the other end of this connection pulls between the lines. What is told of an image
# begins with its number, from 0.
TAB=$(printf '\t')
WORK=/run/fleet/verify-$ID-$$
NAMESPACE=fleet-probe-$$
STATE=${SOCKET%/*}
STORE=
# Evidence must not use up the time before the guard: the pull itself is what counts.
EVIDENCE_SECONDS=$(((PULL_SECONDS + 2) / 3))
# What is read of a fetch: the requests and what came of them, without most headers. A line is made
# harmless and is a record's plain field, at no process more.
HARMLESS='s/[^ -~]/?/g'
HEADERS='s/ (request|response)\.header\.[^c= ][^= ]*=("([^"\\]|\\.)*"|[^ ]*)//g'
TOLD='do request|fetch response|trying next|fetch failed|resolved|loading host|decode|^ctr:|^code '
LOGGED='trying next|fetch failed|failed to decode|stop pulling image'

tell() { # key, plain text: a record of the image that is at hand
    printf '%s\t%s\t=%s\n' "$1" "$number" "$2" || exit 1 # nobody listens any more
}

fetching() { # for $1 seconds, with the roots of $2 beside the bundle; notes $trace and $fetch_code
    fetched=1
    trace=$({
        SSL_CERT_DIR=$2 timeout "$1" ctr -a "$SOCKET" -n "$NAMESPACE" --debug content fetch \
            --hosts-dir "$directory" "$image" 2>&1
        printf 'code %s\n' "$?"
    } | sed -nE -e "$HARMLESS" -e "$HEADERS" -e "/$TOLD/s/^/trace$TAB$number$TAB=/p")
    fetch_code=${trace##*=code }
    [ "${#trace}" -le 60000 ] || trace=$(printf '%s' "$trace" | tail -c 60000)
}

fetch() { # for $1 seconds, by the daemon's own folder where it has one, else by the same wishes in one of ours
    directory=$HOSTS_DIRECTORY
    if [ -z "$directory" ]; then
        directory=$WORK
        mkdir -p "$WORK/$registry"
        printf '%s' "$hosts" | base64 -d >"$WORK/$registry/hosts.toml"
    fi
    # To read each file of /etc/ssl/certs beside the bundle that is made of them costs a fifth of a
    # fetch: only where the bundle does not do.
    fetching "$1" /nonexistent
    case $trace in *'unknown authority'*)
        forget
        fetching "$1" ''
        ;;
    esac
    printf '%s\n' "$trace" || exit 1
}

evidence() { # what travels only once cannot be seen to travel for CRI
    fetch "$EVIDENCE_SECONDS"
    objects
    [ -n "$STORE" ] || find_store
    forget
    fetched=0
    stand
    stayed=$standing
    tell stayed "$stayed"
    containers
}

objects() { # note the digests that the trace names
    objects=
    words=$IFS
    IFS="/?=\" $NL"
    set -f
    for word in $trace; do
        case $word in
        sha256:*)
            case "$objects " in *" $word "*) ;; *) objects="$objects $word" ;; esac
            ;;
        esac
    done
    set +f
    IFS=$words
}

stand() { # note which objects are files of the daemon's content store now
    standing=
    [ -n "$STORE" ] || return 0
    for object in $objects; do
        [ ! -f "$STORE/${object#*:}" ] || standing="$standing $object"
    done
}

find_store() { # it is where the daemon has just put what ctr fetched
    for root in /var/lib/containerd /var/lib/rancher/k3s/agent/containerd \
        /var/lib/rancher/rke2/agent/containerd /var/lib/k0s/containerd \
        /var/snap/microk8s/common/var/lib/containerd; do
        STORE=$root/io.containerd.content.v1.content/blobs/sha256
        stand
        [ -z "$standing" ] || return 0
    done
    STORE=
}

travelled() { # which objects were not in the store before the pull, and are now
    stand
    [ -n "$STORE" ] || [ -z "$objects" ] || standing=$(ctl -n k8s.io content ls -q |
        grep -xF "$(printf '%s\n' "$objects" | tr ' ' '\n' | grep .)" | tr '\n' ' ')
    tell travelled "$standing"
}

containers() { # note all that run or were made, without a process: each has a folder
    set -- "$STATE"/io.containerd.runtime.v2.task/k8s.io/* \
        "$STATE"/io.containerd.grpc.v1.cri/containers/*
    known=$*
}

in_use() { # a container that began since then keeps the image that it runs from
    before=$known
    containers
    [ -d "$STATE/io.containerd.runtime.v2.task" ] && [ "$known" = "$before" ] && return 1
    ctl -n k8s.io containers ls | grep -qF " $image "
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
    begin
    output=$(cri pull "$image" 2>&1)
    code=$?
    read -r end _ </proc/uptime
    travelled
    # An image that was not there goes again, so that the next proof downloads it again.
    [ "$code$present" = 0no ] && [ "$had" != '?' ] && ! in_use && cri rmi "$image" >/dev/null 2>&1
    pulled crictl "$present" "$code" "$output"
}

begin() { # the daemon's log is read from the first pull on, and told apart by when each began
    [ -n "${since:-}" ] || since=$(date +%s.%N)
    read -r begin _ </proc/uptime
    tell began "$begin"
}

pulled() { # via, present before (yes, no), exit code, output
    [ "$3" = 0 ] || value "said$TAB$number" "$(printf '%s' "$4" | tail -c 20000)"
    printf 'pull\t%s\t%s\t%s\t%s\t%s\t%s\n' "$number" "$1" "$2" "$3" "$begin" "$end" || exit 1
}

by_ctr() {
    read -r begin _ </proc/uptime
    fetch "$PULL_SECONDS"
    read -r end _ </proc/uptime
    forget
    fetched=0
    pulled ctr no "$fetch_code" ''
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
    begin
    turn
    travelled
    if in_use; then value used yes; else value used no; fi
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
    logged
    trap - EXIT
    sweep
    bye
}
main
