# Replace a file and keep the replaced one beside it, so that an edit made just then is not lost.
# mv --exchange swaps both in one step. If mv or the file system does not support it, mv's backup
# moves the old file aside. In: ID, and for the current file path folder staged back aside.

stands() { [ -e "$1" ] || [ -L "$1" ]; }

plain() { [ -f "$1" ] && [ ! -L "$1" ]; }

sum_of() { # set $sum to the digest of a plain file, `@` and the target of a link, else to `-`
    sum=-
    [ ! -L "$1" ] || sum=@$(readlink -- "$1")
    plain "$1" || return 0
    sum=$(sha256sum <"$1") && sum=${sum%% *}
}

of_kind() { # true if $1 is a link, or a plain file, as the digest or target $2 says
    case $2 in
    @*) [ -L "$1" ] ;;
    *) plain "$1" ;;
    esac
}

replace() { # put $1 at $path; set $replaced to the new path of the replaced file
    replaced=$1
    if [ "${exchanges:-1}" = 1 ] && stands "$path"; then
        mv -T --exchange -- "$1" "$path" 2>/dev/null && return 0
        exchanges=0
    fi
    replaced=$aside
    mv -fT --backup=simple --suffix=".fleet-$ID" -- "$1" "$path"
}
