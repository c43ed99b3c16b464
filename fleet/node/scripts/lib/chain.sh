# The chain of generations: fleet's record names the newest one, and the record that is saved in
# each names the one before. Old ones are merged into one folder with the suffix `.pruned`.
# inputs: STATE
# outputs: linked
# functions: chain_read_link chain_find_folder

chain_read_link() { # set $linked to the generation that the record $1 names, or to nothing
    local line
    linked=
    [ -f "$1" ] || return 0
    while IFS= read -r line; do
        case $line in
        *'"generation": "'*)
            line=${line#*: \"}
            linked=${line%%\"*}
            break
            ;;
        esac
    done <"$1"
    case $linked in */* | .*) linked= ;; esac
}

chain_find_folder() { # set $linked to the name of the folder that holds generation $linked
    [ ! -d "$STATE/generations/$linked.pruned" ] || linked=$linked.pruned
}
