# What a change consists of: its operations, and the bundle with what they write. An operation is a
# line of action, mode, uid, gid, digest before, digest after, path. The bundle holds what each of
# them writes, in their order, and the guard behind it, with a MARK behind each: the shell takes it
# apart by itself, where a command for each file would cost a process each.

operation() { # the fields of one
    action=$1 mode=$2 uid=$3 gid=$4 before=$5 after=$6
    shift 6
    path=$*
    siblings
    hidden=${folder%/*}/.fleet-$ID/${folder##*/}
}

operations() { # run a function for every operation; `number` counts them from 1
    run=$1 # and what follows are the parts of the bundle: each goes to the operation that writes it
    shift
    number=0
    lines
    for line in $OPERATIONS; do
        number=$((number + 1))
        IFS=$TAB
        # shellcheck disable=SC2086 # one word a field
        operation $line
        words
        "$run" "${1-}" || return 1
        [ "$action" = delete ] || [ "$#" = 0 ] || shift
    done
    words
}

parted() { # run a function with the parts of $content as further words: all files, then the guard
    IFS=$MARK
    set -f
    # shellcheck disable=SC2086 # one word a part
    set -- "$@" $content
    words
    "$@"
}

part() { # a part as it was: what is no plain text has travelled in base64
    case $1 in
    t*) printf '%s' "${1#t}" ;;
    *) printf '%s' "${1#?}" | base64 -d ;;
    esac
}

guard_part() {
    for guard in "$@"; do :; done
    part "$guard"
}

is_config() {
    case "
$CONFIGS
" in *"
$path
"*) return 0 ;; esac
    return 1
}

each_kind() { # run a command once for every kind in lines of a kind, a tab and a word
    left=$1
    shift
    while [ -n "$left" ]; do
        kind=${left%%"$TAB"*}
        same=
        rest=
        lines
        for line in $left; do
            case $line in
            "$kind$TAB"*) same=$same${line#*"$TAB"}$NL ;;
            *) rest=$rest$line$NL ;;
            esac
        done
        words
        every "$same" "$@" "$kind" -- || return 1
        left=$rest
    done
}
