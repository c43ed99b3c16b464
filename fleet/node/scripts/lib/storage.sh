# The cause of a failed write, from the error that the system reported. If the error is unknown,
# the failure quotes the command that failed.
# requires: paths steps
# functions: storage_fail

storage_fail() { # step, what could not be done, error output, path; report the cause
    case ${3:-} in
    *'No space left'* | *': I/O error'* | *'write error'*) # dash does not name the error
        storage_fail_full "$1" "$2" "$3" "${4:-$STATE}"
        ;;
    *'quota exceeded'*)
        steps_fail storage "$1" "cannot $2: the disk quota is used up (EDQUOT)" \
            'free some space, or raise the quota' "$3"
        ;;
    *'Read-only file system'*)
        steps_fail storage "$1" "cannot $2: the file system is read-only (EROFS)" \
            "look for disk errors in \`journalctl -k\`, then mount it read-write" "$3"
        ;;
    *'Operation not permitted'*)
        steps_fail storage "$1" "cannot $2: the operation is not permitted (EPERM)" \
            "find an immutable file or folder with \`lsattr -d\`, then run \`chattr -i\` on it" \
            "$3"
        ;;
    *'Permission denied'*)
        steps_fail storage "$1" "cannot $2: access is denied even to root (EACCES)" \
            "look for denials by SELinux or AppArmor in \`journalctl -k\`" "$3"
        ;;
    *busy*)
        steps_fail storage "$1" "cannot $2: it is a mount point (EBUSY)" \
            "find it with \`findmnt\`, and unmount it" "$3"
        ;;
    *'Input/output error'*)
        steps_fail storage "$1" "cannot $2: the disk failed (EIO)" \
            "look for disk errors in \`journalctl -k\`" "$3"
        ;;
    *'annot fork'* | *'Resource temporarily unavailable'* | *'Cannot allocate memory'*)
        steps_fail unsupported "$1" "cannot $2: the node cannot start more processes (EAGAIN)" \
            'end some processes, or raise the limit (ulimit -u, TasksMax, pid_max)' "$3"
        ;;
    *)
        steps_fail storage "$1" "cannot $2" "fix what the node reports, see also \`journalctl -k\`" \
            "${3:-}"
        ;;
    esac
}

storage_none_free() { # true if df $1 shows none left on the file system of $2
    local all free
    df "$1" -- "$2" 2>/dev/null | {
        read -r _
        read -r _ all _ free _
        [ "${all:-0}" != 0 ] && [ "$free" = 0 ]
    }
}

storage_fail_full() { # report whether space or inodes ran out
    if storage_none_free -Pi "$4"; then
        steps_fail storage "$1" "cannot $2: no inodes are left (ENOSPC)" \
            "remove files, see \`df -i $4\`" "$3"
    fi
    case $3 in
    *'No space left'*) ;;
    *)
        storage_none_free -Pk "$4" || steps_fail storage "$1" "cannot $2: writing failed" \
            "look for disk errors in \`journalctl -k\`" "$3"
        ;;
    esac
    steps_fail storage "$1" "cannot $2: no space is left (ENOSPC)" \
        "free some space, see \`df -h $4\`" "$3"
}
