# The trace of an image: who would serve it, and what travels. ctr fetches it into a namespace of
# its own, from which it is removed again. The files of the daemon's store say what was there
# before a pull and what came with it. Each record begins with the number of the image.
# requires: text cleanup ctr
# inputs: HOSTS_DIRECTORY ID SOCKET hosts image number registry
# outputs: HARMLESS STORE WORK fetch_code objects stored trace
# functions: trace_value trace_fetch trace_objects trace_find_stored trace_find_store
# functions: trace_report_travelled

WORK=/run/fleet/verify-$ID-$$
NAMESPACE=fleet-probe-$$
STORE=
# What is read of a fetch: the requests and what came of them, without most headers. A line is made
# harmless and is a record's plain field, at no further process.
HARMLESS='s/[^ -~]/?/g'
HEADERS='s/ (request|response)\.header\.[^c= ][^= ]*=("([^"\\]|\\.)*"|[^ ]*)//g'
TOLD='do request|fetch response|trying next|fetch failed|resolved|loading host|decode|=fetch |^ctr:|^code '

trace_value() { # key, plain text: a record of the image that is at hand
    printf '%s\t%s\t=%s\n' "$1" "$number" "$2" || exit 1 # the connection is lost
}

trace_run() { # for $1 seconds, with the roots of $2 beside the bundle; notes $trace and $fetch_code
    [ -n "${fetched:-}" ] || cleanup_note
    fetched=1
    trace=$({
        SSL_CERT_DIR=$2 timeout "$1" ctr -a "$SOCKET" -n "$NAMESPACE" --debug content fetch \
            --hosts-dir "$directory" "$image" 2>&1
        printf 'code %s\n' "$?"
    } | sed -nE -e "$HARMLESS" -e "$HEADERS" -e "/$TOLD/s/^/trace$TAB$number$TAB=/p")
    fetch_code=${trace##*=code }
    [ "${#trace}" -le 60000 ] || trace=$(printf '%s' "$trace" | tail -c 60000)
}

trace_fetch() { # fetch for $1 seconds, with the daemon's hosts directory or with one of our own
    local directory
    directory=$HOSTS_DIRECTORY
    if [ -z "$directory" ]; then
        directory=$WORK
        mkdir -p "$WORK/$registry"
        printf '%s' "$hosts" | base64 -d >"$WORK/$registry/hosts.toml"
    fi
    # To read each file of /etc/ssl/certs beside the bundle that is made of them costs a fifth of a
    # fetch: only where the bundle does not do.
    trace_run "$1" /nonexistent
    case $trace in *'unknown authority'*)
        ctr_remove_image
        trace_run "$1" ''
        ;;
    esac
}

trace_objects() { # note the digests that the trace names, and which of them is the image's
    local word before
    objects=
    digest=
    before=
    text_split_lines
    IFS="/?=\" $NL"
    for word in $trace; do
        case $word in
        sha256:*)
            [ "$before" != desc.digest ] || digest=$word
            case "$objects " in *" $word "*) ;; *) objects="$objects $word" ;; esac
            ;;
        esac
        [ -z "$word" ] || before=$word
    done
    text_split_words
}

trace_find_stored() { # note which objects are files of the daemon's content store now
    local object
    stored=
    [ -n "$STORE" ] || return 0
    for object in $objects; do
        [ ! -f "$STORE/${object#*:}" ] || stored="$stored $object"
    done
}

trace_find_store() { # it is where the daemon has just put what ctr fetched
    local root
    for root in /var/lib/containerd /var/lib/rancher/k3s/agent/containerd \
        /var/lib/rancher/rke2/agent/containerd /var/lib/k0s/containerd \
        /var/snap/microk8s/common/var/lib/containerd; do
        STORE=$root/io.containerd.content.v1.content/blobs/sha256
        trace_find_stored
        [ -z "$stored" ] || return 0
    done
    STORE=
}

trace_report_travelled() { # report which objects are in the store now
    trace_find_stored
    [ -n "$STORE" ] || [ -z "$objects" ] || stored=$(ctr_query -n k8s.io content ls -q |
        grep -xF "$(printf '%s\n' "$objects" | tr ' ' '\n' | grep .)" | tr '\n' ' ')
    trace_value travelled "$stored"
}
