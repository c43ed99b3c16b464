# What a careful person would have a node do, in as few processes as that takes.
# node.sh MODE DIR; DIR holds certs.d and becomes the place of the new config.toml.
set -eu
mode=$1 new=$2
live=/etc/containerd
cp "$live/config.toml" "$new/config.toml"
while read -r line; do
    case $line in config_path*) present=1 ;; esac
done <"$live/config.toml"
[ -n "${present-}" ] || cat "$new/registry.toml" >>"$new/config.toml"

if [ "$mode" = diff ]; then
    diff -urN "$live/certs.d" "$new/certs.d" || true
    diff -u "$live/config.toml" "$new/config.toml" || true
    rm -r "$new"
    exit 0
fi

hosts=0 config=0
diff -rq "$new/certs.d" "$live/certs.d" >/dev/null 2>&1 || hosts=1
cmp -s "$new/config.toml" "$live/config.toml" || config=1
if [ "$hosts$config" != 00 ]; then
    backup=$live/backup-$(date +%s)
    mkdir "$backup"
    cp -a "$live/config.toml" "$backup"
    [ ! -e "$live/certs.d" ] || cp -a "$live/certs.d" "$backup"
fi
if [ "$hosts" = 1 ]; then
    mkdir -p "$live/certs.d"
    cp -R "$new/certs.d/." "$live/certs.d"
fi
if [ "$config" = 1 ]; then
    cp "$new/config.toml" "$live/.config.toml"
    mv "$live/.config.toml" "$live/config.toml"
    systemctl restart containerd
fi
until ctr plugins ls id==cri 2>/dev/null | grep -q '^io.containerd.grpc.v1 .* ok'; do sleep 0.05; done
if [ "$hosts$config" != 00 ]; then
    ctr -n k8s.io images pull --hosts-dir "$live/certs.d" "$(cat "$new/image")" >/dev/null
fi
rm -r "$new"
