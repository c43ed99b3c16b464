# The daemon's socket and state folder, from its command line, else from its own dump.
# In: SOCKET, the distribution's default; GIVEN, not empty if that is certain.
RUNS=

started_with() { # set $SOCKET and $RUNS from the daemon's command line $1
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

configured() { # use the dump $1; a file may have been edited and not loaded yet
    section=
    state=
    address=
    lines
    for line in $1; do
        case $section$line in
        state\ =*) quoted "$line" && state=${strings%%"$NL"*} ;;
        '[grpc]'*[!_]address\ =*) quoted "$line" && address=${strings%%"$NL"*} ;;
        esac
        case $line in
        \[*)
            [ "$section" != '[grpc]' ] || break
            section=$line
            ;;
        esac
    done
    words
    RUNS=${RUNS:-$state}
    [ -n "$GIVEN" ] || [ ! -S "$address" ] || SOCKET=$address
}
