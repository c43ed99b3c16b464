# shellcheck shell=sh
# Build the root filesystem of a fake node, then stay as its first process until the standard input
# ends. POSIX sh, in its own mount and PID namespaces. $1 is an empty folder, $2 the folder with the
# first files of the node, $3 the id of the user who starts it. Print the id of this process outside
# of the namespace.
set -eu
umask 022
root=$1
read -r pid _ </proc/self/stat
mount --make-rprivate /
mount -t tmpfs -o mode=755 fake-node "$root"
cp -dR --preserve=mode,timestamps "$2/." "$root/"
cd "$root"
mkdir -p usr dev proc sys run tmp root var/tmp etc old
chmod 1777 tmp var/tmp
mount --rbind /usr usr
# Root must not write to the machine's own files; an ordinary user cannot anyway.
mount -o remount,bind,ro usr 2>/dev/null || [ "$3" != 0 ]
mount --bind local usr/local
for name in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$name" ]; then
        ln -s "$(readlink "/$name")" "$name"
    elif [ -d "/$name" ]; then
        mkdir "$name"
        mount --rbind "/$name" "$name"
    fi
done
for name in alternatives ld.so.cache ld.so.conf ld.so.conf.d; do
    if [ -d "/etc/$name" ]; then
        mkdir "etc/$name"
    elif [ -e "/etc/$name" ]; then
        : >"etc/$name"
    else
        continue
    fi
    mount --bind "/etc/$name" "etc/$name"
done
for name in null zero full random urandom; do
    : >"dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount --bind .fake/boot_id proc/sys/kernel/random/boot_id
pivot_root . old
umount -l old
rmdir old
printf '%s\n' "$pid"
exec 3<&0 </dev/null >/dev/null
# A shell that waits takes the orphans' exit codes: a dead process must not look alive.
{ read -r _ <&3; } &
printf '%s\n' "$!" >/.fake/keeper
wait $!
