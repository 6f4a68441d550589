#!/bin/sh
# Install cw from this checkout, into a private environment of its own.
#
#   ./install.sh [--prefix DIR]      install, or upgrade what is there; DIR is ~/.local unless given
#   ./install.sh --uninstall [--prefix DIR]
#
# Installs DIR/lib/codewire-py (the environment) and DIR/bin/cw (a link into it). Run again, it upgrades in
# place: sessions and a running daemon go on. PYTHON=/path/to/python chooses the interpreter (3.11 or newer).

set -eu

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

read_arguments() {
  prefix=""
  task=install
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix) [ $# -gt 1 ] || fail "--prefix needs a directory"; prefix=$2; shift ;;
      --prefix=*) prefix=${1#--prefix=} ;;
      --uninstall) task=uninstall ;;
      -h | --help) usage; exit 0 ;;
      *) printf 'install.sh: unknown argument %s (see --help)\n' "$1" >&2; exit 2 ;;
    esac
    shift
  done
  [ -n "$prefix" ] || [ -n "${HOME-}" ] || fail "HOME is not set: say where to install with --prefix DIR"
  [ -n "$prefix" ] || prefix=$HOME/.local
  case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
  prefix=${prefix%/}
  environment=$prefix/lib/codewire-py
  link=$prefix/bin/cw
  # Written into the environment when it is made: says that it is ours, and lists the folders made for it.
  mark=$environment/made-by-install.sh
}

exists() { [ -e "$1" ] || [ -L "$1" ]; }
is_our_link() { [ -L "$link" ] && [ "$(readlink "$link")" = "$environment/bin/cw" ]; }

refuse_foreign_files() {
  if exists "$environment" && [ ! -f "$mark" ]; then
    fail "$environment is there and was not made by this script: move it away, or use another --prefix"
  fi
  if exists "$link" && ! is_our_link; then
    fail "$link is there and is not ours: move it away, or use another --prefix"
  fi
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if is_new_enough "$candidate"; then command -v "$candidate"; return; fi
  done
  found=$(${PYTHON:-python3} --version 2>&1) || found="no Python"
  fail "cw needs Python 3.11 or newer and found $found: install one, or name it with PYTHON=/path/to/python"
}

# Make a folder and print each one that had to be made.
make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder "$(dirname "$1")"
  mkdir "$1" || fail "cannot make $1: use another --prefix"
  say "$1"
}

make_environment() {
  python=$(find_python)
  # What was left half-made, or lost its Python, cannot be mended; the folders made for it are remembered.
  folders_before=$(cat "$mark" 2>/dev/null || true)
  rm -rf "$environment"
  folders=$(make_folder "$prefix/lib"; make_folder "$prefix/bin")
  mkdir "$environment" || fail "cannot write to $prefix/lib: use another --prefix"
  printf '%s\n%s\n' "$folders_before" "$folders" >"$mark"
  if command -v uv >/dev/null; then
    uv venv --quiet --allow-existing --python "$python" "$environment" || fail "uv could not make $environment"
  else
    "$python" -m venv "$environment" ||
      fail "$python cannot make an environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)"
  fi
}

install_package() {
  offline="could not install what cw needs (the lines above say why; is the network there?); run this again"
  if command -v uv >/dev/null; then
    uv pip install --quiet --python "$environment/bin/python" --upgrade --reinstall-package codewire-py "$source" ||
      fail "$offline"
  else
    # First pip itself: the launchers written by an old one start several milliseconds slower.
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip || fail "$offline"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "$source" ||
      fail "$offline"
    # Python 3.11 puts setuptools into every environment; its .pth file makes every start slower.
    "$environment/bin/python" -m pip uninstall --quiet --yes setuptools 2>/dev/null || true
  fi
  # Without bytecode every start is several times slower, and the prefix may not be writable later. Some
  # packages carry files that are not meant to compile.
  "$environment/bin/python" -m compileall -q "$environment/lib" >/dev/null || true
}

link_command() {
  make_folder "$prefix/bin" >>"$mark"
  ln -s "$environment/bin/cw" "$link.$$"
  mv -f "$link.$$" "$link"
}

# Whether the daemon of this home was started from the environment. 2: it lives, but nothing says what it is.
daemon_runs() {
  pid=$(cat "${CODEWIRE_HOME:-${HOME-}/.codewire}/daemon.pid" 2>/dev/null) || return 1
  # Small systems have no ps, others no /proc.
  words=$(exec 2>/dev/null; tr '\0' '\n' <"/proc/$pid/cmdline") || words=$(ps -p "$pid" -o args= 2>/dev/null) || {
    kill -0 "$pid" 2>/dev/null || return 1
    return 2
  }
  printf '%s\n' "$words" | grep -qF "$environment/"
}

install() {
  source=$(cd "$(dirname "$0")" && pwd)
  [ -f "$source/pyproject.toml" ] || fail "this script installs the checkout it lies in, and $source is none"
  refuse_foreign_files
  [ -x "$environment/bin/cw" ] && is_new_enough "$environment/bin/python" || make_environment
  install_package
  version=$("$environment/bin/cw" --version) || fail "cw is installed in $environment but does not run"
  link_command
  say "$version is installed: $link"
  case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *) say "$prefix/bin is not in PATH; to add it: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  ! daemon_runs || say "A daemon is running the version it was started with; to replace it: cw restart"
}

uninstall() {
  exists "$environment" || exists "$link" || { say "nothing is installed under $prefix"; exit 0; }
  refuse_foreign_files
  runs=0
  daemon_runs || runs=$?
  [ "$runs" != 0 ] || fail "the daemon is running: end it first with cw stop (sessions go on) or cw stop --kill"
  [ "$runs" != 2 ] || fail "process $pid may be the daemon (nothing here can tell): end it first with cw stop"
  rm -f "$link"
  folders=$(sort -r "$mark" 2>/dev/null || true)
  rm -rf "$environment"
  printf '%s\n' "$folders" | while IFS= read -r folder; do
    [ -z "$folder" ] || rmdir "$folder" 2>/dev/null || true
  done
  say "cw is uninstalled from $prefix; sessions and settings stay in ${CODEWIRE_HOME:-${HOME-}/.codewire}"
}

# The environment of the caller must not lead pip or Python elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
read_arguments "$@"
"$task"
