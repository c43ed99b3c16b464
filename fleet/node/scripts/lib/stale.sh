# A check that the plan is not stale: a change to a file since the plan was made makes it stale. One
# process reads all files; they are read one by one only to name the one that differs.
# requires: text files steps operations
# inputs: CHECKS
# functions: stale_fail stale_check

stale_check_operation() { # compare the target of a link; stale_each_check compares its content
    case $before in
    @*)
        [ -L "$path" ] && [ "$(readlink -- "$path")" = "${before#@}" ] || stale_fail_path
        return 0
        ;;
    esac
    [ ! -L "$path" ] || stale_fail_path
    stale_check_file
}

stale_check_file() {
    if [ -f "$path" ]; then
        there=$there$path$NL
        expected="$expected$before  $path$NL"
    elif [ "$before" != - ] || [ -e "$path" ]; then
        stale_fail_path
    fi
}

stale_fail() { steps_fail stale check "$1 was changed after the plan was made" 'run the command again'; }

stale_fail_path() { stale_fail "$path"; }

stale_recheck_operation() {
    case $before in @*) return 0 ;; esac
    [ "$(files_digest "$path")" = "$before" ] || stale_fail_path
}

stale_each_check() { # run a function for every file that the plan read and leaves as it is
    local before path
    while IFS="$TAB" read -r before path; do
        [ -z "$path" ] || "$1"
    done <<LIST
$CHECKS
LIST
}

stale_check() {
    local there expected
    there=
    expected=
    operations_each stale_check_operation || exit 1
    stale_each_check stale_check_file
    [ -n "$there" ] || return 0
    [ "$(text_with_lines "$there" sha256sum --)$NL" = "$expected" ] && return 0
    operations_each stale_recheck_operation || exit 1
    stale_each_check stale_recheck_operation
}
