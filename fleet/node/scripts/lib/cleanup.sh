# The removal of what a verification brings onto a node. CRI gives an image three names: its own,
# one with its digest, and the id of its config. When CRI removes an image, it removes all names of
# that id, also those of others. This code therefore removes single names, and only new ones. Each
# pull is noted in a file beforehand, so that the next verification can clean up after a killed one.
# requires: text ctr
# inputs: RUNTIME digest had known_containers name objects present pulled stored
# outputs: NOTE ours
# functions: cleanup_note cleanup_note_name cleanup_restore_name cleanup_list_pulled
# functions: cleanup_find_id cleanup_exclude_ours cleanup_containers cleanup_remove_images
# functions: cleanup_left_runs

NOTE=/run/fleet/proof-$$
[ ! -d /var/lib/fleet ] || NOTE=/var/lib/fleet/proof-$$
known_containers='?'
ours=

cleanup_note() { # append lines below the id of this boot; a full disk does not end the script
    { [ -f "$NOTE" ] || set -- "$boot" "$@"; } && printf '%s\n' "$@" 2>/dev/null >>"$NOTE"
    return 0
}

cleanup_digest_name() { # set $other to the name that CRI gives the image with its digest
    case $name in
    *@*) other=$name ;;
    *) other=${name%:*}@$digest ;;
    esac
}

# Note a name before its pull, with its digest if the node had nothing of that digest.
cleanup_note_name() {
    [ "$present" = no ] || return 0
    case "$stored " in
    *" $digest "*) cleanup_note "$name -" ;;
    *) cleanup_note "$name ${digest:--}" ;;
    esac
}

cleanup_restore_name() { # undo that a failed pull set an existing name to what a mirror sent
    local one each
    [ "$present" = yes ] && [ "$1" != 0 ] || return 0
    one=
    text_split_lines
    for each in $had; do
        case $each in
        "${name%:*}@sha256:"*)
            [ -z "$one" ] || one=/ # unknown which of several digests the name had
            one=$one$each
            ;;
        esac
    done
    text_split_words
    case $one in '' | /*) return 0 ;; esac
    case $(ctr_query -n k8s.io images ls "name==$name") in
    *" ${one##*@} "*) ;;
    *) ctr_query -n k8s.io images tag --force "$one" "$name" >/dev/null ;;
    esac
}

cleanup_list_pulled() { # record the names and objects that a pull brought, even if it failed
    local id each new other
    # $1 ends with the id that CRI returned, or is empty
    [ "$present" = no ] || return 0
    pulled=$pulled$objects
    id=${1##*sha256:}
    [ -n "$digest" ] || for each in $(ctr_query -n k8s.io images ls "name==$name"); do
        case $each in sha256:*) digest=$each ;; esac
    done
    cleanup_digest_name
    new=
    for each in "$name" "$other" "sha256:${id%%[!0-9a-f]*}"; do
        case $each in *: | *@) continue ;; esac
        case $NL$had$NL in *"$NL$each$NL"*) ;; *) new="$new $each" ;; esac
    done
    ours=$ours$new$NL
}

cleanup_find_id() { # print the id of the image that CRI has just pulled; nothing if it is unknown
    local each target
    target=$digest
    [ -n "$target" ] || for each in $(ctr_query -n k8s.io images ls "name==$name"); do
        case $each in sha256:*) target=$each ;; esac
    done
    [ -z "$target" ] ||
        ctr_query -n k8s.io images ls -q "target.digest==$target" | grep -x 'sha256:[0-9a-f]*'
}

cleanup_exclude_ours() { # remove our own names from $had
    local each
    for each in $ours; do
        case $NL$had$NL in *"$NL$each$NL"*)
            had=$NL$had$NL
            had=${had%%"$NL$each$NL"*}$NL${had#*"$NL$each$NL"}
            ;;
        esac
    done
}

cleanup_containers() { # list running and created containers by their folders, without a process
    set -- "$RUNTIME"/io.containerd.runtime.v2.task/k8s.io/* \
        "$RUNTIME"/io.containerd.grpc.v1.cri/containers/*
    printf '%s' "$*"
}

# List the images of CRI's containers, unless all containers are older than our images.
cleanup_image_users() {
    [ -d "$RUNTIME/io.containerd.runtime.v2.task" ] && [ "$(cleanup_containers)" = "$known_containers" ] && return 0
    ctr_query -n k8s.io containers ls
}

# Remove the images that were not there before, so that the next verification downloads them again.
cleanup_remove_images() {
    local used names each doomed
    [ -n "$ours" ] || return 0
    used=$(cleanup_image_users) || return 1
    doomed=
    text_split_lines
    for names in $ours; do
        text_split_words
        for each in $names; do
            case $used in *" $each "*) names= ;; esac
        done
        doomed="$doomed $names"
    done
    text_split_words
    ours=
    # shellcheck disable=SC2086 # one word a name
    set -- $doomed
    [ "$#" = 0 ] || ctr_query -n k8s.io images rm --sync "$@" >/dev/null
}

cleanup_list_left() { # list the names of a noted image, with its id unless others use the image
    local names each found other
    cleanup_digest_name
    found=$(ctr_query -n k8s.io images ls -q "target.digest==$digest") || return 1
    names=$name
    for each in $found; do
        case $each in
        "$name") ;;
        "$other" | sha256:*) names="$names $each" ;;
        *)
            names=$name
            break
            ;;
        esac
    done
    ours=$ours$names$NL
}

cleanup_remove_noted() { # remove all that a verification has noted
    local mine gone name digest
    while read -r name digest; do
        [ -z "$digest" ] || cleanup_list_left || return 1
    done <"$note"
    cleanup_remove_images || return 1
    mine=$NAMESPACE
    NAMESPACE=fleet-probe-${note##*-}
    cleanup_collect && ctr_remove_namespace
    gone=$?
    NAMESPACE=$mine
    return "$gone"
}

cleanup_collect() { # start the daemon's garbage collection, which its end may have prevented
    local held
    held=$(ctr_query -n "$NAMESPACE" leases create) && ctr_query -n "$NAMESPACE" leases rm --sync "$held" >/dev/null
}

# Clean up after killed verifications; what the daemon does not release stays noted.
cleanup_left_runs() {
    local when note
    [ -d "${NOTE%/*}" ] || mkdir -p -- "${NOTE%/*}"
    read -r boot </proc/sys/kernel/random/boot_id
    for note in /var/lib/fleet/proof-* /run/fleet/proof-*; do
        [ -f "$note" ] || continue
        read -r when <"$note"
        case $when in
        "$boot" | '') [ "${note##*-}" = $$ ] || ! kill -0 "${note##*-}" 2>/dev/null || continue ;;
        esac
        cleanup_remove_noted && rm -f -- "$note"
    done
}
