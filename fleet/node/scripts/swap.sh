# The swap: new files are written beside the old ones, then put in their place. The replaced files
# are kept and compared with what the plan had read, to find edits made in between.

beside_operation() { # record where the new bytes go
    [ "$action" = delete ] && return 0
    target=$staged
    if [ ! -d "$folder" ] && ! is_config; then
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

relink() { # restore the old inode of a file with hard links, if its bytes are still the old ones
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

dress() { # give folder $2 the attributes of folder $1
    cp -aT -- "$1" "$2" && chmod --reference="$1" -- "$2"
}

saved_folders() { # for each missing folder above new ones lay an empty one with its saved attributes
    lines
    for line in $SAVED; do
        copy=${line%%"$TAB"*}
        path=${line#*"$TAB"}
        hidden=${path%/*}/.fleet-$ID/${path##*/}
        { [ -d "$copy" ] && [ ! -d "$path" ]; } || continue
        case $homes in *"$NL$hidden$NL"*) continue ;; esac
        (umask 022 && mkdir -p -- "${hidden%/*}") && cp -aT -- "$copy" "$hidden" || return 1
        set +f
        rm -rf -- "${hidden:?}"/* "${hidden:?}"/.[!.]*
        set -f
    done
    words
}

dress_folders() { # at the end, since what is made in a folder may inherit from it
    lines
    for line in $SAVED; do
        path=${line#*"$TAB"}
        hidden=${path%/*}/.fleet-$ID/${path##*/}
        [ ! -d "$hidden" ] || [ ! -d "$path" ] || dress "$hidden" "$path" || return 1
    done
    words
}

take_saved() { # give new files of a rollback the ACL, attributes and label of their saved copies
    lines
    for line in $SAVED; do
        copy=${line%%"$TAB"*}
        path=${line#*"$TAB"}
        folder=${path%/*}
        hidden=${folder%/*}/.fleet-$ID/${folder##*/}
        target=${path%/*}/.fleet-$ID/${path##*/}
        if [ -d "$copy" ]; then
            [ ! -d "$target" ] || [ -d "$path" ] || dress "$copy" "$target" || return 1
            continue
        fi
        target=$folder/.fleet-$ID.${path##*/}.new
        [ -d "$folder" ] || target=$hidden/${path##*/}
        stands "$copy" || continue
        cp -dp --preserve=all -- "$copy" "$target" || return 1
        [ -L "$copy" ] || copied=$copied$target$NL
    done
    words
}

lay_link() { # where no saved copy has been laid, or another one
    target=$staged
    [ -d "$folder" ] || target=$hidden/${path##*/}
    sum_of "$target"
    [ "$sum" = "$after" ] || { ln -sfnT -- "${after#@}" "$target" && chown -h "$uid:$gid" "$target"; }
}

fill_operation() {
    [ "$action" = delete ] && return 0
    case $after in
    @*)
        lay_link
        return
        ;;
    esac
    part "$1" >"${targets%%"$NL"*}" || return 1
    targets=${targets#*"$NL"}
}

lay_beside() { # write new files, unreadable to other users until all have their owner
    homes=$NL
    copied=
    targets=
    expected=
    owners=
    modes=
    operations beside_operation || return 1
    [ -z "$SAVED" ] || saved_folders || return 1
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
    complaint=$({ lay_beside && printf '' >"$PENDING/laid"; } 2>&1) && return 0
    unwritten stage 'write the new files beside the old ones' "$complaint"
}

new_folder() { # record a folder that is prepared as a whole
    [ -d "$hidden" ] && [ ! -d "$folder" ] || return 0
    case $NL$fresh in
    *"$NL${folder%/*}$TAB$hidden$NL"*) ;;
    *) fresh=$fresh${folder%/*}$TAB$hidden$NL ;;
    esac
}

put_in_place() { # a new file never replaces one that was made in the meantime
    if ! stands "$staged"; then # with its folder
        of_kind "$path" "$after"
    elif [ "$before" != - ]; then
        of_kind "$path" "$before" && replace "$staged"
    elif stands "$path"; then
        return 1
    else
        ln -T -- "$staged" "$path" || { ! stands "$path" && mv -nT -- "$staged" "$path"; }
    fi
}

sync_swapped() { # sync what is swapped so far, before anything that relies on it
    compare_asides && remove_emptied && sync_folders "$moved" || return 1
    proven=$swapped
    asides=
    expected=
    moved=
}

as_expected() { # check the replaced file: a link here, a plain file with all the others
    of_kind "$replaced" "$before" || return 1
    case $before in
    @*)
        sum_of "$replaced"
        [ "$sum" = "$before" ] && linked="$linked$before  $replaced$NL"
        ;;
    *)
        asides=$asides$replaced$NL
        expected="$expected$before  $replaced$NL"
        ;;
    esac
}

swap_operation() {
    [ "$path" != "$STATE/state.json" ] || sync_swapped || return 1
    replaced=
    case $action in
    delete) replaced=$aside && mv -T -- "$path" "$aside" ;;
    *) put_in_place ;;
    esac || return 1
    swapped=$swapped$path$NL
    [ -z "$replaced" ] || as_expected || return 1
    case $NL$moved in *"$NL$folder$NL"*) ;; *) moved=$moved$folder$NL ;; esac
}

left_operation() { # record what the swap has not reached: a revert leaves it alone
    case $NL$swapped in *"$NL$path$NL"*) return 0 ;; esac
    # A folder that is in its place is there with all of its files.
    [ "$before" = - ] && ! stands "$staged" && ! stands "$hidden/${path##*/}" && return 0
    left=$left$path$NL
}

strange_operation() { # set $strange to the file that was edited during the swap
    [ -z "$strange" ] || return 0
    case $NL$proven in *"$NL$path$NL"*) return 0 ;; esac
    case $NL$swapped in
    *"$NL$path$NL"*)
        [ "$before" != - ] || return 0
        case $sums$linked in *"$before  $staged$NL"* | *"$before  $aside$NL"*) ;; *) strange=$path ;; esac
        ;;
    *)
        [ "$before" = - ] || of_kind "$path" "$before" || strange=$path
        [ "$before" != - ] || ! stands "$path" || strange=$path
        [ ! -d "$hidden" ] || ! stands "$folder" || strange=$folder
        ;;
    esac
}

swap_files() { # new folders first, each in one rename: files refer to what is in them
    operations new_folder && each_kind "$fresh" mv -t && dress_folders && operations swap_operation && compare_asides
}

compare_asides() { # true if the replaced files are those that the plan had read
    sums=
    [ -z "$asides" ] || sums=$(every "$asides" sha256sum --)$NL
    [ "$sums" = "$expected" ]
}

swap() { # swap and compare; on failure record what is left and the edited file
    fresh=
    moved=
    swapped=
    proven=
    asides=
    expected=
    sums=
    left=
    linked=
    strange=
    swap_files && sync_folders "$moved" && return 0
    operations left_operation
    [ -z "$left" ] || printf '%s' "$left" >"$PENDING/left"
    compare_asides
    operations strange_operation
    return 1
}

remove_emptied() {
    [ -n "$EMPTIED" ] || return 0
    gone=
    lines
    for empty in $EMPTIED; do
        set +f
        for each in "$empty/"*".fleet-$ID"; do
            { [ -d "$each" ] && [ ! -L "$each" ]; } || ! stands "$each" || gone=$gone$each$NL
        done
        set -f
    done
    words
    [ -z "$gone" ] || every "$gone" rm -f --
    every "$EMPTIED" rmdir -- 2>/dev/null
    return 0
}
