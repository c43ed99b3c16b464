# The cause of a failed write, from the error that the system reported. If the error is unknown, the
# failure quotes the command that failed.

unwritten() { # step, what could not be done, error output, path; report the cause
    case ${3:-} in
    *'No space left'* | *': I/O error'* | *'write error'*) # dash does not say which error it was
        filled "$1" "$2" "$3" "${4:-$STATE}"
        ;;
    *'quota exceeded'*)
        fail storage "$1" "cannot $2: a quota is used up (EDQUOT); free some space or raise it" "$3"
        ;;
    *'Read-only file system'*)
        fail storage "$1" "cannot $2: the file system is read-only (EROFS); see \`journalctl -k\` \
for disk errors, and mount it read-write" "$3"
        ;;
    *'Operation not permitted'*)
        fail storage "$1" "cannot $2: the system does not permit it (EPERM); look for an immutable \
file or folder by \`lsattr -d\`, and let it go by \`chattr -i\`" "$3"
        ;;
    *'Permission denied'*)
        fail storage "$1" "cannot $2: it is denied even to root (EACCES); look for SELinux or \
AppArmor in \`journalctl -k\`" "$3"
        ;;
    *busy*)
        fail storage "$1" "cannot $2: it is a mount point (EBUSY); see \`findmnt\`, and unmount it" \
            "$3"
        ;;
    *'Input/output error'*)
        fail storage "$1" "cannot $2: the disk failed (EIO); see \`journalctl -k\`" "$3"
        ;;
    *'annot fork'* | *'Resource temporarily unavailable'* | *'Cannot allocate memory'*)
        fail unsupported "$1" "cannot $2: the node can start no more processes (EAGAIN); free \
some by ending others, or raise the limit (ulimit -u, TasksMax, pid_max)" "$3"
        ;;
    *) fail storage "$1" "cannot $2; see what the system said of it, and mend that" "${3:-}" ;;
    esac
}

none_free() { # true if df $1 shows none left on the file system of $2
    df "$1" -- "$2" 2>/dev/null | {
        read -r _
        read -r _ all _ free _
        [ "${all:-0}" != 0 ] && [ "$free" = 0 ]
    }
}

filled() { # report whether space or inodes ran out
    if none_free -Pi "$4"; then
        fail storage "$1" "cannot $2: no inodes are left (ENOSPC); remove files, see \`df -i $4\`" "$3"
    fi
    case $3 in
    *'No space left'*) ;;
    *) none_free -Pk "$4" || fail storage "$1" "cannot $2: writing failed; see \`journalctl -k\`" "$3" ;;
    esac
    fail storage "$1" "cannot $2: no space is left (ENOSPC); free some, see \`df -h $4\`" "$3"
}
