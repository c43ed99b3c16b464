# Validation of a new config by the node's own containerd, with all new files in their place.
# requires: text protocol paths change steps operations
# inputs: BINARY CONFIG CONFIGS IGNORED OUTSIDE RESTORES ROLLBACK
# functions: validate_config

validate_dump() { # print what a daemon would read; without the file it has only its defaults
    if [ -f "$1" ]; then
        GOMAXPROCS=1 GOGC=off timeout 15 "$BINARY" -c "$1" config dump 2>&1
    else
        GOMAXPROCS=1 GOGC=off timeout 15 "$BINARY" config default 2>&1
    fi
}

# Print a dump without its registry tables, as fleet/core/containerd/dump.py does for the probe's.
validate_outside_registry() {
    local skip line
    skip=0
    text_split_lines
    for line in $1; do
        case $line in
        time=* | imports\ =*) continue ;;
        *\[plugins*.registry\] | *\[plugins*.registry.*\]) skip=1 ;;
        *\[*plugins.*\] | \[*\]) skip=0 ;;
        esac
        [ "$skip" = 1 ] || printf '%s\n' "$line"
    done
    text_split_words
}

# Print the registry tables of a dump, which fleet compares with the intended ones.
validate_inside_registry() {
    local skip line
    skip=1
    text_split_lines
    for line in $1; do
        case $line in
        time=*) continue ;;
        *\[plugins*.registry\] | *\[plugins*.registry.*\]) skip=0 ;;
        *\[*plugins.*\] | \[*\]) skip=1 ;;
        esac
        [ "$skip" = 1 ] || printf '%s\n' "$line"
    done
    text_split_words
}

validate_find_root() { # set $root to the new root file, and $alone to 0 if other configs change
    operations_is_config || return 0
    if [ "$path" = "$CONFIG" ] && [ "$action" != delete ]; then
        root=$STAGE/files/$number
    else
        alone=0
    fi
}

validate_bind_operation() {
    local staged
    operations_is_config || return 0
    staged=$STAGE/files/$number
    [ "$action" = delete ] && staged=/dev/null
    printf '%s\t%s\n' "$staged" "$path"
}

validate_shadowed_dump() { # print what a daemon would read with every new config file in its place
    # shellcheck disable=SC2016 # the inner shell, in a mount namespace of its own, expands these
    operations_each validate_bind_operation | unshare -m -- sh -c '
        count=0
        while IFS="$4" read -r staged path; do
            folder=${path%/*}
            count=$((count + 1))
            copy=$1/shadow/$count
            if [ -e "$path" ]; then
                mount --bind "$staged" "$path" || exit 97
            elif [ "$staged" != /dev/null ] && [ -d "$folder" ]; then
                mkdir -p "$copy" && cp -a "$folder/." "$copy/" &&
                    cp -p "$staged" "$copy/${path##*/}" &&
                    mount --bind "$copy" "$folder" || exit 97
            elif [ "$staged" != /dev/null ]; then
                while [ ! -d "${folder%/*}" ]; do folder=${folder%/*}; done
                above=${folder%/*}
                below=$copy/${path#"$above"/}
                mkdir -p "$copy" && cp -a "$above/." "$copy/" && mkdir -p "${below%/*}" &&
                    cp -p "$staged" "$below" && mount --bind "$copy" "$above" || exit 97
            fi
        done
        if [ -f "$3" ]; then
            exec timeout 15 "$2" -c "$3" config dump
        fi
        exec timeout 15 "$2" config default' sh "$STAGE" "$BINARY" "$CONFIG" "$TAB" 2>&1
}

validate_count_ignored() { # count the warnings about registry tables
    case $1 in
    *'Ignoring unknown key'*)
        printf '%s' "$1" | grep -c 'Ignoring unknown key.*key="\{0,1\}registry'
        ;;
    *) printf 0 ;;
    esac
}

validate_strayed() { # print the differences outside of the registry tables
    validate_outside_registry "$(validate_dump "$CONFIG")" >"$STAGE/outside"
    validate_outside_registry "$new" | diff "$STAGE/outside" - | head -n 12
}

validate_new_dump() {
    local root alone
    root=
    alone=1
    operations_each validate_find_root
    if [ "$alone" = 1 ]; then
        validate_dump "$root"
    else
        validate_shadowed_dump
    fi
}

validate_fail_refused() { # the new config is refused; a rollback goes on if the present one is too
    if [ "$ROLLBACK" = 0 ]; then
        steps_fail validate validate "$BINARY refuses the new $CONFIG" \
            "find the line that it names in \`fleet diff\`" "$new"
    fi
    [ ! -s "$STATE/generations/$RESTORES/ill" ] || return 0 # it did not start then either
    validate_dump "$CONFIG" >/dev/null || return 0
    steps_fail validate validate "$BINARY does not start with the previous $CONFIG" \
        "fix what it reports by hand, or run \`fleet rollout\`" "$new"
}

validate_config() {
    local left new
    [ -n "$CONFIGS" ] || return 0
    new=$(validate_new_dump) || validate_fail_refused
    [ "$ROLLBACK" = 0 ] || return 0 # a rollback may always restore the old config
    [ "$(validate_count_ignored "$new")" -le "$IGNORED" ] ||
        steps_fail validate validate "$BINARY would ignore a registry table of the new $CONFIG" \
            'move the settings that its warning names by hand' "$(printf '%s' "$new" | grep 'Ignoring unknown key')"
    left=$(validate_outside_registry "$new" | sha256sum)
    [ "${left%% *}" = "$OUTSIDE" ] && protocol_value registry "$(validate_inside_registry "$new")" && return 0
    steps_fail validate validate "the new $CONFIG would change more than the registry tables" \
        "change it by hand as \`fleet diff\` shows" "$(validate_strayed)"
}
