# Integrity of a generation. Its manifest holds the SHA-256 of every saved file. `seal` holds those
# of the manifest and of what lies beside it and, as its last line, the SHA-256 of its other lines.
# requires: text
# outputs: damage
# functions: seal_write seal_is_intact

seal_write() { # seal the generation in folder $1, whose files are complete
    local own sums
    set -- "$1" manifest after
    [ ! -f "$1/state.json" ] || set -- "$@" state.json
    sums=$(cd "$1" && shift && sha256sum -- "$@") && own=$(printf '%s\n' "$sums" | sha256sum) &&
        printf '%s\n# %s\n' "$sums" "${own%% *}" >"$1/seal"
}

seal_is_intact() { # true if the generation in folder $1 is as it was saved; else set $damage
    local own line sums
    damage=
    if [ ! -e "$1/seal" ]; then # generations of older releases have none
        [ -s "$1/manifest" ] || damage=manifest
        [ -z "$damage" ]
        return
    fi
    sums=
    own=
    while IFS= read -r line; do
        case $line in
        '# '*) own=${line#??} ;;
        *) sums=$sums$line$NL ;;
        esac
    done <"$1/seal"
    damage=seal
    [ "$(printf '%s' "$sums" | sha256sum)" = "$own  -" ] || return 1
    damage=$(cd "$1" && printf '%s' "$sums" | sha256sum --quiet -c - 2>/dev/null) && return 0
    damage=${damage%%:*}
    return 1
}
