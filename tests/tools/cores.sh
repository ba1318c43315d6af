#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# cores.sh [--without-sanity] TESTS...: runs pytest and ansible-test sanity with the oldest ansible-core on the oldest Python that the collection
# supports, and with the newest core on the newest Python of this machine, side by side. SKY_NEWEST_PYTHON names another Python.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

OLDEST=ansible-core==2.18.19
NEWEST=ansible-core==2.21.5 # needs Python 3.12 or newer

newest_python() {
  local python version # the second number of 3.13
  for python in "$HOME"/.pyenv/versions/*/bin/python3 /usr/bin/python3.* /usr/local/bin/python3.*; do
    version=$("$python" -c 'import sys, venv, ensurepip; print(sys.version_info.minor)' 2>/dev/null) || continue
    [ "$version" -lt 12 ] || printf '%s %s\n' "$version" "$python"
  done | sort -n | tail -n 1 | cut -d' ' -f2
}

# core NAME PYTHON CORE: an environment beside what this tree has in .venv: it holds a link to the tree.
core() {
  local place=$VENV/core-$1 stamp collections
  stamp=$place/.sky-$({ "$2" --version && printf '%s\n' "$3" && cat "$ROOT/requirements-dev.txt" "$ROOT/tests/tools/requirements-cores.txt"; } | sha256sum | cut -c1-16)
  if [ ! -e "$stamp" ]; then
    rm -rf "$place"
    "$2" -m venv "$place"
    grep -E '^[a-z]' "$ROOT/requirements-dev.txt" >"$place/constraints.txt" # without ansible-core, which requirements.txt pins
    "$place/bin/pip" install --quiet --constraint "$place/constraints.txt" --requirement "$ROOT/tests/tools/requirements-cores.txt" "$3"
    collections=$("$place/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/sky
    mkdir -p "$collections"
    ln -sfn "$ROOT" "$collections/clusters"
    touch "$stamp"
  fi
}

# tested NAME TESTS...: the output is kept, since two are made at once.
tested() {
  local place=$VENV/core-$1
  # which core 2.18 needs and newer ones do not
  [ "$1" = newest ] || export ANSIBLE_JINJA2_NATIVE=true
  shift
  cd "$ROOT"
  "$place/bin/pytest" --instafail --maxfail 10 --session-timeout 960 --durations 8 "$@" >"$place/said" 2>&1
}

# sane NAME: ansible-test sanity, but for what does not depend on the core and takes long: the part `static` has it.
sane() {
  local place=$VENV/core-$1 version
  [ "$sanity" = yes ] || return 0
  version=$("$place/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  SKY_ENVIRONMENT=$place "$ROOT/tests/tools/sanity.sh" --python "$version" --skip-test pep8 --skip-test pylint >"$place/sane" 2>&1
}

sanity=yes
if [ "${1:-}" = --without-sanity ]; then
  sanity=no
  shift
fi
python=${SKY_NEWEST_PYTHON:-$(newest_python)}
if [ -z "$python" ]; then
  echo "cores.sh: no Python 3.12 or newer, which $NEWEST needs: install one, or name it in SKY_NEWEST_PYTHON" >&2
  exit 1
fi
core oldest "$(readlink -f "$VENV/bin/python")" "$OLDEST"
core newest "$python" "$NEWEST"
status=0
rm -f "$VENV"/core-*/sane # of an earlier run
{ tested oldest "$@" && sane oldest; } &
first=$!
{ tested newest "$@" && sane newest; } || status=$?
wait "$first" || status=$?
for name in oldest newest; do
  cat "$VENV/core-$name/said"
  [ ! -e "$VENV/core-$name/sane" ] || tail -n 40 "$VENV/core-$name/sane"
done
exit "$status"
