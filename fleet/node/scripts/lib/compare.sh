# Comparison of the files of a change with what it has written. The replaced files beside them are
# compared too, since an editor may have written to one after the swap. One process for all files.
# requires: text change files
# inputs: ID
# outputs: strange
# functions: compare_files

compare_file() {
    local each folder staged back aside
    case $wrote/$path in
    -/*) ! files_exists "$path" || strange=$path ;;
    @*)
        files_sum "$path"
        [ "$sum" = "$wrote" ] || strange=$path
        ;;
    *)
        files_is_plain "$path" || strange=$path
        there=$there$path$NL
        expected="$expected$wrote  $path$NL"
        ;;
    esac
    change_siblings
    for each in "$staged" "$aside"; do
        ! files_is_plain "$each" || there=$there$each$NL
    done
}

compare_is_known() { # true if the change has read or written digest $1 for some file
    case $NL$known in *"$NL$1$NL"*) return 0 ;; esac
    return 1
}

compare_files() { # set $strange to the first file that is not as the change left it
    local wrote path before there expected known sums sum
    strange=
    there=
    expected=
    known=
    sums=
    [ -f "$KEPT/after" ] || strange=$KEPT/after
    [ -z "$strange" ] || return 1
    while IFS="$TAB" read -r wrote path; do
        known=$known$wrote$NL
        [ -n "$strange" ] || compare_file
    done <"$KEPT/after"
    [ -z "$strange" ] || return 1
    while IFS="$TAB" read -r _ _ _ _ _ before _; do known=$known$before$NL; done <"$KEPT/manifest"
    [ -z "$there" ] || sums=$(text_with_lines "$there" sha256sum --) || strange=$KEPT
    while read -r sum path && [ -n "$sum" ]; do
        case $NL$expected in
        *"$NL$sum  $path$NL"*) continue ;;
        *"  $path$NL"*) strange=$path ;;
        *) compare_is_known "$sum" || strange=${path%.fleet-"$ID"} ;;
        esac
    done <<LIST
$sums
LIST
    [ -z "$strange" ]
}
