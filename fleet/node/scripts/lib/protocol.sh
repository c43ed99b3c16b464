# The protocol of records between a script and fleet. A record is a line of fields, separated by
# tabs; the last record is `end`. A field has one of three forms: base64; `=` and plain text without
# special characters; or `+` and a length, with the plain content below the line. The last form
# saves the process that base64 costs.
# outputs: PULSE line
# functions: protocol_base64 protocol_value protocol_start_pulse protocol_begin protocol_stop_pulse
# functions: protocol_end protocol_wait_for_driver

protocol_base64() { base64 -w 0; }

protocol_value() { # a lost connection is not a failure of the script
    case $2 in
    *[!\ -~]*) printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | protocol_base64)" ;;
    *) printf '%s\t=%s\n' "$1" "$2" ;;
    esac 2>/dev/null
    return 0
}

protocol_pulse() { # print a sign of life while the script runs: silence means a dead connection
    while sleep 5 >/dev/null 2>&1 && kill -0 "$$" 2>/dev/null; do
        printf 'alive\t\n' 2>/dev/null || exit 0
    done
}

protocol_start_pulse() {
    protocol_pulse &
    PULSE=$!
}

protocol_begin() { # report the user id; a script that is not root ends here
    local me key
    me=
    while read -r key _ me _ && [ "$key" != Uid: ]; do :; done </proc/self/status
    protocol_value hello "$me"
    [ "$me" = 0 ] || exit 0
    cd / || exit 0
    protocol_start_pulse
}

protocol_stop_pulse() { # no sign of life may interrupt the output that follows
    kill "${PULSE:-}" 2>/dev/null
    wait "${PULSE:-}" 2>/dev/null
    return 0
}

protocol_end() { # no process may hold the connection open after the last record
    kill "${PULSE:-}" 2>/dev/null
    printf 'end\t\n'
}

# Ask fleet to do its part, and read its reply from descriptor 3 into $line.
protocol_wait_for_driver() {
    protocol_value ready ''
    IFS= read -r line <&3 || exit 1
}
