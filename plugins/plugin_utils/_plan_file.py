# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a run in check mode as data, and as a file for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._views._lines import Row, totals
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save

VARIABLE = "sky_plan_file"


def plan_data(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows of a plan and its totals."""
    return {"plan": [row.plain() for row in rows], "totals": totals(rows)}


def save_plan(file: str, cluster: str, rows: Sequence[Row], more: Mapping[str, Any]) -> None:
    """Write a plan as JSON; nothing if no file is asked for.

    Args:
        file: its path; ``-`` is standard output.
        cluster: name of the cluster.
        more: what else is known, under the names that M(sky.clusters.status) uses.

    Raises:
        AnsibleActionFail: the file cannot be written.
    """
    if file:
        head = {"cluster": cluster, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        save(VARIABLE, file, json.dumps(head | plan_data(rows) | dict(more), indent=2) + "\n")
