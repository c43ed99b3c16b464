# A plan rests on what was read: whatever has changed since makes it stale. One process reads all
# files; a second look at each one is for telling which of them is not as it was.

check_operation() { # of a link the target counts; its content is checked by `checks`
    case $before in
    @*)
        [ -L "$path" ] && [ "$(readlink -- "$path")" = "${before#@}" ] || stale
        return 0
        ;;
    esac
    [ ! -L "$path" ] || stale
    check_file
}

check_file() {
    if [ -f "$path" ]; then
        there=$there$path$NL
        expected="$expected$before  $path$NL"
    elif [ "$before" != - ] || [ -e "$path" ]; then
        stale
    fi
}

refuse_stale() { fail stale check "$1 was changed after the plan was made" 'run the command again'; }

stale() { refuse_stale "$path"; }

stale_operation() {
    case $before in @*) return 0 ;; esac
    [ "$(digest "$path")" = "$before" ] || stale
}

checks() { # run a function for every file that the plan looked at and leaves as it is
    while IFS="$TAB" read -r before path; do
        [ -z "$path" ] || "$1"
    done <<LIST
$CHECKS
LIST
}

check() {
    there=
    expected=
    operations check_operation || exit 1
    checks check_file
    [ -n "$there" ] || return 0
    [ "$(every "$there" sha256sum --)$NL" = "$expected" ] && return 0
    operations stale_operation || exit 1
    checks stale_operation
}
