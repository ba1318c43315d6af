# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Shared by test.sh and the checks beside this file: where things are, and copies of the tree.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
VENV=$ROOT/.venv
# What costs time to make and may be kept: environments and copies, each named by what it was made from.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sky-clusters/ci
mkdir -p "$CACHE"

# tracked_files PATTERN...: the files that are, or are about to be, in the repository, NUL-separated.
tracked_files() {
  git -C "$ROOT" ls-files --cached --others --exclude-standard --deduplicate -z -- "$@" |
    while IFS= read -r -d '' file; do
      if [ -e "$ROOT/$file" ] || [ -L "$ROOT/$file" ]; then
        printf '%s\0' "$file"
      fi
    done
}

# copy_collection FOLDER: the tree at a real path .../ansible_collections/sky/clusters, which ansible-test and Galaxy want and a link does not give.
copy_collection() {
  local place=$1/ansible_collections/sky/clusters
  rm -rf "$1/ansible_collections"
  mkdir -p "$place"
  tracked_files . | tar -C "$ROOT" --null --files-from=- -cf - | tar -C "$place" -xf -
  printf '%s\n' "$place"
}

# environment NAME REQUIREMENTS: a Python environment made once for each state of a requirements file; prints where it is.
environment() {
  local name=$1 requirements=$2 place
  place=$CACHE/$name-$({ "$VENV/bin/python" --version && cat "$requirements"; } | sha256sum | cut -c1-12)
  if [ ! -e "$place/complete" ]; then
    rm -rf "$CACHE/$name"-*
    "$VENV/bin/python" -m venv "$place"
    "$place/bin/pip" install --quiet --requirement "$requirements"
    touch "$place/complete"
  fi
  printf '%s\n' "$place"
}
