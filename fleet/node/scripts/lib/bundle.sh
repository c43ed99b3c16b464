# The bundle of a change: what each of its operations writes, in their order, and the guard at the
# end, with a MARK after each. The shell splits it by itself; a command for each file would cost a
# process each.
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

bundle_part() { # a part as it was: what is no plain text has travelled in base64
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
