# Activate a staged change: check, keep, arm the guard, swap, restart, gate. POSIX sh. In: as for
# stage.sh, and EMPTIED UNIT SOCKET RESTART CRICTL HEALTH_SECONDS RESTART_SECONDS WORKLOADS; LIVENESS
# READ_BEFORE RESTORES: the folder to ask for, the one that files named before, and for a rollback the
# generation that tells which one was live then.
# Whatever fails before the swap leaves the node as it was; whatever fails after it is taken back
# here, on the node, whether or not anybody still listens. The guard stays armed until a new
# connection confirms.
WHY=failed
ARMED=0

finish() { # status
    trap - EXIT
    audit "$1"
    value status "$1"
    bye
    exit 0
}

fail() { # kind, step, message, evidence
    failure "$@"
    [ "$SWAPPED" = 1 ] && take_back
    if [ "$ARMED" = 1 ]; then
        # Nothing was swapped: what cannot be swept now the guard sweeps later.
        complaint=$(undo_files 2>&1) && settled_as restored failed && rm -rf -- "$KEPT" && disarm
    elif [ "$1" != locked ]; then
        rm -rf -- "$STAGE"
        let_go
    fi
    [ "$1" = unstaged ] || finish failed
    finish unstaged
}

note_pending() { # from here on the change is known to be unfinished, also after a crash
    { mv -T "$PENDING.tmp" "$PENDING" && { [ "$GUARD" != 0 ] || sync "$STATE"; }; } \
        2>"$STAGE/error" && ARMED=1 && return 0
    complaint=$(cat "$STAGE/error")
    rm -rf -- "$PENDING.tmp" "$KEPT"
    unwritten arm "write the guard under $STATE" "$complaint"
}

arm() { # a timer for now, a unit for the boot that may come before it
    note_pending
    [ "$GUARD" != 0 ] || return 0
    complaint=$(arm_boot 2>&1) ||
        unwritten arm 'write the boot guard to /etc/systemd/system' "$complaint"
    complaint=$(arm_timer "$GUARD" 2>&1) ||
        fail unsupported arm 'systemd-run cannot arm the guard; --guard 0 goes without' "$complaint"
}

beside_operation() { # note where the new bytes go; a link to the old is a way back without space
    if [ -f "$path" ]; then
        back=$folder/.fleet-$ID.${path##*/}.back
        [ ! -e "$back" ] || rm -f -- "$back"
        ln -- "$path" "$back" 2>/dev/null || cp -p --preserve=all -- "$path" "$back" || return 1
    fi
    [ "$action" = delete ] && return 0
    target=$staged
    if [ ! -d "$folder" ] && ! is_config; then
        case $homes in *"$NL$hidden$NL"*) ;; *) homes=$homes$hidden$NL ;; esac
        target=$hidden/${path##*/}
    elif [ ! -d "$folder" ]; then
        homes=$homes$folder$NL
    fi
    if [ -f "$path" ]; then
        cp -p --preserve=all -- "$path" "$target" || return 1
        copied=$copied$target$NL
    fi
    targets=$targets$target$NL
    expected="$expected$after  $target$NL"
    owners=$owners$uid:$gid$TAB$target$NL
    [ "$mode" = 600 ] || modes=$modes$mode$TAB$target$NL
}

relink() { # what had further names becomes the file that it was, as long as that has its old bytes
    lines
    for line in $LINKS; do
        path=${line#*"$TAB"}
        folder=${path%/*}
        target=$folder/.fleet-$ID.${path##*/}.new
        [ -d "$folder" ] || target=${folder%/*}/.fleet-$ID/${folder##*/}/${path##*/}
        copy=${line%%"$TAB"*}
        [ "$(digest "$copy")" != "$(digest "$target")" ] || ln -f -- "$copy" "$target" 2>/dev/null
    done
    words
}

take_saved() { # what a rollback makes anew gets its ACL, attributes and label from the saved copies
    lines
    for line in $SAVED; do
        copy=${line%%"$TAB"*}
        path=${line#*"$TAB"}
        folder=${path%/*}
        hidden=${folder%/*}/.fleet-$ID/${folder##*/}
        target=${path%/*}/.fleet-$ID/${path##*/}
        if [ -d "$copy" ]; then
            [ ! -d "$target" ] || [ -d "$path" ] || cp -aT -- "$copy" "$target" || return 1
            continue
        fi
        target=$folder/.fleet-$ID.${path##*/}.new
        [ -d "$folder" ] || target=$hidden/${path##*/}
        [ ! -f "$copy" ] || cp -p --preserve=all -- "$copy" "$target" || return 1
        copied=$copied$target$NL
    done
    words
}

fill_operation() {
    [ "$action" = delete ] && return 0
    part "$1" >"${targets%%"$NL"*}" || return 1
    targets=${targets#*"$NL"}
}

lay_beside() { # with bytes that nobody else can read until all of them have their owner
    homes=$NL
    copied=
    targets=
    expected=
    owners=
    modes=
    operations beside_operation || return 1
    [ "$homes" = "$NL" ] || (umask 022 && every "$homes" mkdir -p --) || return 1
    [ -z "$SAVED" ] || take_saved || return 1
    [ -z "$copied" ] || every "$copied" chmod 600 -- || return 1
    laid=$targets
    parted operations fill_operation || return 1
    [ -n "$laid" ] || return 0
    [ "$(every "$laid" sha256sum --)$NL" = "$expected" ] && each_kind "$owners" chown &&
        each_kind "$modes" chmod && every "$laid" sync && relink
}

beside() {
    complaint=$(lay_beside 2>&1) && return 0
    unwritten stage 'write the new files beside the old ones' "$complaint"
}

new_folder() { # note a folder that is laid ready as a whole
    [ -d "$hidden" ] && [ ! -d "$folder" ] || return 0
    case $NL$fresh in
    *"$NL${folder%/*}$TAB$hidden$NL"*) ;;
    *) fresh=$fresh${folder%/*}$TAB$hidden$NL ;;
    esac
}

remove_doomed() { # what stands to be deleted before the next file, in one go
    [ -z "$doomed" ] || every "$doomed" rm -f -- || return 1
    doomed=
}

sync_swapped() { # what has been swapped so far, before anything is written that relies on it
    remove_doomed && remove_emptied && sync_folders "$moved"
    moved=
}

swap_operation() {
    [ "$path" != "$STATE/state.json" ] || sync_swapped || return 1
    case $action in
    delete) doomed=$doomed$path$NL ;;
    *)
        remove_doomed || return 1
        if [ -e "$staged" ]; then
            mv -fT -- "$staged" "$path"
        else
            [ -f "$path" ]
        fi
        ;;
    esac || return 1
    case $NL$moved in *"$NL$folder$NL"*) ;; *) moved=$moved$folder$NL ;; esac
}

swap() { # new folders come first, each in one rename: no file may speak of what is not there
    fresh=
    moved=
    doomed=
    operations new_folder && each_kind "$fresh" mv -t && operations swap_operation &&
        remove_doomed && sync_folders "$moved"
}

remove_emptied() {
    [ -n "$EMPTIED" ] || return 0
    backs=
    lines
    for empty in $EMPTIED; do
        set +f
        for back in "$empty/.fleet-$ID."*.back; do
            [ ! -f "$back" ] || backs=$backs$back$NL
        done
        set -f
    done
    words
    [ -z "$backs" ] || every "$backs" rm -f --
    every "$EMPTIED" rmdir -- 2>/dev/null
    return 0
}

lost_workloads() { # those of $before_restart whose process the restart has ended
    now=$(tasks)
    printf '%s\n' "$before_restart" | while read -r space container process state; do
        [ -n "$container" ] || continue
        case "
$now
" in *"
$space $container $process $state
"* | *"
$space $container $process STOPPED
"*) continue ;; esac
        # A container that is gone altogether was removed by whoever made it.
        timeout 10 ctr -a "$SOCKET" -n "$space" containers info "$container" >/dev/null 2>&1 &&
            printf '%s/%s (process %s)\n' "$space" "$container" "$process"
    done
}

check_workloads() {
    [ -n "$before_restart" ] || return 0
    value workloads "$(printf '%s\n' "$before_restart" | grep -c .)"
    all_run "$before_restart" && return 0
    lost=$(lost_workloads)
    [ -n "$lost" ] || return 0
    value lost_workloads "$lost"
    [ "$WORKLOADS" = disrupt ] && return 0
    fail workloads restart "a restart of $UNIT ends running containers; find out why by \
\`systemctl cat $UNIT\`, or give --disrupt-workloads" "$lost"
}

note_live() { # in the generation: a way back to it must find the daemon reading that folder
    { printf '%s\n' "$1" >"$KEPT/live" && sync "$KEPT/live"; } 2>/dev/null
    return 0
}

ask_before() { # where nothing restarts, the answer after the swap is the one before it as well
    [ -n "$READ_BEFORE" ] && [ "$RESTART" = 1 ] || return 0
    wanted=$LIVENESS
    LIVENESS=$READ_BEFORE
    listen 0
    LIVENESS=$wanted
    [ "$liveness" != live ] || note_live "$READ_BEFORE"
}

activate() {
    [ -z "$RESTORES" ] || LIVENESS=$(word "$STATE/generations/$RESTORES/live")
    mutex 2 || refuse_busy
    hold
    [ "$(word "$STAGE/digest")" = "$DIGEST" ] || fail unstaged check \
        'what was staged below /run/fleet is gone, as after a reboot; roll out again'
    [ ! -d "$PENDING" ] || unconfirmed conflict check
    step check
    check
    step keep
    content=$(cat -- "$STAGE/bundle")
    keep
    ask_before
    step arm
    arm
    step stage
    beside
    found=
    [ "$RESTART" = 0 ] || running
    before_restart=$found
    step swap
    SWAPPED=1
    complaint=$(swap 2>&1) ||
        unwritten swap 'put the new files in place' "$complaint"
    step restart
    restart || fail restart restart \
        "$UNIT does not start with the new config; $SEE" "$(reason)"
    step health
    gate || fail health health \
        "$UNIT is not healthy within $HEALTH_SECONDS s: $unhealthy; $SEE" "$(reason)"
    tell_liveness || deaf
    [ "$liveness" != live ] || [ "$LIVENESS" != "$READ_BEFORE" ] || [ "$RESTART" = 1 ] ||
        note_live "$LIVENESS"
    [ "$RESTART" = 0 ] || check_workloads
    phase "swapped $daemon" ||
        unwritten swap "write under $STATE"
    step swapped
    finish swapped
}

interrupted() {
    fail timeout activate "$LATE"
}

hello
MODE=activate
trap '' PIPE HUP
trap interrupted TERM INT
trap 'fail bug activate "$EARLY"' EXIT
activate
