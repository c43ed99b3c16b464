# The guard: laid beside the pending change, it takes back what nobody has confirmed. POSIX sh.
# $1 says who calls: timer, boot or asked; $2 which change a timer was armed for, since a late one
# finds another change here. A reboot between swap and confirm brings the old config
# back: it is the one that was proven to boot, and whether the new one is, nobody was left to say.
WHY=${1:-asked}
MODE=guard

finish() { # status
    trap - EXIT
    audit "$1"
    [ "$WHY" = asked ] || printf 'fleet: change %s, unconfirmed, %s (%s)\n' "$ID" "$1" "$WHY" >&2
    value status "$1"
    bye
    exit 0
}

fail() {
    failure "$@"
    finish degraded
}

[ "${2:-$ID}" = "$ID" ] || exit 0
if [ "$WHY" != asked ]; then
    exec 3>&1 >/dev/null
    [ "$WHY" = boot ] && [ -e "$RUN/armed-$ID" ] && exit 0
    mutex 600 || exit 1
else
    live 9>&-
fi
[ "$(word "$PENDING/id")" = "$ID" ] || exit 0
[ -f "$KEPT/manifest" ] || fail no_generation revert \
    "$KEPT, which kept the files as they were, is gone; set them right by hand, then remove $PENDING"
intact || fail no_generation revert "$KEPT/$damage is not as it was saved, as after a power cut; set \
the registry config right by hand, then remove $PENDING"
trap '' PIPE HUP
trap 'fail bug revert "$EARLY"' EXIT
take_back
