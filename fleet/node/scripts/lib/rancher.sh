# The settings with which k3s or RKE2 starts next: the command line, the environment and the config
# files of its unit. Only the few settings that fleet needs leave the node, since the cluster's
# token stands beside them. A flag wins over a config file, and a later file over an earlier one.
# requires: text protocol
# inputs: OWNER UNIT
# outputs: ACTIVE DATA_DIR ENDPOINT KIND REGISTRIES
# functions: rancher_find_unit rancher_read_settings rancher_report_settings rancher_report_program

KEYS='private-registry|data-dir|d|docker|container-runtime-endpoint|disable-default-registry-endpoint'
KIND=

rancher_is_installed() { # true if the node has k3s or RKE2
    local each
    for each in /usr/local/bin/k3s /usr/bin/k3s /opt/bin/k3s /etc/rancher/k3s \
        /usr/local/bin/rke2 /usr/bin/rke2 /opt/rke2 /etc/rancher/rke2; do
        [ ! -e "$each" ] || return 0
    done
    return 1
}

# Find a unit of any name by the process of k3s or RKE2 that runs in it: set $ACTIVE and $KIND.
rancher_find_unit() {
    local each comm line
    rancher_is_installed || return 0
    while IFS= read -r each; do
        { read -r comm <"$each"; } 2>/dev/null || continue
        while IFS= read -r line; do # other lines are of the controllers of cgroup v1
            case $line in
            0::*.service | *:name=systemd:*.service) ;;
            *) continue ;;
            esac
            ACTIVE=${line##*/}
            ACTIVE=${ACTIVE%.service}
            KIND=${comm%%-*}
            return 0
        done 2>/dev/null <"${each%/comm}/cgroup"
    done <<LIST
$(grep -lsxE 'k3s-server|k3s-agent|rke2' /proc/[0-9]*/comm)
LIST
}

rancher_set() { # key, value
    case $1 in
    private-registry) REGISTRIES=$2 ;;
    data-dir | d) DATA_DIR=$2 ;;
    container-runtime-endpoint) ENDPOINT=$2 ;;
    docker) DOCKER=$2 ;;
    disable-default-registry-endpoint) NO_UPSTREAM=$2 ;;
    esac
}

rancher_plain() { # set $plain to a YAML scalar or a shell word without its quotes and its comment
    plain=$1
    case $plain in
    \"*) plain=${plain#\"} plain=${plain%%\"*} ;;
    \'*) plain=${plain#\'} plain=${plain%%\'*} ;;
    \#*) plain= ;;
    *) plain=${plain%%[[:space:]]#*} plain=${plain%"${plain##*[![:space:]]}"} ;;
    esac
}

rancher_read_variables() { # use lines NAME=VALUE of the environment
    local line plain
    while IFS= read -r line; do
        rancher_plain "${line#*=}"
        case $line in
        *_CONFIG_FILE=*) variable=$plain ;;
        *_DATA_DIR=*) folder=$plain ;;
        esac
    done
}

rancher_read_unit() { # set $PROGRAM, $words, $variable and $folder from the unit
    local line upper named plain
    PROGRAM=
    words=
    variable=
    folder=
    named=
    upper=$(printf '%s' "$OWNER" | tr '[:lower:]' '[:upper:]')
    while IFS= read -r line; do
        case $line in
        ExecStart=*)
            PROGRAM=${line#*path=}
            PROGRAM=${PROGRAM%% ;*}
            words=${line#*argv\[\]=}
            words=${words%% ; ignore_errors=*}
            ;;
        Environment=*)
            rancher_read_variables <<LIST
$(printf '%s' "${line#*=}" | tr ' ' '\n' | grep -E "^\"?${upper}_(CONFIG_FILE|DATA_DIR)=" | tr -d '"')
LIST
            ;;
        EnvironmentFiles=*)
            line=${line#*=}
            named=$named${line% (ignore_errors=*}$NL
            ;;
        esac
    done <<LIST
$(timeout 15 systemctl show "$UNIT" -p ExecStart -p Environment -p EnvironmentFiles 2>/dev/null)
LIST
    [ -z "$named" ] || rancher_read_variables <<LIST
$(text_with_lines "$named" sed -nE "s/^[[:space:]]*(${upper}_(CONFIG_FILE|DATA_DIR))[[:space:]]*=[[:space:]]*/\1=/p" -- 2>/dev/null)
LIST
}

rancher_read_flags() { # use the words after "server" or "agent", as --key=value or --key value
    local word key begun previous
    begun=0
    previous=
    text_split_words
    set -f
    # shellcheck disable=SC2086 # systemd shows the words without quotes
    set -- $words
    set +f
    for word; do
        [ "$begun" = 1 ] || {
            case $word in server | agent) begun=1 ;; esac
            continue
        }
        case $word in
        -*=*)
            key=${word%%=*}
            rancher_flag "${key#-}" "${word#*=}"
            previous=
            ;;
        -*)
            rancher_flag "${word#-}" true
            previous=${word#-}
            ;;
        *)
            case ${previous#-} in docker | disable-default-registry-endpoint | '') ;; *) rancher_flag "$previous" "$word" ;; esac
            previous=
            ;;
        esac
    done
}

rancher_flag() { # name with one dash or none, value
    case ${1#-} in
    c | config) [ -n "$variable" ] || config=$2 ;;
    *) [ -n "$reading_config" ] || rancher_set "${1#-}" "$2" ;;
    esac
}

rancher_read_files() { # use the config file and the files of its drop-in folder
    local each line files plain setting
    setting="^[[:space:]]*[\"']?($KEYS)[\"']?\+?[[:space:]]*:([[:space:]]+(.*))?\$"
    files=$config$NL
    for each in "$config.d"/*; do
        case $each in *.[yY][aA][mM][lL] | *.[yY][mM][lL]) files=$files$each$NL ;; esac
    done
    while IFS= read -r line; do
        rancher_plain "${line#*=}"
        [ -z "$line" ] || rancher_set "${line%%=*}" "$plain"
    done <<LIST
$(text_with_lines "$files" sed -nE "s/$setting/\1=\3/p" -- 2>/dev/null)
LIST
}

rancher_read_settings() { # set $REGISTRIES, $DATA_DIR, $ENDPOINT and $PROGRAM
    local words variable folder config reading_config
    REGISTRIES=
    DATA_DIR=
    ENDPOINT=
    DOCKER=
    NO_UPSTREAM=
    rancher_read_unit
    config=${variable:-/etc/rancher/$OWNER/config.yaml}
    reading_config=1
    rancher_read_flags
    rancher_read_files
    reading_config=
    rancher_read_flags
    DATA_DIR=${DATA_DIR:-${folder:-/var/lib/rancher/$OWNER}}
    DATA_DIR=${DATA_DIR%/}
    REGISTRIES=${REGISTRIES:-/etc/rancher/$OWNER/registries.yaml}
}

rancher_is_true() { # as yaml.v2 and Go's strconv.ParseBool have it
    case $1 in
    1 | [tTyY] | true | True | TRUE | yes | Yes | YES | on | On | ON) return 0 ;;
    esac
    return 1
}

rancher_report_settings() {
    protocol_value registries "$REGISTRIES"
    protocol_value data_dir "$DATA_DIR"
    ! rancher_is_true "$NO_UPSTREAM" || protocol_value no_upstream 1
    ! rancher_is_true "$DOCKER" || protocol_value docker 1
}

# Report whether the program's file was replaced after the process in folder $1 had started. k3s
# runs from what it has unpacked, so the time of the last change of the file counts as well.
rancher_report_program() {
    [ -f "$PROGRAM" ] || return 0
    protocol_value program "$PROGRAM"
    protocol_value program_changed "$(stat -L -c %Z -- "$PROGRAM" 2>/dev/null)"
    case $(readlink "$1/exe") in
    "$PROGRAM" | "$PROGRAM (deleted)")
        # shellcheck disable=SC3013 # dash and busybox have -ef, and so has POSIX since 2024
        [ "$1/exe" -ef "$PROGRAM" ] || protocol_value program_replaced 1
        ;;
    esac
}
