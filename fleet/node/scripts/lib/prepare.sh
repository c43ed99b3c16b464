# New files, written beside the old ones before any of them is replaced.
# requires: text paths change files bundle operations storage
# inputs: ID LINKS SAVED
# functions: prepare_files

prepare_list_operation() { # record where the new bytes go
    local target
    [ "$action" = delete ] && return 0
    target=$staged
    if [ ! -d "$folder" ] && ! operations_is_config; then
        case $homes in *"$NL$hidden$NL"*) ;; *) homes=$homes$hidden$NL ;; esac
        target=$hidden/${path##*/}
    elif [ ! -d "$folder" ]; then
        homes=$homes$folder$NL
    fi
    case $after in @*) return 0 ;; esac
    if [ -f "$path" ]; then
        cp -p --preserve=all -- "$path" "$target" || return 1
        copied=$copied$target$NL
    fi
    targets=$targets$target$NL
    expected="$expected$after  $target$NL"
    owners=$owners$uid:$gid$TAB$target$NL
    [ "$mode" = 600 ] || modes=$modes$mode$TAB$target$NL
}

# Restore the old inode of a file with hard links, if its bytes are still the old ones.
prepare_links() {
    local target copy folder line path
    text_split_lines
    for line in $LINKS; do
        path=${line#*"$TAB"}
        folder=${path%/*}
        target=$folder/.fleet-$ID.${path##*/}.new
        [ -d "$folder" ] || target=${folder%/*}/.fleet-$ID/${folder##*/}/${path##*/}
        copy=${line%%"$TAB"*}
        [ "$(files_digest "$copy")" != "$(files_digest "$target")" ] || ln -f -- "$copy" "$target" 2>/dev/null
    done
    text_split_words
}

# Find the saved attributes of folders that an earlier change removed and this one makes again.
prepare_find_removed() {
    local missing each copy
    [ "$action" != delete ] || return 0
    missing=$folder
    until [ -z "$missing" ] || [ -d "$missing" ]; do
        copy=
        for each in "$STATE"/generations/*/folders"$missing"; do copy=$each; done # the newest one
        case $NL$SAVED in
        *"$TAB$missing$NL"*) ;;
        *) [ ! -d "$copy" ] || SAVED=$SAVED$copy$TAB$missing$NL ;;
        esac
        missing=${missing%/*}
    done
}

# Prepare an empty folder with its saved attributes for each folder above new files. If the folder
# is there or is prepared already, this one has another name, and only its attributes are used.
prepare_saved_folders() {
    local copy line path hidden
    text_split_lines
    for line in $SAVED; do
        copy=${line%%"$TAB"*}
        path=${line#*"$TAB"}
        hidden=${path%/*}/.fleet-$ID/${path##*/}
        [ -d "$copy" ] && [ ! -L "$path" ] || continue
        case $homes in *"$NL$hidden$NL"*) hidden=$hidden~ ;; *) [ ! -d "$path" ] || hidden=$hidden~ ;; esac
        (umask 022 && mkdir -p -- "${hidden%/*}") && files_copy_folder "$copy" "$hidden" || return 1
    done
    text_split_words
}

# Give new files of a rollback the ACL, attributes and label of their saved copies.
prepare_saved_files() {
    local copy target folder line path hidden
    text_split_lines
    for line in $SAVED; do
        copy=${line%%"$TAB"*}
        path=${line#*"$TAB"}
        folder=${path%/*}
        hidden=${folder%/*}/.fleet-$ID/${folder##*/}
        target=${path%/*}/.fleet-$ID/${path##*/}
        if [ -d "$copy" ]; then
            [ ! -d "$target~" ] || [ -d "$path" ] || files_dress_folder "$target~" "$target" || return 1
            continue
        fi
        target=$folder/.fleet-$ID.${path##*/}.new
        [ -d "$folder" ] || target=$hidden/${path##*/}
        files_exists "$copy" || continue
        cp -dp --preserve=all -- "$copy" "$target" || return 1
        [ -L "$copy" ] || copied=$copied$target$NL
    done
    text_split_words
}

prepare_link() { # make the new link, unless a saved copy of it is in place already
    local target
    target=$staged
    [ -d "$folder" ] || target=$hidden/${path##*/}
    files_sum "$target"
    [ "$sum" = "$after" ] || { ln -sfnT -- "${after#@}" "$target" && chown -h "$uid:$gid" "$target"; }
}

prepare_fill_operation() {
    [ "$action" = delete ] && return 0
    case $after in
    @*)
        prepare_link
        return
        ;;
    esac
    bundle_part "$1" >"${targets%%"$NL"*}" || return 1
    targets=${targets#*"$NL"}
}

prepare_write() { # write new files, unreadable to other users until all have their owner
    local laid homes copied targets expected owners modes
    homes=$NL
    copied=
    targets=
    expected=
    owners=
    modes=
    operations_each prepare_list_operation || return 1
    [ -z "$SAVED" ] || prepare_saved_folders || return 1
    [ "$homes" = "$NL" ] || (umask 022 && text_with_lines "$homes" mkdir -p --) || return 1
    [ -z "$SAVED" ] || prepare_saved_files || return 1
    [ -z "$copied" ] || text_with_lines "$copied" chmod 600 -- || return 1
    laid=$targets
    bundle_split operations_each prepare_fill_operation || return 1
    [ -n "$laid" ] || return 0
    [ "$(text_with_lines "$laid" sha256sum --)$NL" = "$expected" ] && text_with_lines_by_kind "$owners" chown &&
        text_with_lines_by_kind "$modes" chmod && text_with_lines "$laid" sync && prepare_links
}

prepare_files() {
    local complaint
    [ -n "$SAVED" ] || operations_each prepare_find_removed
    complaint=$({ prepare_write && printf '' >"$PENDING/laid"; } 2>&1) && return 0
    storage_fail stage 'write the new files beside the old ones' "$complaint"
}
