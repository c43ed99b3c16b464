# What containerd's configs name: imports, directories of hosts.toml, legacy certificates. Read by the
# shell itself, line by line.
HOSTS=

quoted() { # put the quoted strings of "key = ['a', 'b']" into $strings, one a line
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

hosts_directories() { # note every directory that a config_path of these lines names
    lines
    for line in $1; do
        case $line in *config_path*=*) ;; *) continue ;; esac
        quoted "$line"
        IFS=:$NL
        for path in $strings; do
            case $NL$HOSTS in *"$NL$path$NL"*) ;; *) HOSTS=$HOSTS$path$NL ;; esac
        done
        IFS=$NL
    done
    words
}

named_files() { # those that a config names: legacy certificates that are there, and imports
    imports=
    top=1
    inside=0
    lines
    for line in $text; do
        case $line in
        *ca_file*=* | *cert_file*=* | *key_file*=*)
            quoted "$line"
            for path in $strings; do
                case $path in /*) ;; *) path=/$path ;; esac
                [ ! -r "$path" ] || value present "$path"
            done
            ;;
        imports*=* | '"imports"'*=*) inside=1 ;;
        \[*) top=0 ;;
        esac
        [ "$top$inside" = 11 ] || continue
        quoted "${line%%#*}" # over as many lines as it takes
        imports=$imports$strings
        case $line in *\]*) inside=0 ;; esac
    done
    words
}

config_files() { # tell of a config and all that it imports, each behind the one that names it
    todo="0 $1$NL"
    while [ -n "$todo" ]; do
        config=${todo%%"$NL"*}
        todo=${todo#*"$NL"}
        depth=${config%% *}
        config=${config#* }
        [ "$depth" -lt 5 ] || continue
        placed "$config"
        [ -f "$config" ] || continue
        file "$config"
        text=$(cat -- "$config" 2>/dev/null)
        [ "$config" != "$CONFIG" ] || hosts_directories "$text"
        named_files
        value looked "$config"
        further=
        lines
        for path in $imports; do
            case $path in
            /*) ;;
            *) path=${config%/*}/$path ;;
            esac
            cleaned "$path"
            lines
            set +f
            for each in $whole; do further="$further$((depth + 1)) $each$NL"; done
            set -f
        done
        words
        todo=$further$todo
    done
}

canonical() { # put a path without links into $whole; a process only where there are any on it
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
