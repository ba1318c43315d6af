#!/usr/bin/env bash
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# pictures.sh [CLUSTER_FILE]: draws the pictures of the guides that show a real run: that cluster is built, and stays. It must not exist before.
set -euo pipefail
# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

file=${1:-$ROOT/inventories/local/demo.sky.yml}
exec "$VENV/bin/ansible-playbook" -i "$file" sky.clusters.spark_cluster -e "sky_timeline=$ROOT/docs/docsite/rst/images/run.svg"
