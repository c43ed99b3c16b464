#!/bin/sh
# All checks and all tests, those on real nodes included. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

need_linux
install_packages
install_if_possible chromium:chromium bash:bash zsh:zsh fish:fish man:man-db groff:groff-base
make_environment

say "format, lint, types, layers, spelling, shell"
.venv/bin/ruff format --check --quiet .
.venv/bin/ruff check --quiet .
.venv/bin/mypy
.venv/bin/lint-imports --no-cache >/dev/null || .venv/bin/lint-imports --no-cache
.venv/bin/codespell fleet tests scripts docs README.md
.venv/bin/shellcheck -x scripts/*.sh

say "the oldest dependencies that pyproject.toml allows"
test_floors

finish() {
    code=$?
    wait # for what is built, if the tests ended first: it is kept for the next time
    [ "${KEEP:-0}" = 1 ] || lab down
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

say "the releases of containerd that judge configs"
lab containerds

say "Kubernetes for the lab's cluster: built once, beside the tests"
lab kubernetes &

say "tests"
as_root env PYTHONDONTWRITEBYTECODE=1 .venv/bin/pytest "$@"
