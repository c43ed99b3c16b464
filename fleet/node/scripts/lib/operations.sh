# The operations of a change. An operation is a line of action, mode, uid, gid, digest before,
# digest after, path.
# requires: text change
# inputs: CONFIGS ID OPERATIONS
# outputs: action after before gid hidden mode number path uid
# functions: operations_each operations_is_config

operations_fields() { # set the variables of one operation from its fields
    action=$1 mode=$2 uid=$3 gid=$4 before=$5 after=$6
    shift 6
    path=$*
    change_siblings
    hidden=${folder%/*}/.fleet-$ID/${folder##*/}
}

operations_each() { # run a function for every operation; `number` counts them from 1
    local run action mode uid gid before after path folder staged back aside hidden number line
    run=$1 # the other arguments are parts of the bundle, one for each operation that writes
    shift
    number=0
    text_split_lines
    for line in $OPERATIONS; do
        number=$((number + 1))
        IFS=$TAB
        # shellcheck disable=SC2086 # one word a field
        operations_fields $line
        text_split_words
        "$run" "${1-}" || return 1
        [ "$action" = delete ] || [ "$#" = 0 ] || shift
    done
    text_split_words
}

operations_is_config() {
    case "
$CONFIGS
" in *"
$path
"*) return 0 ;; esac
    return 1
}
