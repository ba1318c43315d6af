# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# run WORD...: this folder's program, with the Python that ./quickstart.sh --dev makes.
run() {
  local python
  python=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)/.venv/bin/python
  if ! "$python" -c 'import openstack, ansible_collections.sky' 2>/dev/null; then
    echo "the test cloud needs .venv: run ./quickstart.sh --dev first" >&2
    exit 1
  fi
  exec "$python" -m ansible_collections.sky.clusters.tests.clouds.openstack.main "$@"
}
