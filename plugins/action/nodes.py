# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, replace and start the nodes of a cluster."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CHOICE_SPEC, CLUSTER_SPEC, REQUEST_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import changes
from ansible_collections.sky.clusters.plugins.module_utils._views._costs import estimate
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts_to_be
from ansible_collections.sky.clusters.plugins.module_utils._views._lines import unchanged
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import failure_lines, failures
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import published
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_diff import differing, others
from ansible_collections.sky.clusters.plugins.plugin_utils._run_actions import LOCK_SPEC, RunAction, kept_volume_lines, kept_volumes, warn
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(RunAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = (
        CLUSTER_SPEC
        | REQUEST_SPEC
        | CHOICE_SPEC
        | LOCK_SPEC
        | {
            "replaced": {"type": "list", "elements": "str", "default": []},
            "strict": {"type": "bool", "default": False},
        }
    )

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        cluster, own = self.cluster(args)
        hostvars = self.variables["hostvars"]
        with self.open_run(cluster, args) as run:
            keys = authorised_keys(cluster.settings, own)
            outcome = run.present(Wishes.of(args, keys))
            warn(outcome, self.progress)
            result = self.result(outcome) | untemplated(_of_nodes(outcome, args["strict"], bool(self._task.check_mode)))
        result["estimate"] = estimate(cluster) if self._task.check_mode else []
        result["new_hosts"] = _new_hosts(outcome, cluster, hostvars)
        result["planned"] = untemplated(hosts_to_be(outcome.coming, cluster))
        result["gone"] = others({*outcome.members, *outcome.leaving}, hostvars)
        result |= {"ssh_keys": list(keys), "seconds": round(time.monotonic() - began, 1)}
        reached = {"cluster": cluster.name, "ready": False, "nodes": len(outcome.members)}  # until the report
        return dict(result) if self._task.check_mode else dict(result) | published(reached)


def _of_nodes(outcome: Outcome, strict: bool, check: bool) -> dict[str, Any]:
    failed = failures(outcome.result.failed)
    explained = failure_lines(outcome.result.failed)
    differing = sorted({drift.name for drift in outcome.plan.drift})
    return {
        "members": sorted(outcome.staying if check else outcome.members),
        "leaving": outcome.leaving,
        "failed_nodes": failed,
        "failed_names": sorted({result.name for result in outcome.result.failed}),
        "failure_lines": explained,
        "strict_failure": bool(failed) and strict,
        "drift": [str(drift) for drift in outcome.plan.drift],
        "differing": differing,
        "notes": list(outcome.plan.notes),
        "kept_volumes": kept_volumes(outcome),
        "summary": (list(map(str, changes(outcome.plan))) or [unchanged(differing)]) + kept_volume_lines(outcome) + explained,
    }


def _new_hosts(outcome: Outcome, cluster: Cluster, hostvars: Any) -> list[dict[str, Any]]:
    """Members and leaving nodes that the running inventory does not have, or has as they were before this run.

    A leaving node may be new too: another run has created it since this one listed the clouds without the lock.
    """
    touched = {result.name for result in outcome.result.nodes.values() if result.action != "keep"}
    moved = {  # nodes behind a gateway whose address may have changed
        node.name
        for listing in outcome.listings.values()
        if any(node.name in touched and node.address(public=True) for node in listing.nodes)
        for node in listing.nodes
    }
    return differing(outcome.listings, cluster, hostvars, {*outcome.members, *outcome.leaving}, touched | moved)
