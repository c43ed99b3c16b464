#!/bin/sh
# Boot four real nodes and run fleet's main job in front of you: probe, diff, rollout, verify,
# undo. Takes the nodes away again unless KEEP=1.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

need_linux
install_packages
make_environment

folder=$(mktemp -d)
finish() {
    code=$?
    rm -rf -- "$folder"
    [ "${KEEP:-0}" = 1 ] || lab down
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

fleet() {
    say "fleet $*"
    as_root env FLEET_SSH_CONFIG=/var/lib/fleet-lab/ssh_config .venv/bin/fleet "$@"
}

say "booting four nodes: containerd 1.4, 1.6, 1.7 and 2.1"
lab up 4
fleet check
fleet probe
fleet diff
fleet rollout --yes --batch 1,3 --stat --journal "$folder/journal.db"
fleet verify
say "the same again: nothing to do"
fleet rollout --yes --journal "$folder/journal.db"
fleet undo --yes --batch 1,3 --journal "$folder/journal.db"
fleet history --journal "$folder/journal.db"
say "done: four real nodes were brought to mirrors.yaml and back"
