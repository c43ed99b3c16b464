# Read the newest part of the audit log. It is cut here, since the log may have any size.
# requires: environment protocol paths ownership
# inputs: LIMIT

protocol_begin
ownership_check
if [ -f "$STATE/audit.log" ]; then
    content=$(tail -c "$LIMIT" -- "$STATE/audit.log" | protocol_base64)
    protocol_stop_pulse
    printf '%s\t%s\n' log "$content"
fi
protocol_end
