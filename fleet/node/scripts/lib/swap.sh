# The swap: new files are put in their place. The replaced files are kept and compared with what
# the plan had read, to find edits made in between.
# requires: text paths change files operations
# inputs: EMPTIED ID SAVED
# outputs: strange
# functions: swap_all

swap_dress_folders() { # set folder attributes last, since new files may inherit a folder's ACL
    local line path hidden
    text_split_lines
    for line in $SAVED; do
        path=${line#*"$TAB"}
        hidden=${path%/*}/.fleet-$ID/${path##*/}
        [ -d "$path" ] && [ ! -L "$path" ] || continue
        [ ! -d "$hidden" ] || files_dress_folder "$hidden" "$path" || return 1
        [ ! -d "$hidden~" ] || files_dress_folder "$hidden~" "$path" || return 1
    done
    text_split_words
}

swap_list_new_folder() { # record a folder that is prepared as a whole
    [ -d "$hidden" ] && [ ! -d "$folder" ] || return 0
    case $NL$fresh in
    *"$NL${folder%/*}$TAB$hidden$NL"*) ;;
    *) fresh=$fresh${folder%/*}$TAB$hidden$NL ;;
    esac
}

swap_put_in_place() { # a new file never replaces one that was made in the meantime
    if ! files_exists "$staged"; then # it was moved together with its folder
        ! files_exists "$hidden/${path##*/}" && files_has_kind "$path" "$after"
    elif [ "$before" != - ]; then
        files_has_kind "$path" "$before" && files_replace "$staged"
    elif files_exists "$path"; then
        return 1
    else
        ln -T -- "$staged" "$path" || { ! files_exists "$path" && mv -nT -- "$staged" "$path"; }
    fi
}

swap_sync() { # sync what is swapped so far, before anything that relies on it
    swap_compare_replaced && swap_remove_emptied && files_sync_folders "$moved" || return 1
    proven=$swapped
    asides=
    expected=
    moved=
}

swap_check_replaced() { # check the replaced file: a link here, a plain file with all the others
    files_has_kind "$replaced" "$before" || return 1
    case $before in
    @*)
        files_sum "$replaced"
        [ "$sum" = "$before" ] && linked="$linked$before  $replaced$NL"
        ;;
    *)
        asides=$asides$replaced$NL
        expected="$expected$before  $replaced$NL"
        ;;
    esac
}

swap_operation() {
    local replaced
    [ "$path" != "$STATE/state.json" ] || swap_sync || return 1
    replaced=
    case $action in
    delete) replaced=$aside && mv -T -- "$path" "$aside" ;;
    *) swap_put_in_place ;;
    esac || return 1
    swapped=$swapped$path$NL
    [ -z "$replaced" ] || swap_check_replaced || return 1
    case $NL$moved in *"$NL$folder$NL"*) ;; *) moved=$moved$folder$NL ;; esac
}

swap_list_left() { # record what the swap has not reached: a revert leaves it alone
    case $NL$swapped in *"$NL$path$NL"*) return 0 ;; esac
    # A new folder is moved to its place together with all of its files.
    [ "$before" = - ] && ! files_exists "$staged" && ! files_exists "$hidden/${path##*/}" && return 0
    left=$left$path$NL
}

swap_find_edited() { # set $strange to the file that was edited during the swap
    [ -z "$strange" ] || return 0
    case $NL$proven in *"$NL$path$NL"*) return 0 ;; esac
    case $NL$swapped in
    *"$NL$path$NL"*)
        [ "$before" != - ] || return 0
        case $sums$linked in *"$before  $staged$NL"* | *"$before  $aside$NL"*) ;; *) strange=$path ;; esac
        ;;
    *)
        [ "$before" = - ] || files_has_kind "$path" "$before" || strange=$path
        [ "$before" != - ] || ! files_exists "$path" || strange=$path
        [ ! -d "$hidden" ] || ! files_exists "$folder" || strange=$folder
        ;;
    esac
}

swap_files() { # new folders first, each in one rename: files refer to what is in them
    operations_each swap_list_new_folder && text_with_lines_by_kind "$fresh" mv -t && swap_dress_folders && operations_each swap_operation && swap_compare_replaced
}

swap_compare_replaced() { # true if the replaced files are those that the plan had read
    sums=
    [ -z "$asides" ] || sums=$(text_with_lines "$asides" sha256sum --)$NL
    [ "$sums" = "$expected" ]
}

swap_all() { # swap and compare; on failure record what is left and the edited file
    local fresh moved swapped proven asides expected sums left linked
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
    swap_files && files_sync_folders "$moved" && return 0
    operations_each swap_list_left
    [ -z "$left" ] || printf '%s' "$left" >"$PENDING/left"
    swap_compare_replaced
    operations_each swap_find_edited
    return 1
}

swap_remove_emptied() {
    local gone empty each
    [ -n "$EMPTIED" ] || return 0
    gone=
    text_split_lines
    for empty in $EMPTIED; do
        set +f
        for each in "$empty/"*".fleet-$ID"; do
            { [ -d "$each" ] && [ ! -L "$each" ]; } || ! files_exists "$each" || gone=$gone$each$NL
        done
        set -f
    done
    text_split_words
    [ -z "$gone" ] || text_with_lines "$gone" rm -f --
    text_with_lines "$EMPTIED" rmdir -- 2>/dev/null
    return 0
}
