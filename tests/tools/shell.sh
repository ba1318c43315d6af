#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ShellCheck over every shell script of the repository.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"
tracked_files '*.sh' .ci/run tests/clouds/openstack/{up,down,build} tests/clouds/{ceph,stratuslab}/{up,down} | xargs -0 shellcheck --external-sources
