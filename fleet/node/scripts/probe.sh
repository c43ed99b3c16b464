# Read all facts about a node in one run, and change nothing. If DISTRO, UNIT, CONFIG or SOCKET is
# empty, the probe detects it. Where it can, it reads variables and /proc instead of starting a
# process: a process costs about 1 ms, a Go program 10 ms, of which GOMAXPROCS and GOGC save 2 ms.
# requires: environment text protocol configs etcd ownership places rancher report roles saved
# requires: sockets
# inputs: DISTRO FULL_DEFAULT WALK

STATE=/var/lib/fleet

probe_hosts_directory() {
    local entry registry
    report_directory "$1"
    places_add_with_parents "$1"
    for registry in "$1"/* "$1"/.[!.]*; do
        case $registry in
        *.fleet-probe.invalid) # left by a killed check
            [ "$WALK" != all ] || protocol_value own "$registry"
            continue
            ;;
        esac
        places_add "$registry"
        [ -d "$registry" ] || continue
        report_directory "$registry"
        for entry in "$registry"/*; do
            places_add "$entry"
            report_file "$entry"
        done
    done
    for entry in /etc/containerd/fleet/*; do
        places_add_with_parents "$entry"
        report_file "$entry"
    done
}

probe_is_bare_mount() { # true if $1 is a mount point with nothing of fleet's, which a removal leaves
    local name
    mountpoint -q -- "$1" 2>/dev/null || return 1
    for name in generations pending last state.json audit.log; do
        [ ! -e "$1/$name" ] || return 1
    done
}

probe_own_files() { # report which files and folders of fleet's own there are
    local entry unit
    unit=/etc/systemd/system/fleet-guard.service
    for entry in "$STATE" "$STATE.removed" /run/fleet "$unit" \
        "${unit%/*}/multi-user.target.wants/${unit##*/}"; do
        { [ ! -e "$entry" ] && [ ! -L "$entry" ]; } || probe_is_bare_mount "$entry" ||
            protocol_value own "$entry"
    done
}

probe_owned_directories() { # add directories of fleet's own files that the config no longer names
    local line
    [ -f "$STATE/state.json" ] || return 0
    while IFS= read -r line; do
        case $line in
        *'"/'*'/hosts.toml": "'*)
            line=${line#*\"}
            line=${line%/*/hosts.toml\"*}
            case $NL$HOSTS in *"$NL$line$NL"*) ;; *) HOSTS=$HOSTS$line$NL ;; esac
            ;;
        esac
    done <"$STATE/state.json"
}

# Count the running containers, by the init.pid files of containerd's shims.
probe_count_tasks() {
    local running each task
    running=0
    for each in "${RUNS:-${SOCKET%/*}}"/io.containerd.runtime.v*/*/*/init.pid; do
        [ -f "$each" ] || continue
        IFS= read -r task <"$each"
        [ -n "$task" ] && [ -d "/proc/$task" ] && running=$((running + 1))
    done
    protocol_value tasks "$running"
}

protocol_begin
ownership_check_existing
GIVEN=$SOCKET
read -r name </proc/sys/kernel/hostname
protocol_value hostname "$name"
machine=
boot=
{ read -r machine </etc/machine-id; read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
protocol_value machine "$boot $machine $name"
report_file /etc/os-release
ACTIVE=
usual=/run/containerd/containerd.sock:/etc/containerd/config.toml
set -- k3s k3s-agent rke2-server rke2-agent k0sworker k0scontroller \
    snap.microk8s.daemon-containerd snap.k8s.containerd
# systemd(5) reads units only from these folders. It is asked only about units that exist there.
for each in "$@"; do
    shift
    for unit in /etc/systemd/system*/"$each.service" /run/systemd/*/"$each.service" \
        /usr/local/lib/systemd/system/"$each.service" /usr/lib/systemd/system/"$each.service" \
        /lib/systemd/system/"$each.service"; do
        [ -e "$unit" ] && set -- "$@" "$each" && break
    done
done
[ "$#" = 0 ] || while read -r state; do
    [ "$state" = active ] && ACTIVE=${1:-} && break
    [ "$#" = 0 ] || shift
done <<LIST
$(timeout 15 systemctl is-active "$@" 2>/dev/null)
LIST
probe_distribution() { # use the distribution's own owner, unit, socket, config and hosts directory
    OWNER=$1
    UNIT=${UNIT:-$2}
    SOCKET=${SOCKET:-$3}
    CONFIG=${CONFIG:-$4}
    CERTS_D=$5
}
# Add the folders in which k3s and RKE2 with a data folder of their own have their tools.
probe_add_tools() {
    local folder tools
    tools=
    for folder in "$DATA_DIR/data/current/bin" "$DATA_DIR/bin"; do
        folder=$(readlink -f -- "$folder") && [ -d "$folder" ] || continue
        case :$PATH: in *":$folder:"*) continue ;; esac
        ! environment_is_roots "$folder" 2>/dev/null || tools=$tools:$folder
    done
    PATH=$PATH$tools
    [ -z "$tools" ] || protocol_value tools "${tools#:}"
}

probe_rancher() { # k3s or rke2, its usual unit
    local unit
    unit=$UNIT
    OWNER=$1
    UNIT=${UNIT:-${ACTIVE:-$2}}
    rancher_read_settings
    probe_add_tools
    case $ENDPOINT in
    '' | */k3s/*) probe_distribution "$1" "$UNIT" /run/k3s/containerd/containerd.sock \
        "$DATA_DIR/agent/etc/containerd/config.toml" "$DATA_DIR/agent/etc/containerd/certs.d" ;;
    *) # it uses a containerd that it neither runs nor configures
        UNIT=$unit
        probe_distribution '' containerd "${ENDPOINT#unix://}" '' /etc/containerd/certs.d
        ;;
    esac
}
case $ACTIVE$DISTRO in '' | k3s | rke2) [ -n "$ACTIVE" ] || rancher_find_unit ;; esac
case ${DISTRO:-${KIND:-$ACTIVE}} in
k3s*) probe_rancher k3s k3s ;;
rke2*) probe_rancher rke2 rke2-agent ;;
k0s*) probe_distribution k0s "${ACTIVE:-k0sworker}" /run/k0s/containerd.sock /etc/k0s/containerd.toml \
    /etc/k0s/certs.d ;;
*microk8s*)
    probe_distribution microk8s snap.microk8s.daemon-containerd '' '' \
        /var/snap/microk8s/current/args/certs.d
    usual=/var/snap/microk8s/common/run/containerd.sock:/var/snap/microk8s/current/args/containerd.toml
    ;;
snap.k8s* | canonical-k8s) # a strict snap has all of it in its own folder, others where they say
    base=
    ! grep -qs 'confinement: *strict' /snap/k8s/current/meta/snap.yaml || base=/var/snap/k8s/common
    probe_distribution canonical-k8s snap.k8s.containerd '' '' "$base/etc/containerd/hosts.d"
    usual=$base/run/containerd/containerd.sock:$base/etc/containerd/config.toml
    ;;
*) probe_distribution '' containerd /run/containerd/containerd.sock '' /etc/containerd/certs.d ;;
esac
case $OWNER in
microk8s | canonical-k8s) ;; # the command line of its containerd decides
*) GIVEN=$GIVEN$OWNER ;;
esac
protocol_value owner "$OWNER"
protocol_value unit_name "$UNIT"
case $OWNER in
k3s | rke2)
    rancher_report_settings
    report_file "$REGISTRIES"
    places_add_with_parents "$REGISTRIES"
    for each in "/etc/rancher/$OWNER/fleet"/*; do report_file "$each"; done
    for each in "${CONFIG%/*}"/*.tmpl; do [ -f "$each" ] && report_file "$each"; done
    ;;
k0s) for each in /etc/k0s/containerd.d/*.toml; do report_file "$each" && places_add_with_parents "$each"; done ;;
esac
for mark in /usr/local/bin/k3s /usr/bin/k3s /etc/rancher/k3s /usr/local/bin/rke2 /etc/rancher/rke2 \
    /etc/systemd/system/rancher-system-agent.service \
    /usr/local/lib/systemd/system/rancher-system-agent.service \
    /etc/k0s /var/snap/microk8s /var/snap/k8s /etc/eks /usr/share/flatcar; do
    [ -e "$mark" ] && protocol_value mark "$mark"
done
unit=$(timeout 15 systemctl show "$UNIT" -p LoadState -p ActiveState -p SubState -p MainPID \
    -p NRestarts -p ExecMainStartTimestampMonotonic -p FragmentPath -p KillMode -p Delegate \
    -p Result -p Type -p TimeoutStartUSec 2>&1)
unit="$unit${NL}rc $?"
report_note unit "$unit"
pid=0
case $unit in *MainPID=*)
    pid=${unit#*MainPID=}
    pid=${pid%%"$NL"*}
    ;;
esac
binary=
if [ "${pid:-0}" != 0 ] && [ -r "/proc/$pid/cmdline" ]; then
    arguments=$(tr '\0' '\n' <"/proc/$pid/cmdline")
    report_note cmdline "$arguments"
    sockets_from_arguments "$arguments"
    case $OWNER/${arguments%%"$NL"*} in /* | */containerd) binary=${arguments%%"$NL"*} ;; esac
    case $OWNER in k3s | rke2) rancher_report_program "/proc/$pid" ;; esac
    if [ -z "$CONFIG" ]; then
        previous=
        while IFS= read -r argument; do
            case $argument in
            --config=*) CONFIG=${argument#--config=} ;;
            -c=*) CONFIG=${argument#-c=} ;;
            *) case $previous in -c | --config) CONFIG=$argument ;; esac ;;
            esac
            previous=$argument
        done <<LIST
$arguments
LIST
    fi
fi
if [ "$OWNER" = k0s ]; then # k0s supervises its containerd, and writes the process into a file
    RUNS=${SOCKET%/*}/containerd
    child=
    { IFS= read -r child <"${SOCKET%/*}/containerd.pid"; } 2>/dev/null
    [ -z "$child" ] || binary=$(readlink "/proc/$child/exe")
fi
[ -x "$binary" ] || binary=$(command -v containerd)
protocol_value binary "$binary"
[ -n "$CONFIG" ] || CONFIG=${usual#*:}
[ -n "$SOCKET" ] || SOCKET=${usual%%:*}
configs_canonical "$CONFIG"
CONFIG=$whole
protocol_value config "$CONFIG"
configs_note "$CONFIG"
if [ -n "$binary" ]; then
    # If the binary was replaced since the daemon started, its next start may be another release.
    # shellcheck disable=SC3013 # dash and busybox have -ef, and so has POSIX since 2024
    if [ "${pid:-0}" != 0 ] && [ "/proc/$pid/exe" -ef "$binary" ]; then
        protocol_value same_binary 1
    else
        report_answer version "$binary" --version
    fi
    # Releases differ in `config dump` of a missing file; all have `config default`.
    if [ -f "$CONFIG" ]; then
        report_answer dump "$binary" -c "$CONFIG" config dump
    else
        report_answer dump "$binary" config default
    fi
    configs_hosts_directories "$answer"
    sockets_from_dump "$answer"
    [ "$FULL_DEFAULT" = 1 ] && report_answer default "$binary" config default
fi
protocol_value socket "$SOCKET"
probe_count_tasks
for each in /etc/k0s/containerd.d/*.toml; do
    [ ! -f "$each" ] || configs_hosts_directories "$(cat -- "$each" 2>/dev/null)"
done
probe_owned_directories
walked=
while IFS= read -r path; do
    case $path in
    /*) ;;
    *) continue ;;
    esac
    places_clean "$path"
    case $NL$walked in *"$NL$whole$NL"*) continue ;; esac
    walked=$walked$whole$NL
    probe_hosts_directory "$whole"
done <<LIST
$HOSTS$CERTS_D
LIST
if [ "${pid:-0}" != 0 ]; then
    report_answer ctr ${K0S:+"$K0S"} ctr -a "$SOCKET" --connect-timeout 5s version
    answer=
    if command -v crictl >/dev/null; then
        protocol_value crictl yes
        report_answer info crictl -r "unix://$SOCKET" -i "unix://$SOCKET" info
    fi
    case $answer in # if CRI answers, its plugin is loaded
    *"${NL}rc 0") ;;
    *) report_answer cri ${K0S:+"$K0S"} ctr -a "$SOCKET" --connect-timeout 5s plugins ls id==cri ;;
    esac
fi
report_directory "$STATE"
for entry in "$STATE/state.json" "/etc/systemd/system/$UNIT.service.d/zz-fleet.conf"; do
    places_add_with_parents "$entry"
    report_file "$entry"
done
report_file /run/fleet/lock
for each in id phase failed; do report_file "$STATE/pending/$each"; done
for each in /run/systemd/transient/fleet-guard-*.timer; do report_file "$each"; done
roles_control_plane
[ "$plane" = 0 ] || etcd_report
[ -n "$WALK" ] && saved_report
[ "$WALK" != all ] || probe_own_files
report_note dirs "$DIRECTORIES"
places_add_named
places_note
report_print_files
printf '%s' "$NOTES"
protocol_end
