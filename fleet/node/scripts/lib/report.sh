# The report of a probe: collected while it runs, printed at its end. An answer is the output of a
# command, with its exit code as the last line. Files are noted by name only; four processes read
# all of them at the end.
# requires: text protocol
# outputs: DIRECTORIES FILES NOTES
# functions: report_answer report_note report_file report_saved_file report_directory
# functions: report_print_files

LIMIT=1048576
COUNT=0
SAVED_COUNT=0
FILES=
DIRECTORIES=
NOTES=

report_answer() { # key, command: note its output and its exit code, to be printed at the end
    local key
    key=$1
    shift
    answer=$(GOMAXPROCS=1 GOGC=off timeout 15 "$@" 2>&1)
    answer="$answer$NL${NL}rc $?"
    report_note "$key" "$answer"
}

report_note() { # key, text of one field or several: note them verbatim, to be printed at the end
    local below field
    NOTES=$NOTES$1
    shift
    below=
    for field in "$@"; do
        case $field in
        *[!\ -~"$NL"]*) NOTES=$NOTES$TAB$(printf '%s' "$field" | protocol_base64) ;;
        *)
            NOTES=$NOTES$TAB+${#field}
            below=$below$field$NL
            ;;
        esac
    done
    NOTES=$NOTES$NL$below
}

# Note a file, unless its name has a line break: containerd and fleet do not use such names.
report_file() {
    [ -f "$1" ] || return 0
    case $1 in *"$NL"*) return 0 ;; esac
    COUNT=$((COUNT + 1))
    [ "$COUNT" -gt 3000 ] || FILES=$FILES$1$NL
}

report_saved_file() { # note a file of a generation; a limit of its own spares those of the config
    [ -f "$1" ] || return 0
    case $1 in *"$NL"*) return 0 ;; esac
    SAVED_COUNT=$((SAVED_COUNT + 1))
    [ "$SAVED_COUNT" -gt 10000 ] || FILES=$FILES$1$NL
}

report_directory() {
    [ -d "$1" ] || return 0
    case $1 in *"$NL"*) return 0 ;; esac
    DIRECTORIES=$DIRECTORIES$1$NL
}

report_stat() { stat -L -c '%a %u %g %Y %s' -- "$@" 2>/dev/null; }

report_print_files() { # print the noted files in one record: kinds, names, output of stat, contents
    local tries now kinds uptime each content said line
    tries=0
    while [ "$tries" -lt 3 ]; do
        text_split_lines
        # shellcheck disable=SC2086 # one word a line
        set -- $FILES
        text_split_words
        now=
        kinds=
        said=
        while read -r line; do
            if [ -z "$now" ]; then # the folder of a process is as old as the process
                now=${line% *}
                now=${now##* }
                continue
            fi
            [ "$#" -gt 0 ] || break
            if [ "${line##* }" -le "$LIMIT" ]; then
                set -- "$@" "$1"
                said=$said$line$NL
                if [ -L "$1" ]; then kinds=${kinds}l; else kinds=${kinds}f; fi
            fi
            shift
        done <<LIST
$(report_stat /proc/self "$@")
LIST
        read -r uptime _ </proc/uptime
        content=$(cat -- "$@" 2>/dev/null | protocol_base64)
        [ "$(report_stat "$@")$NL" = "$said" ] && break # otherwise a file changed while it was read
        FILES=$(for each in "$@"; do [ -f "$each" ] && printf '%s\n' "$each"; done)
        tries=$((tries + 1))
    done
    protocol_value now "$now"
    protocol_value uptime "$uptime"
    protocol_stop_pulse
    printf '%s\t%s\n' contents "$content"
    text_split_lines
    report_note files "$kinds" "$*$NL" "$said"
    [ "$COUNT" -le 3000 ] || report_note crowded "$COUNT"
    [ "$SAVED_COUNT" -le 10000 ] || report_note saved_crowded "$SAVED_COUNT"
    text_split_words
}
