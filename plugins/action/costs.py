# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work out what a cluster has used, and what it costs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_all, open_clouds, owners
from ansible_collections.sky.clusters.plugins.module_utils._views._costs import costs
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ClusterAction
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NOTHING = "nothing of the cluster exists"


class ActionModule(ClusterAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | {"counts": {"type": "dict", "default": {}}, "file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, _own = self.cluster(args)
        clouds = open_clouds(cluster)
        now = datetime.now(UTC)
        found = costs(cluster, owners(clouds), list_all(clouds), now)
        data = {"cluster": cluster.name, "time": now.isoformat(timespec="seconds"), **found.plain()}
        if args["file"] and not self._task.check_mode:
            save("sky_costs_file", args["file"], as_text(args["file"], data))
        return dict(untemplated({"changed": False, **data, "summary": [*([] if found.items else [NOTHING]), *found.lines()]}))


def as_text(file: str, data: Mapping[str, Any]) -> str:
    """The figures as CSV if the name of the file says so, or as JSON."""
    return _as_csv(data) if file.endswith(".csv") else json.dumps(data, indent=2) + "\n"


def _as_csv(data: Mapping[str, Any]) -> str:
    rows = [{"time": data["time"], "state": state} | item for state in ("used", "planned") for item in data[state]]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
