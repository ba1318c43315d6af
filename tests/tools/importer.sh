#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What Galaxy checks at upload, on the artifact that would be uploaded.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

importer=$(environment importer "$ROOT/tests/tools/requirements-importer.txt")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

place=$(copy_collection "$work")
"$VENV/bin/ansible-galaxy" collection build --output-path "$work" "$place" >/dev/null

cat >"$work/importer.cfg" <<'CFG'
[galaxy-importer]
check_required_tags = true
check_runtime_yaml = true
check_changelog = true
run_ansible_doc = true
run_ansible_lint = false
run_ansible_test = false
run_flake8 = false
CFG
cd "$work"
export GALAXY_IMPORTER_CONFIG=$work/importer.cfg ANSIBLE_HOME=$work/ansible
if ! PATH=$importer/bin:$PATH "$importer/bin/python" -m galaxy_importer.main "$work"/sky-clusters-*.tar.gz >"$work/log" 2>&1; then
  cat "$work/log"
  exit 1
fi
# The importer exits with 0 after warnings; none is left to stand.
if grep -E '^(WARNING|ERROR)' "$work/log"; then
  exit 1
fi
echo "galaxy-importer: no error, no warning"
