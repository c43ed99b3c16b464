# What lets the other end of the connection speak CRI in between. POSIX sh. In: SOCKET RELAY_SECONDS;
# turn reads from descriptor 3.

relay() { # the way to CRI's socket for the login: the socket itself for root, else one of its own
    way=$SOCKET
    if [ "${SUDO_UID:-0}" != 0 ]; then
        for proxy in /usr/lib/systemd /lib/systemd none; do
            [ -x "$proxy/systemd-socket-proxyd" ] && break
        done
        RELAY=$(mktemp -d /run/fleet-cri-XXXXXXXX) && chown "$SUDO_UID" "$RELAY"
        way=$RELAY/cri.sock
        # It ends with us, and by itself where we are killed.
        (umask 077 && exec timeout "$RELAY_SECONDS" systemd-socket-activate -l "$way" \
            "$proxy/systemd-socket-proxyd" "$SOCKET" </dev/null >/dev/null 2>&1) &
        RELAYER=$!
        tries=0
        until [ -S "$way" ] || [ "$tries" = 100 ]; do
            tries=$((tries + 1))
            sleep 0.02
        done
        chown "$SUDO_UID" "$way" 2>/dev/null || way=
    fi
    value relay "$way"
}

turn() { # let the other end of the connection do its part
    value ready ''
    IFS= read -r line <&3 || exit 1
}

end_relay() {
    [ -z "${RELAYER:-}" ] || kill "$RELAYER" 2>/dev/null
    [ -z "${RELAY:-}" ] || rm -rf -- "$RELAY"
}
