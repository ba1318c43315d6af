# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine, run on the controller: a module's output cannot be seen while it runs, and here every stage of every node is shown as it comes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, MarkError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys, ring, with_login
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock, Stopped
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome, Refused, Run
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import failure_lines, failures, foretold, kept_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_cache import dropped_cache
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_diff import differing, others
from ansible_collections.sky.clusters.plugins.plugin_utils._lock_keeper import hold
from ansible_collections.sky.clusters.plugins.plugin_utils._progress import Progress
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import recorded_signals
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

SPEC: dict[str, Any] = CLUSTER_SPEC | {
    "counts": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "replaced", "deleted", "ready", "absent"], "default": "present"},
    "names": {"type": "list", "elements": "str", "default": []},
    "hashes": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "str", "default": []},
    "replace": {"type": "list", "elements": "str", "default": []},
    "replaced": {"type": "list", "elements": "str", "default": []},
    "idle": {"type": "list", "elements": "str", "default": []},
    "sick": {"type": "dict", "default": {}},
    "confirm": {"type": "str", "default": ""},
    "strict": {"type": "bool", "default": False},
    "destroy_data": {"type": "bool", "default": False},
    "wait": {"type": "float", "default": 0},
    "lock": {"type": "str", "choices": ["task", "run"], "default": "task"},
    "identity_file": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        began = time.monotonic()
        try:
            self._own = ring(Path("~").expanduser(), args["identity_file"])
            cluster = with_login(parse_parts(args, option_classes()).with_counts(args["counts"]), self._own)
            with recorded_signals() as told, self._dropped_cache(task_vars or {}):
                result = self._of_state(cluster, args, (task_vars or {})["hostvars"], told)
        except (ClusterFileError, Refused, FleetError, CloudError, MarkError, Stopped) as error:
            raise AnsibleActionFail(str(error)) from error
        return result | {"seconds": round(time.monotonic() - began, 1)}

    def _dropped_cache(self, variables: Mapping[str, Any]) -> AbstractContextManager[None]:
        if self._task.check_mode:
            return nullcontext()
        return dropped_cache(variables.get("ansible_inventory_sources") or (), self._loader)

    def _of_state(self, cluster: Cluster, args: dict[str, Any], hostvars: Any, told: Callable[[], bool]) -> dict[str, Any]:
        live = Progress(Display())
        parent = os.getppid()
        # a worker of Ansible outlives its killed parent: it must see that by itself, and make no further call
        clock = Clock(stopped=lambda: told() or os.getppid() != parent)
        run = Run(cluster, open_clouds(cluster), Tools(report=live.event, clock=clock), live.warning, bool(self._task.check_mode), args["wait"])
        if args["lock"] == "run":
            run = replace(run, hold=lambda: hold(lambda: open_clouds(cluster), args["wait"], clock, live.line))
        if args["state"] == "ready":
            return {"changed": bool(run.set_ready({name: value for name, value in args["hashes"].items() if name in args["names"]}))}
        if args["state"] == "deleted":
            return self._done(run.delete(args["names"]), args)
        if args["state"] == "absent":
            outcome = run.absent(args["destroy_data"], args["confirm"])
            _warn(live, outcome)
            result = self._done(outcome, args)
            gone = [f"cluster {cluster.name} is gone{'' if outcome.kept else ', nothing of it is left'}", *_kept(outcome)]
            return result if run.check else result | {"changed": result["changed"] or bool(outcome.result.volumes), "summary": gone}
        keys = authorised_keys(cluster.settings, self._own)
        wishes = Wishes.of(args, keys)
        if args["state"] == "replaced":
            return {"changed": False, "leaving": run.replacements(wishes).leaving}
        outcome = run.present(wishes)
        _warn(live, outcome)
        gone = others({*outcome.members, *outcome.leaving}, hostvars)
        return self._done(outcome, args) | {"new_hosts": _new_hosts(outcome, cluster, hostvars), "gone": gone, "ssh_keys": list(keys)}

    def _done(self, outcome: Outcome, args: dict[str, Any]) -> dict[str, Any]:
        failed, told = failures(outcome.result.failed), failure_lines(outcome.result.failed)
        if outcome.faults:
            raise AnsibleActionFail("\n".join([fault for fault in outcome.faults if fault not in failed] + told))
        lines = foretold(outcome.plan)
        if self._task.check_mode and not self._task.diff:  # with --diff Ansible shows them itself
            for line in lines:
                Progress(Display()).line(line)
        result: dict[str, Any] = {
            "changed": bool(lines),
            "members": sorted(outcome.members),
            "leaving": outcome.leaving,
            "failed_nodes": failed,
            "strict_failure": bool(failed) and args["strict"],
            "drift": [str(drift) for drift in outcome.plan.drift],
            "notes": list(outcome.plan.notes),
            "kept_volumes": [{"name": v.name, "size": v.size, "type": v.type} for v in outcome.kept],
            "actions": lines,
            "summary": (lines or ["the nodes are what the file says"]) + _kept(outcome) + told,
        }
        if self._task.diff and lines:
            result["diff"] = [{"prepared": "\n".join(lines)}]
        return dict(untemplated(result))


def _warn(live: Progress, outcome: Outcome) -> None:
    for sentence in outcome.plan.notes + tuple(str(drift) for drift in outcome.plan.drift):
        live.warning(sentence)


def _kept(outcome: Outcome) -> list[str]:
    return kept_lines({volume.name: volume.size for volume in outcome.kept})


def _new_hosts(outcome: Outcome, cluster: Cluster, hostvars: Any) -> list[dict[str, Any]]:
    """Members that the running inventory does not have, or has as they were before this run."""
    touched = {result.name for result in outcome.result.nodes.values() if result.action != "keep"}
    moved = {  # what others are reached through
        node.name
        for listing in outcome.listings.values()
        if any(node.name in touched and node.address(public=True) for node in listing.nodes)
        for node in listing.nodes
    }
    return differing(outcome.listings, cluster, hostvars, outcome.members, touched | moved)
