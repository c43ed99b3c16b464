# What containerd's configs name: imports, directories of hosts.toml, legacy certificates. The
# shell itself reads them, line by line.
# requires: text protocol places report
# inputs: CONFIG
# outputs: strings
# functions: configs_quoted configs_hosts_directories configs_note configs_canonical

HOSTS=

configs_quoted() { # put the quoted strings of "key = ['a', 'b']" into $strings, one a line
    local rest lead mark
    strings=
    rest=${1#*=}
    while :; do
        case $rest in
        *\'* | *\"*) ;;
        *) return 0 ;;
        esac
        lead=${rest%%[\'\"]*}
        rest=${rest#"$lead"}
        mark=${rest%"${rest#?}"}
        rest=${rest#?}
        strings=$strings${rest%%"$mark"*}$NL
        rest=${rest#*"$mark"}
    done
}

configs_hosts_directories() { # note every directory that a config_path of these lines names
    local line path
    text_split_lines
    for line in $1; do
        case $line in *config_path*=*) ;; *) continue ;; esac
        configs_quoted "$line"
        IFS=:$NL
        for path in $strings; do
            case $NL$HOSTS in *"$NL$path$NL"*) ;; *) HOSTS=$HOSTS$path$NL ;; esac
        done
        IFS=$NL
    done
    text_split_words
}

configs_named_files() { # note files that a config names: existing legacy certificates, and imports
    local top inside line path
    imports=
    top=1
    inside=0
    text_split_lines
    for line in $text; do
        case $line in
        *ca_file*=* | *cert_file*=* | *key_file*=*)
            configs_quoted "$line"
            for path in $strings; do
                case $path in /*) ;; *) path=/$path ;; esac
                [ ! -r "$path" ] || protocol_value present "$path"
            done
            ;;
        imports*=* | '"imports"'*=*) inside=1 ;;
        \[*) top=0 ;;
        esac
        [ "$top$inside" = 11 ] || continue
        configs_quoted "${line%%#*}" # the array may span several lines
        imports=$imports$strings
        case $line in *\]*) inside=0 ;; esac
    done
    text_split_words
}

configs_note() { # note a config and all that it imports, each after the one that names it
    local todo config depth further each path text
    todo="0 $1$NL"
    while [ -n "$todo" ]; do
        config=${todo%%"$NL"*}
        todo=${todo#*"$NL"}
        depth=${config%% *}
        config=${config#* }
        [ "$depth" -lt 5 ] || continue
        places_add_with_parents "$config"
        [ -f "$config" ] || continue
        report_file "$config"
        text=$(cat -- "$config" 2>/dev/null)
        [ "$config" != "$CONFIG" ] || configs_hosts_directories "$text"
        configs_named_files
        protocol_value looked "$config"
        further=
        text_split_lines
        for path in $imports; do
            case $path in
            /*) ;;
            *) path=${config%/*}/$path ;;
            esac
            places_clean "$path"
            text_split_lines
            set +f
            for each in $whole; do further="$further$((depth + 1)) $each$NL"; done
            set -f
        done
        text_split_words
        todo=$further$todo
    done
}

# Set $whole to a path without links. Only a path with links costs a process.
configs_canonical() {
    local above
    whole=$1
    case $1/ in
    */../* | */./* | *//* | [!/]*) ;;
    *)
        above=$1
        while [ -n "$above" ] && [ ! -L "$above" ]; do above=${above%/*}; done
        [ -n "$above" ] || return 0
        ;;
    esac
    whole=$(readlink -f -- "$1" || printf '%s' "$1")
}
