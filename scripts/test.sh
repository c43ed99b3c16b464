#!/bin/sh
# All checks and all tests, those on real nodes included. With arguments, which go to pytest, the
# tests run one after the other; without any, two files at a time, each beside a lab of its own.
# `--quick` first: the checks, and the tests that need neither root nor nodes, on all cores.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

checks() {
    say "format, lint, types, layers, spelling, shell"
    .venv/bin/ruff format --check --quiet .
    .venv/bin/ruff check --quiet .
    .venv/bin/mypy
    .venv/bin/lint-imports --no-cache >/dev/null || .venv/bin/lint-imports --no-cache
    .venv/bin/codespell fleet tests scripts docs ./*.md
    .venv/bin/shellcheck -x scripts/*.sh tests/support/fake_node/*.sh
}

if [ "${1:-}" = --quick ]; then
    shift
    require_python
    make_environment
    checks
    say "tests that need neither root nor nodes"
    exec .venv/bin/pytest -m "not node and not e2e and not root" -n auto --dist loadfile "$@"
fi

need_linux
install_packages
install_if_possible chromium:chromium bash:bash zsh:zsh fish:fish man:man-db groff:groff-base
make_environment
checks

say "the oldest dependencies that pyproject.toml allows"
test_floors

# The bytecode of some thousand calls of fleet lies outside of this folder: root would own it.
bytecode=$(mktemp -d)
tests() { as_root env PYTHONPYCACHEPREFIX="$bytecode" .venv/bin/pytest "$@"; }

second_lab() { # the one of the second worker of pytest-xdist
    (export FLEET_LAB_NUMBER=$((${FLEET_LAB_NUMBER:-0} + 100)) && lab "$@")
}

finish() {
    code=$?
    wait # for what is built, if the tests ended first: it is kept for the next time
    as_root rm -rf -- "$bytecode"
    second_lab down
    [ "${KEEP:-0}" = 1 ] || lab down
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

say "the releases of containerd that judge configs"
lab containerds

say "Kubernetes for the lab's cluster: built once, beside the tests"
lab kubernetes &

if [ $# -gt 0 ]; then
    say "tests"
    tests "$@"
else
    code=0
    say "tests, two files at a time"
    tests -m "not alone" -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 ||
        code=$?
    second_lab down
    say "tests that need the machine for themselves"
    tests -m alone || code=$?
    [ "$code" = 0 ]
fi
