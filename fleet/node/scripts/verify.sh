# Verify a node. Fetch every test image by ctr to see which hosts answer, remove it again, and pull
# it by CRI. At the end, report what the daemon logged, and remove what was pulled. A line of IMAGES
# is: reference, CRI's own name for it, registry, hosts.toml in base64. VIA is crictl, cri, kubelet
# or ctr. With cri and kubelet the script waits while fleet pulls: over its own connection, or by a
# pod. Each record of an image begins with its number, from 0.
# requires: environment text protocol cleanup ctr liveness ownership trace
# inputs: CRICTL IMAGES LIVENESS PULL_SECONDS SOCKET UNIT VIA

RUNTIME=${SOCKET%/*}
# Tracing gets a third of the time, so that the pull itself can end before the guard fires.
EVIDENCE_SECONDS=$(((PULL_SECONDS + 2) / 3))
LOGGED='trying next|fetch failed|failed to decode|stop pulling image'
pulled=
pod_pulls=

verify_trace() { # fetch and trace the image, then remove it: CRI must download it once more
    trace_fetch "$EVIDENCE_SECONDS"
    trace_objects
    if verify_shares_objects; then # remove the earlier test image, so that all is downloaded
        ctr_remove_image
        cleanup_remove_images
        pulled=
        trace_fetch "$EVIDENCE_SECONDS"
        trace_objects
    fi
    printf '%s\n' "$trace" || exit 1
    [ -n "$STORE" ] || trace_find_store
    ctr_remove_image
    fetched=0
    trace_find_stored
    trace_value stayed "$stored"
}

verify_shares_objects() { # true if one of $objects was pulled with an earlier test image
    local object
    for object in $objects; do
        case "$pulled " in *" $object "*) return 0 ;; esac
    done
    return 1
}

# Set $present to whether $name exists: yes, no or ?. The image list is read again after 3 seconds.
verify_look_for_image() {
    local uptime
    read -r uptime _ </proc/uptime
    if [ -z "${looked:-}" ] || [ $((${uptime%.*} - looked)) -ge 3 ]; then
        looked=${uptime%.*}
        had=$(ctr_query -n k8s.io images ls -q) || had='?'
        cleanup_exclude_ours
    fi
    present=no
    case $NL$had$NL in
    *"$NL$name$NL"*) present=yes ;;
    *"$NL?$NL"*) present='?' ;; # the list could not be read: treat no image as ours
    esac
}

verify_by_crictl() {
    local code output
    verify_prepare_pull
    output=$(ctr_crictl pull "$image" 2>&1)
    code=$?
    read -r end _ </proc/uptime
    trace_report_travelled
    cleanup_restore_name "$code"
    if [ "$code" = 0 ]; then cleanup_list_pulled "$output"; else cleanup_list_pulled ''; fi
    verify_report_pull crictl "$present" "$code" "$output"
}

verify_prepare_pull() {
    verify_look_for_image
    verify_trace
    [ -n "$ours" ] || known_containers=$(cleanup_containers)
    cleanup_note_name
    verify_begin_pull
}

verify_begin_pull() { # note when the pull begins: the daemon's log is split by these times
    [ -n "${since:-}" ] || since=$(date +%s.%N)
    read -r begin _ </proc/uptime
    trace_value began "$begin"
}

verify_report_pull() { # via, present before (yes, no, ?), exit code, output
    [ "$3" = 0 ] || protocol_value "said$TAB$number" "$(printf '%s' "$4" | tail -c 20000)"
    printf 'pull\t%s\t%s\t%s\t%s\t%s\t%s\n' "$number" "$1" "$2" "$3" "$begin" "$end" || exit 1
}

verify_by_ctr() {
    read -r begin _ </proc/uptime
    trace_fetch "$PULL_SECONDS"
    printf '%s\n' "$trace" || exit 1
    read -r end _ </proc/uptime
    ctr_remove_image
    fetched=0
    verify_report_pull ctr no "$fetch_code" ''
}

verify_ask_liveness() { # as liveness_check, but fleet sends the pull
    local probe
    [ -n "$LIVENESS" ] || return 0
    case $VIA$CRICTL in cri? | kubelet0) ;; *) return 0 ;; esac
    probe=$$.$PROBE_NAME
    liveness_may_write
    liveness_lay >/dev/null 2>&1 || probe=
    protocol_value probe "$probe"
    protocol_wait_for_driver
    [ -d "$LIVENESS/$probe" ] || protocol_value swept 1
    liveness_sweep
}

# fleet pulls, and replies with the id that CRI gave the image, or with `pulled` if it has none.
verify_by_fleet() {
    verify_prepare_pull
    trace_value present "$present"
    [ "$VIA" != kubelet ] || pod_pulls=1
    protocol_wait_for_driver
    pod_pulls=
    trace_report_travelled
    case $line in
    sha256:*) cleanup_list_pulled "$line" ;;
    pulled) cleanup_list_pulled "$(cleanup_find_id)" ;;
    *)
        cleanup_restore_name 1
        cleanup_list_pulled ''
        ;;
    esac
}

verify_report_log() { # report what the daemon has logged since the first pull began
    [ -n "${since:-}" ] || return 0
    protocol_value since "$since"
    timeout 10 journalctl -a -u "$UNIT" --since "@$since" -o short-unix --no-pager 2>/dev/null |
        sed -nE -e "$HARMLESS" -e "/$LOGGED/s/^/log$TAB=/p" | tail -c 200000
}

# Remove what was brought onto the node. If the connection was lost while a pod was pulling, the note
# stays for the next verification: the pod goes on without fleet.
verify_sweep() {
    local gone
    cleanup_remove_images
    gone=$?
    [ -z "$pod_pulls" ] || gone=1
    [ "${fetched:-0}" = 0 ] || ctr_remove_image
    [ -z "${fetched:-}" ] || ctr_remove_namespace || gone=1
    [ "$gone" != 0 ] || [ ! -f "$NOTE" ] || rm -rf -- "$NOTE" "$WORK"
    [ ! -d "$WORK" ] || rm -rf -- "$WORK"
    liveness_sweep
}

verify_images() {
    local number
    number=0
    while IFS="$TAB" read -r image name registry hosts; do
        [ -n "$image" ] || continue
        case $VIA in
        crictl) verify_by_crictl ;;
        cri | kubelet) verify_by_fleet ;;
        *) verify_by_ctr ;;
        esac
        number=$((number + 1))
    done <<LIST
$IMAGES
LIST
}

verify_main() { # a function, so that the shell has read all code before fleet's reply follows it
    protocol_begin
    ownership_check
    exec 3<&0
    trap '' PIPE # otherwise a lost connection would end the shell before its cleanup
    trap verify_sweep EXIT
    trap 'exit 1' TERM INT HUP
    ctr_remove_left_work
    cleanup_left_runs
    liveness_check
    verify_ask_liveness
    verify_images
    trap - EXIT
    verify_sweep
    verify_report_log # last, since journald is a moment behind the daemon
    protocol_end
}
verify_main
