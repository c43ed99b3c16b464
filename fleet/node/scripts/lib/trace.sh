# The trace of an image: which host would serve it, and what is downloaded. ctr fetches it into its
# own namespace, from which it is removed again. The files of the daemon's content store show what
# was there before a pull and what it added. Each record begins with the number of the image.
# requires: text cleanup ctr
# inputs: HOSTS_DIRECTORY ID K0S SOCKET hosts image number registry
# outputs: HARMLESS STORE WORK fetch_code objects stored trace
# functions: trace_value trace_fetch trace_objects trace_find_stored trace_find_store
# functions: trace_report_travelled

WORK=/run/fleet/verify-$ID-$$
NAMESPACE=fleet-probe-$$
STORE=
# The lines of a fetch that are reported: requests and their results, without most headers. The same
# sed masks unprintable characters, so that a line is a plain field without another process.
HARMLESS='s/[^ -~]/?/g'
HEADERS='s/ (request|response)\.header\.[^c= ][^= ]*=("([^"\\]|\\.)*"|[^ ]*)//g'
TOLD='do request|fetch response|trying next|fetch failed|resolved|loading host|decode|=fetch |^ctr:|^code '

trace_value() { # key, plain text; print a record of the current image
    printf '%s\t%s\t=%s\n' "$1" "$number" "$2" || exit 1 # the connection is lost
}

trace_run() { # fetch for $1 seconds, trusting folder $2 and the bundle; set $trace and $fetch_code
    [ -n "${fetched:-}" ] || cleanup_note
    fetched=1
    trace=$({
        SSL_CERT_DIR=$2 timeout "$1" ${K0S:+"$K0S"} ctr -a "$SOCKET" -n "$NAMESPACE" --debug content fetch \
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
    # To read each file of /etc/ssl/certs, besides the bundle of them, costs a fifth of a fetch. Do
    # so only if the bundle does not have the CA.
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

trace_find_store() { # set $STORE to the content store: it has the files that ctr has just fetched
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
