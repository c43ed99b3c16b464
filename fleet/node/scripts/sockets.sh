# Where the daemon listens, and where it keeps its state: by its command line, else by its own dump.
# In: SOCKET, as the distribution has it; GIVEN, not empty where that is settled.
RUNS=

started_with() { # note in $SOCKET and $RUNS what the daemon's command line $1 says
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

configured() { # note what the dump $1 says; a file may have been edited and not be loaded yet
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
