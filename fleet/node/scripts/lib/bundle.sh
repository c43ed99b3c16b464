# The bundle of a change: the contents that its operations write, in their order, then the guard,
# with a MARK after each. The shell itself splits it, which saves a process for each file.
# requires: text
# inputs: MARK content
# functions: bundle_split bundle_part bundle_guard

# Run a function with the parts of $content as further words: all files, then the guard.
bundle_split() {
    IFS=$MARK
    set -f
    # shellcheck disable=SC2086 # one word a part
    set -- "$@" $content
    text_split_words
    "$@"
}

bundle_part() { # print the original bytes of a part; binary content is sent in base64
    case $1 in
    t*) printf '%s' "${1#t}" ;;
    *) printf '%s' "${1#?}" | base64 -d ;;
    esac
}

bundle_guard() {
    local guard
    for guard in "$@"; do :; done
    bundle_part "$guard"
}
