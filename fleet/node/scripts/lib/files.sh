# Files: their kinds, their digests, and the replacement of one by another. The replaced file stays
# beside the new one, so that a concurrent edit is not lost. mv --exchange swaps both at once. If
# mv or the file system does not support it, mv's backup moves the old file aside.
# requires: text
# inputs: ID aside path
# outputs: line replaced sum
# functions: files_exists files_is_plain files_digest files_sum files_has_kind files_replace
# functions: files_first_line files_read_line files_make_directory files_sync_folders
# functions: files_copy_folder files_dress_folder

files_exists() { [ -e "$1" ] || [ -L "$1" ]; }

files_is_plain() { [ -f "$1" ] && [ ! -L "$1" ]; }

files_digest() {
    local sum
    if [ -f "$1" ]; then
        sum=$(sha256sum <"$1")
        printf '%s' "${sum%% *}"
    else
        printf '%s' -
    fi
}

files_sum() { # set $sum to the digest of a plain file, `@` and the target of a link, else to `-`
    sum=-
    [ ! -L "$1" ] || sum=@$(readlink -- "$1")
    files_is_plain "$1" || return 0
    sum=$(sha256sum <"$1") && sum=${sum%% *}
}

files_has_kind() { # true if $1 is a link, or a plain file, as the digest or target $2 says
    case $2 in
    @*) [ -L "$1" ] ;;
    *) files_is_plain "$1" ;;
    esac
}

files_replace() { # put $1 at $path; set $replaced to the new path of the replaced file
    replaced=$1
    if [ "${exchanges:-1}" = 1 ] && files_exists "$path"; then
        mv -T --exchange -- "$1" "$path" 2>/dev/null && return 0
        exchanges=0
    fi
    replaced=$aside
    mv -fT --backup=simple --suffix=".fleet-$ID" -- "$1" "$path"
}

files_first_line() { # print the first line of one of fleet's small files, or nothing
    local line
    [ -f "$1" ] || return 0
    IFS= read -r line <"$1"
    printf '%s' "$line"
}

files_read_line() { # set $line to the first line of one of fleet's small files, without a process
    line=
    [ ! -f "$1" ] || IFS= read -r line <"$1"
}

files_make_directory() { (umask 022 && mkdir -p -- "$1"); }

files_sync_folders() { # sync the listed folders that exist and their parents, each once
    local place above each there
    there=
    text_split_lines
    for place in $1; do
        above=${place%/*}
        until [ -z "$above" ] || [ -d "$above" ]; do above=${above%/*}; done
        for each in "$place" "$above"; do
            [ -d "$each" ] || continue
            case $NL$there in *"$NL$each$NL"*) ;; *) there=$there$each$NL ;; esac
        done
    done
    text_split_words
    [ -z "$there" ] || text_with_lines "$there" sync
}

files_copy_folder() { # copy folder $1 to $2 without its content
    mkdir -p -- "$2" && files_dress_folder "$1" "$2" && find "$2" -mindepth 1 -delete
}

# Give folder $2 the owner, ACL, label and attributes of folder $1, and empty copies of what is in it.
# The first cp takes away an ACL that $1 does not have, chmod a setgid bit: $2 may have inherited both.
files_dress_folder() {
    cp -rT --attributes-only --no-preserve=mode -- "$1" "$2" &&
        cp -aT --attributes-only -- "$1" "$2" && chmod --reference="$1" -- "$2"
}
