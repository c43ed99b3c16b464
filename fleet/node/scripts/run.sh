# Run an administrator's command, with limits on its time and its output.
# requires: environment protocol
# inputs: COMMAND LIMIT

protocol_begin
cd "$OLDPWD" || cd /
output=$({ timeout -k 5 "$LIMIT" sh -c "$COMMAND" </dev/null 2>&1; printf '\nrc %s' "$?"; } |
    tail -c 262144)
protocol_value output "$output"
protocol_end
