# Replace a file so that what it replaces stays beside it: an edit of that very moment is not lost.
# mv --exchange swaps both in one step; where mv or the file system has none, mv's own backup moves
# the old one aside. In: ID, and of the file at hand path folder staged back aside.

stands() { [ -e "$1" ] || [ -L "$1" ]; }

plain() { [ -f "$1" ] && [ ! -L "$1" ]; }

sum_of() { # note the digest of a plain file in $sum; `-` for everything else
    sum=-
    plain "$1" || return 0
    sum=$(sha256sum <"$1") && sum=${sum%% *}
}

replace() { # put $1 at $path; where the replaced file is then is noted in $replaced
    replaced=$1
    if [ "${exchanges:-1}" = 1 ] && stands "$path"; then
        mv -T --exchange -- "$1" "$path" 2>/dev/null && return 0
        exchanges=0
    fi
    replaced=$aside
    mv -fT --backup=simple --suffix=".fleet-$ID" -- "$1" "$path"
}
