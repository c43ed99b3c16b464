# A plan rests on what was read: whatever has changed since makes it stale.

check_operation() {
    [ "$(digest "$path")" = "$before" ] && return 0
    fail stale check "$path is not as it was when the plan was made; plan again"
}

check() {
    operations check_operation || exit 1
    while IFS="$TAB" read -r before path; do
        [ -n "$path" ] && check_operation
    done <<LIST
$CHECKS
LIST
}
