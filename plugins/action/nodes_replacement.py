# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the nodes that a run replaces."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CHOICE_SPEC, CLUSTER_SPEC, REQUEST_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.plugin_utils._run_actions import RunAction


class ActionModule(RunAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | REQUEST_SPEC | CHOICE_SPEC

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, own = self.cluster(args)
        with self.open_run(cluster, args) as run:
            outcome = run.replacements(Wishes.of(args, authorised_keys(cluster.settings, own)))
        return {"changed": False, "leaving": outcome.leaving}
