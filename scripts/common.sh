# shellcheck shell=sh
# What both scripts need: root for the lab, the system's packages, and a Python environment.
# Sourced by demo.sh and test.sh from the project's root.

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -E "$@"; fi
}

need_linux() {
    if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then
        echo "This needs a Debian or Ubuntu machine: it boots real nodes with systemd-nspawn." >&2
        exit 2
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "This needs root: run it as root, or install sudo." >&2
        exit 2
    fi
}

# command:package pairs that the lab calls
install_packages() {
    missing=
    for pair in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 \
        ssh-keygen:openssh-client openssl:openssl docker-registry:docker-registry \
        nsenter:util-linux go:golang-go git:git; do
        command -v "${pair%%:*}" >/dev/null || [ -x "/usr/sbin/${pair%%:*}" ] ||
            missing="$missing ${pair##*:}"
    done
    find_python || missing="$missing python3 python3-venv"
    [ -z "$missing" ] || {
        say "installing:$missing"
        as_root apt-get update -qq
        # shellcheck disable=SC2086 # a list of packages
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            $missing >/dev/null
        # The package starts a registry of its own, which nobody asked for.
        if [ -d /run/systemd/system ]; then
            as_root systemctl disable --now docker-registry 2>/dev/null || true
        fi
    }
    require_python
}

require_python() {
    find_python || {
        echo "fleet needs Python 3.11 or newer with venv (python3-venv on Debian and Ubuntu)." >&2
        exit 2
    }
}

find_python() { # the newest Python that can make an environment
    for python in python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$python" >/dev/null && "$python" -c \
            'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

install_if_possible() { # what single tests need; without it they are skipped, and say so
    missing=
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
    done
    [ -z "$missing" ] && return 0
    say "installing, if they can be had:$missing"
    as_root apt-get update -qq || true
    for package in $missing; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "$package" >/dev/null 2>&1 || echo "no $package here"
    done
}

make_environment() { # dev: with the tools that the tests need
    stamp=.venv/.made-$(cat pyproject.toml scripts/common.sh | sha256sum | cut -c1-16)
    [ -f "$stamp" ] && return 0
    say "making .venv with $($python --version)"
    [ -x .venv/bin/pip ] || "$python" -m venv .venv
    .venv/bin/pip install -q --disable-pip-version-check -U 'pip>=25.1'
    .venv/bin/pip install -q --disable-pip-version-check -e . --group dev
    touch "$stamp"
}

test_floors() { # the unit tests with the oldest releases of our dependencies that we allow
    floors=$(mktemp -d)
    .venv/bin/uv venv -q --python .venv/bin/python "$floors/venv"
    VIRTUAL_ENV=$floors/venv .venv/bin/uv pip install -q --resolution lowest-direct -e '.[kubernetes]'
    VIRTUAL_ENV=$floors/venv .venv/bin/uv pip install -q \
        pytest pytest-timeout pytest-xdist hypothesis jsonschema
    code=0
    # An old Paramiko makes the newest cryptography warn.
    PYTHONDONTWRITEBYTECODE=1 "$floors/venv/bin/python" -m pytest -q -n 2 -m "not node and not e2e" \
        -W ignore::UserWarning tests/core tests/engine tests/config tests/ssh tests/actions tests/cli \
        tests/kubernetes tests/test_views.py tests/test_help.py tests/journal --ignore=tests/config/test_sources.py \
        --ignore=tests/engine/workers/test_dask.py || code=$?
    rm -rf -- "$floors"
    return "$code"
}

lab() { as_root env PYTHONDONTWRITEBYTECODE=1 "$python" -m tests.lab "$@"; }
