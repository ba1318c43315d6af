#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Proves the project: `./test.sh --help` says how. What is done is in tests/proof, which needs Python 3.11 and nothing else.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")"

# Without site-packages and PYTHON* variables, and without compiled files in the tree.
prove_with() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 0
  exec "$1" -ESB -m tests.proof "${@:2}"
}

for python in "${SKY_PYTHON:-/usr/bin/python3}" python3 .venv/bin/python; do
  prove_with "$python" "$@"
done
./quickstart.sh --dev # a machine without Python
prove_with .venv/bin/python "$@"
