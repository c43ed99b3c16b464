# A script that waits in between for the other end of its connection, whose word it reads from
# descriptor 3.

turn() { # let the other end of the connection do its part
    value ready ''
    IFS= read -r line <&3 || exit 1
}
