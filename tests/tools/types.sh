#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# mypy, strict, over everything typed. The code is seen at its import path through a link of its own, so that no file has two module names.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

place=$CACHE/types-$(printf '%s' "$ROOT" | sha256sum | cut -c1-12)
mkdir -p "$place/ansible_collections/sky"
ln -sfn "$ROOT" "$place/ansible_collections/sky/clusters"
cd "$place"
parts=()
for part in plugins tests benchmarks; do
  [ -d "$ROOT/$part" ] && parts+=("ansible_collections/sky/clusters/$part")
done
MYPYPATH=$place exec "$VENV/bin/mypy" --config-file "$ROOT/pyproject.toml" --cache-dir "$ROOT/.mypy_cache" "${parts[@]}"
