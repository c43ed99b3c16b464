# The etcd cluster that this node has a member of: its members, and which of them are healthy. The
# node asks the member on it for the others, then each of them, with the certificates of its own
# member. Options come from the process's arguments and environment, and from its config file.
# requires: text protocol roles
# inputs: DATA_DIR OWNER
# functions: etcd_report

etcd_note_arguments() { # add the arguments in $1, one a line, to $options as lines key=value
    options=$options$(printf '%s\n' "$1" | sed -n -e 's/^--\{0,1\}\([a-z][a-z-]*\)=/\1=/p;t' -e \
        '/^-/{N;/\n-/!{s/^--\{0,1\}\([a-z][a-z-]*\)\n/\1=/p;b' -e '};D' -e '}')$NL
}

etcd_note_environment() { # add the variables ETCD_KEY of the file $1 to $options
    options=$options$(tr '\0' '\n' <"$1" 2>/dev/null | sed -n '/^ETCD_[A-Z_]*=/{
h;s/=.*//;s/^ETCD_//;y/ABCDEFGHIJKLMNOPQRSTUVWXYZ_/abcdefghijklmnopqrstuvwxyz-/
G;s/\n[^=]*//;p
}')$NL
}

etcd_note_config() { # add the settings of the YAML file $1; a section's name is part of the key
    local line section key value
    section=
    while IFS= read -r line; do
        case $line in
        peer-transport-security:*) section=peer- ;;
        [a-z]*) section= ;;
        esac
        key=${line%%:*}
        value=${line#*:}
        key=${key##* }
        value=${value# }
        value=${value#[\"\']}
        options=$options$section$key=${value%[\"\']}$NL
    done <"$1"
} 2>/dev/null

etcd_option() { # set $value to the first value of option $1
    case $NL$options in
    *"$NL$1="*)
        value=$NL$options
        value=${value#*"$NL$1="}
        value=${value%%"$NL"*}
        ;;
    *) value= ;;
    esac
}

etcd_url() { # set $url to the first plain URL in the list $1; a wildcard address becomes loopback
    local rest each
    url=
    rest=$1,
    while [ -z "$url" ] && [ -n "$rest" ]; do
        each=${rest%%,*}
        rest=${rest#*,}
        case $each in
        *[!]A-Za-z0-9.:/[-]*) ;;
        http://0.0.0.0:* | https://0.0.0.0:*) url=${each%%0.0.0.0*}127.0.0.1${each#*0.0.0.0} ;;
        http://'[::]':* | https://'[::]':*) url=${each%%'[::]'*}127.0.0.1${each#*'[::]'} ;;
        http://*:* | https://*:*) url=$each ;;
        esac
    done
    url=${url%/}
}

etcd_keys() { # set $ca, $cert and $key to the options with prefix $1
    etcd_option "$1trusted-ca-file"
    ca=$root$value
    etcd_option "$1cert-file"
    cert=$root$value
    etcd_option "$1key-file"
    key=$root$value
}

etcd_by_curl() { # print the headers and the body of a response
    case $1 in https:*) set -- "$1" --cacert "$ca" --cert "$cert" --key "$key" ;; esac
    curl -qgsi --http1.1 --proto =http,https --noproxy '*' --max-time 3 --max-filesize 65536 "$@"
}

etcd_by_openssl() {
    local place
    place=${1#https://}
    printf 'GET /%s HTTP/1.0\r\nHost: etcd\r\n\r\n' "${place#*/}" |
        timeout 3 openssl s_client -quiet -verify_return_error -connect "${place%%/*}" \
            -CAfile "$ca" -cert "$cert" -key "$key"
}

etcd_get() { # set $body to the response for path $2 of $1; false unless its status is 200
    body=
    [ -n "$1" ] || return 1
    case $asks in
    curl) body=$(etcd_by_curl "$1$2" 2>/dev/null | head -c 65536) ;;
    *) case $1 in https:*) body=$(etcd_by_openssl "$1$2" 2>/dev/null | head -c 65536) ;; esac ;;
    esac
    case $body in 'HTTP/1.'?' 200 '*) return 0 ;; esac
    return 1
}

etcd_field() { # set $value to the text field $2 of the JSON object $1, or to the first in its list
    value=
    case $1 in
    *"\"$2\":\""*) value=${1#*"\"$2\":\""} ;;
    *"\"$2\":[\""*) value=${1#*"\"$2\":[\""} ;;
    *) return 0 ;;
    esac
    value=${value%%\"*}
}

# Set $health of a member with client URL $1 and peer URL $2. A member that answers other members,
# but has no HTTP for clients or advertises only a loopback address, is `answering`.
etcd_find_health() {
    health=down
    case $own$1 in
    0*//127.* | 0*//localhost:* | 0*//'[::1]':*) ;;
    *)
        etcd_keys ''
        if etcd_get "$1" /health; then
            case $body in *'"health":"true"'* | *'"health":true'*) health=healthy ;; *) return ;; esac
            return
        fi
        case $body in *'"health":'*) return ;; esac
        ;;
    esac
    etcd_keys peer-
    ! etcd_get "$2" /version || health=answering
}

etcd_report_member() { # report one member of the list; a JSON object
    local name peer client voter own health url
    etcd_field "$1" name
    name=$value
    etcd_field "$1" peerURLs
    etcd_url "$value"
    peer=$url
    etcd_field "$1" clientURLs
    etcd_url "$value"
    client=$url
    voter=voter
    case $1 in *'"isLearner":true'*) voter=learner ;; esac
    own=0
    case $name/$peer in "$own_name"/?* | */"$own_peer") own=1 ;; esac
    [ "$own" = 0 ] || client=$own_client
    etcd_find_health "$client" "$peer"
    protocol_value etcd_member "$health $voter $own ${name:-$peer}"
}

etcd_ask() { # report all members, as the member on this node lists them
    local body url ca cert key own_name own_peer own_client peer each asks members
    asks=
    command -v openssl >/dev/null && asks=openssl
    command -v curl >/dev/null && asks=curl
    [ -n "$asks" ] || {
        protocol_value etcd 'unknown the node has neither curl nor openssl'
        return
    }
    etcd_option initial-advertise-peer-urls
    etcd_url "$value"
    own_peer=${url:-none}
    etcd_option name
    own_name=${value:-none}
    etcd_option listen-peer-urls
    etcd_url "$value"
    peer=$url
    etcd_option listen-client-http-urls
    [ -n "$value" ] || etcd_option listen-client-urls
    etcd_url "$value"
    own_client=$url
    etcd_keys peer-
    if ! etcd_get "$peer" /members; then
        protocol_value etcd "silent its etcd does not answer at ${peer:-the address for its peers}"
        return
    fi
    members=$(printf '%s' "$body" | tr -d '\n\r' | sed 's/^[^[]*\[//;s/},* *{/}\
{/g' | head -n 9)
    while IFS= read -r each; do
        etcd_report_member "$each"
    done <<LIST
$members
LIST
    protocol_value etcd listed
}

etcd_is_ours() { # true if process $1 is a member of the cluster's etcd, not a login's or a pod's
    local line key uid
    [ -n "$1" ] && ! roles_is_of_pod "$1" || return 1
    while read -r key uid line && [ "$key" != Uid: ]; do :; done 2>/dev/null <"$1/status"
    [ "${uid:-1000}" -lt 1000 ] || return 1 # a program of a user may have that name as well
    while IFS= read -r line; do
        case $line in */user.slice/*) return 1 ;; esac
    done 2>/dev/null <"$1/cgroup"
}

etcd_find() { # set $options and $root from the process of etcd, or from the server of k3s
    local each arguments value
    options=
    root=
    while IFS= read -r each; do
        each=${each%/comm}
        etcd_is_ours "$each" || continue
        arguments=$(tr '\0' '\n' <"$each/cmdline")
        etcd_note_arguments "$arguments"
        etcd_note_environment "$each/environ"
        root=$each/root
        etcd_option config-file
        [ -z "$value" ] || etcd_note_config "$root$value"
        return
    done <<LIST
$(grep -lsx etcd /proc/[0-9]*/comm)
LIST
    [ "$OWNER" != k3s ] || etcd_note_config "${DATA_DIR:-/var/lib/rancher/k3s}/server/db/etcd/config"
    [ -n "$options" ]
}

# Report on a server whose datastore is not etcd: its API server must be ready. It is asked as its
# administrator, with the kubeconfig $1 that the distribution writes.
etcd_report_api() {
    local said file
    file=$1
    case $OWNER in k3s) set -- k3s kubectl ;; *) set -- kubectl ;; esac
    if [ ! -f "$file" ] || ! command -v "$1" >/dev/null; then
        protocol_value etcd 'away no etcd runs on it'
    elif said=$(timeout 10 "$@" --kubeconfig "$file" get --raw /readyz 2>&1); then
        protocol_value etcd 'away no etcd runs on it; its API server is ready'
    else
        protocol_value etcd "silent its API server is not ready: ${said##*"$NL"}"
    fi
}

etcd_report() { # report the members if this node is of the control plane
    local options root value
    if etcd_find; then
        etcd_ask
        return
    fi
    case $OWNER in
    k3s | rke2) etcd_report_api "/etc/rancher/$OWNER/$OWNER.yaml" ;;
    microk8s | canonical-k8s) protocol_value etcd 'unknown its datastore, dqlite, has no etcd' ;;
    *) protocol_value etcd 'away no etcd runs on it' ;;
    esac
}
