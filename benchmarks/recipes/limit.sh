# The limit: one ssh a node, a tar and this script over its stdin, and nothing else.
# limit.sh MODE BATCH SSH_CONFIG TAR NODE...; MODE is apply or diff, BATCH how many nodes at once.
set -eu
mode=$1 batch=$2 config=$3 tar=$4
shift 4
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT

one() {
    # The name is put in here; the folder's name is for the node to expand.
    ssh -F "$config" -o BatchMode=yes -o KexAlgorithms=curve25519-sha256 "$1" \
        "d=\$(mktemp -d) && tar xzf - -C \$d && sudo sh \$d/node.sh $mode \$d" <"$tar" >"$dir/$1" 2>&1 ||
        echo "$1" >>"$dir/failed"
}

while [ $# -gt 0 ]; do
    count=0
    while [ $# -gt 0 ] && [ "$count" -lt "$batch" ]; do
        one "$1" &
        shift
        count=$((count + 1))
    done
    wait
    [ ! -e "$dir/failed" ] || break
done
[ ! -e "$dir/failed" ] || { cat "$dir"/*; exit 1; }
