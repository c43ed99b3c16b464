# The unit of the daemon: its state and its restart. With RESTART=self it is the distribution that
# restarts its containerd, after a change of its drop-ins: k0s does so when the folder has been quiet
# for 3 seconds, and starts the new process 5 seconds later. It writes the process into a file.
# requires: text change
# inputs: HEALTH_SECONDS RESTART RESTART_SECONDS SOCKET UNIT
# outputs: complaint daemon properties refused unit
# functions: daemon_read_unit daemon_note_process daemon_is_starting daemon_restart

daemon_wait_seconds=40

daemon_property() { # set $noted to the value of property $1 in $properties
    local rest
    rest=${properties#*"$1="}
    noted=${rest%%"$NL"*}
}

daemon_read_unit() { # set $unit to the unit's state, $daemon to its process and when it started
    local noted
    properties=$(systemctl show "$UNIT" -p ActiveState -p SubState -p MainPID -p NRestarts)
    daemon_property ActiveState
    unit=$noted
    daemon_property SubState
    unit=$unit/$noted
    daemon_property MainPID
    daemon=$noted
    daemon_property NRestarts
    daemon="$daemon $noted"
    case $UNIT in k0s*)
        daemon_read_process
        daemon="$daemon $process"
        ;;
    esac
}

daemon_read_process() { # set $process to the containerd that a distribution supervises, if it runs
    process=
    [ -f "${SOCKET%/*}/containerd.pid" ] && IFS= read -r process <"${SOCKET%/*}/containerd.pid"
    [ -d "/proc/${process:-none}" ] || process=
}

daemon_note_process() { # note the process that a restart by the distribution will replace
    [ "$RESTART" = self ] || return 0
    daemon_read_process
    replaced_process=$process
}

daemon_await_process() { # wait for the new process; return 1 if the distribution starts none
    local begin now
    read -r begin _ </proc/uptime
    while :; do
        daemon_read_process
        case $process in '' | "${replaced_process:-}") ;; *) return 0 ;; esac
        read -r now _ </proc/uptime
        [ $((${now%.*} - ${begin%.*})) -lt "$daemon_wait_seconds" ] || return 1
        sleep 0.2
    done
}

# True if the unit starts for the first time since its last restart, and its own deadline for that,
# which the restart and the health check wait for, is not over.
daemon_is_starting() {
    local noted uptime since
    properties=$(systemctl show "$UNIT" -p ActiveState -p SubState -p NRestarts \
        -p InactiveExitTimestampMonotonic)
    daemon_property InactiveExitTimestampMonotonic
    since=$noted
    daemon_property NRestarts
    case $properties in *ActiveState=activating*) ;; *) return 1 ;; esac
    case $properties in *SubState=start*) ;; *) return 1 ;; esac # auto-restart: it has failed
    case $noted/$since in 0/*[!0-9]* | 0/ | [!0]*) return 1 ;; esac
    read -r uptime _ </proc/uptime
    [ $((${uptime%.*} - since / 1000000)) -lt $((RESTART_SECONDS + HEALTH_SECONDS)) ]
}

# Restart the unit. The health check decides on success; after a failed restart it gets less time.
daemon_restart() {
    local code
    refused=0
    if [ "$RESTART" = self ]; then
        daemon_await_process && return 0
        refused=1
        complaint="the distribution did not restart its containerd within $daemon_wait_seconds s of the change"
    fi
    [ "$RESTART" = 1 ] || return 0
    grep -qs "$TAB/etc/systemd/" "$KEPT/manifest" && systemctl daemon-reload
    complaint=$(timeout "$RESTART_SECONDS" systemctl restart "$UNIT" 2>&1)
    code=$?
    case $code in
    0 | 124) ;;
    *) # the unit's start limit is not a fault of the config
        case $(systemctl show "$UNIT" -p Result) in *start-limit-hit)
            systemctl reset-failed "$UNIT" 2>/dev/null
            complaint=$(timeout "$RESTART_SECONDS" systemctl restart "$UNIT" 2>&1)
            code=$?
            ;;
        esac
        ;;
    esac
    case $code in 0 | 124) ;; *) refused=1 ;; esac # a slow start is not a failure: the health check waits for it
}
