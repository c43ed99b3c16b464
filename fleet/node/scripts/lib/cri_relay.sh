# A relay from the script's own input and output to CRI's socket, for fleet's CRI client. The login
# user gets no socket: each process of that user could use it, and access to CRI is as powerful as
# root. A shell can connect only to TCP, so systemd's proxy listens on a port in a private network
# namespace.
# requires: protocol
# inputs: SOCKET
# functions: cri_relay_run

# shellcheck disable=SC2016 # bash itself expands these
LEAD='ip link set lo up || exit
systemd-socket-activate -l 127.0.0.1:1 "$1" "$2" </dev/null >/dev/null 2>&1 &
trap "kill \$(jobs -p) 2>/dev/null" EXIT
for try in {1..250}; do
exec 3<>/dev/tcp/127.0.0.1/1 && break
sleep 0.02
done 2>/dev/null
exec 4<&0
printf "ready\t=\n"
cat <&3 &
cat <&4 >&3 &
wait -n'

cri_relay_run() {
    local proxy need
    for proxy in /usr/lib/systemd /lib/systemd none; do
        [ -x "$proxy/systemd-socket-proxyd" ] && break
    done
    for need in bash ip unshare systemd-socket-activate "$proxy/systemd-socket-proxyd"; do
        command -v "$need" >/dev/null || {
            protocol_value missing "$need"
            protocol_end
            exit 0
        }
    done
    protocol_stop_pulse
    exec unshare -n bash -c "$LEAD" relay "$proxy/systemd-socket-proxyd" "$SOCKET"
}
