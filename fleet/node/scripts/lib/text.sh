# Lists of lines in variables, split by the shell itself and given to one command as words.
# outputs: NL TAB
# functions: text_split_lines text_split_words text_with_lines text_with_lines_by_kind

NL='
'
TAB='	'
WORDS=$IFS

# Split words only at line ends, and do not expand patterns, until text_split_words is called.
text_split_lines() {
    IFS=$NL
    set -f
}

text_split_words() {
    IFS=$WORDS
    set +f
}

text_with_lines() { # run a command once, with every line of $1 as a further word
    local list
    list=$1
    shift
    text_split_lines
    # shellcheck disable=SC2086 # one word a line
    set -- "$@" $list
    text_split_words
    "$@"
}

text_with_lines_by_kind() { # run a command once for every kind in lines of a kind, a tab and a word
    local kind same rest left line
    left=$1
    shift
    while [ -n "$left" ]; do
        kind=${left%%"$TAB"*}
        same=
        rest=
        text_split_lines
        for line in $left; do
            case $line in
            "$kind$TAB"*) same=$same${line#*"$TAB"}$NL ;;
            *) rest=$rest$line$NL ;;
            esac
        done
        text_split_words
        text_with_lines "$same" "$@" "$kind" -- || return 1
        left=$rest
    done
}
