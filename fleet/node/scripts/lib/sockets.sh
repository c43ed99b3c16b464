# The daemon's socket and state folder, from its command line, else from its own dump. GIVEN is not
# empty if the socket is certain.
# requires: text configs
# inputs: GIVEN
# outputs: RUNS SOCKET
# functions: sockets_from_arguments sockets_from_dump

RUNS=

sockets_from_arguments() { # set $SOCKET and $RUNS from the daemon's command line $1
    local previous argument
    [ -z "$GIVEN" ] || return 0
    previous=
    while IFS= read -r argument; do
        case $argument in
        --address=* | -a=*) previous=-a argument=${argument#*=} ;;
        --state=*) previous=--state argument=${argument#*=} ;;
        esac
        case $previous in
        -a | --address) SOCKET=$argument GIVEN=1 ;;
        --state) RUNS=$argument ;;
        esac
        previous=$argument
    done <<LIST
$1
LIST
}

sockets_from_dump() { # use the dump $1; a file may have been edited and not loaded yet
    local section state address line
    section=
    state=
    address=
    text_split_lines
    for line in $1; do
        case $section$line in
        state\ =*) configs_quoted "$line" && state=${strings%%"$NL"*} ;;
        '[grpc]'*[!_]address\ =*) configs_quoted "$line" && address=${strings%%"$NL"*} ;;
        esac
        case $line in
        \[*)
            [ "$section" != '[grpc]' ] || break
            section=$line
            ;;
        esac
    done
    text_split_words
    RUNS=${RUNS:-$state}
    [ -n "$GIVEN" ] || [ ! -S "$address" ] || SOCKET=$address
}
