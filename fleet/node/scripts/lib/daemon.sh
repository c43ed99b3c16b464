# The unit of the daemon: its state and its restart.
# requires: text change
# inputs: RESTART RESTART_SECONDS UNIT
# outputs: complaint daemon properties refused unit
# functions: daemon_read_unit daemon_restart

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
}

# Restart the unit. The health check decides on success; after a failed restart it gets less time.
daemon_restart() {
    local code
    refused=0
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
