# Waiting for fleet in the middle of a script. fleet's reply is read from descriptor 3.

turn() { # let fleet do its part, and wait for it
    value ready ''
    IFS= read -r line <&3 || exit 1
}
