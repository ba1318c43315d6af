# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the last lines of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._views._lines import FORETOLD, Configuration, done_lines, plan_lines, plan_rows, unchanged
from ansible_collections.sky.clusters.plugins.module_utils._views._reasons import visit_reasons
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import kept_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import heads, published
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import each_once
from ansible_collections.sky.clusters.plugins.plugin_utils._plan_file import plan_data, save_plan
from ansible_collections.sky.clusters.plugins.plugin_utils._role_removal import drained, removed
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import show
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin, reasons
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

UNREACHED = "next: make ssh to these nodes work (sky.clusters.status shows their state in the cloud), then run the same command again"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "nodes": {"type": "dict", "required": True},
        "lost": {"type": "list", "elements": "str", "default": []},
        "visited": {"type": "list", "elements": "str", "default": []},
        "waiting": {"type": "list", "elements": "str", "default": []},
        "reasons": {"type": "dict", "default": {}},
        "health": {"type": "dict", "default": {}},
        "former": {"type": "dict", "default": {}},
        "removed_from": {"type": "list", "elements": "str", "default": []},
        "added": {"type": "dict", "default": {}},
        "deleted": {"type": "dict", "default": {}},
        "configures": {"type": "bool", "default": True},
        "drains": {"type": "dict", "default": {}},
        "plan_file": {"type": "str", "default": ""},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        done = _foretold(args) if self._task.check_mode else _done(args)
        last = [FORETOLD] if self._task.check_mode else _times(args["nodes"], hostvars)
        lines = [self.worded(line) for line in (*done, *_next(args), *_of_nodes(args["lost"], hostvars), *last)]
        show(lines)
        if args["nodes"]["strict_failure"]:
            raise AnsibleActionFail("\n".join(args["nodes"]["failed_nodes"]))
        result = {"changed": False, "lines": lines, "lost": sorted(args["lost"])}
        return result | (self._plan(args) if self._task.check_mode else published(self._result(args, hostvars)))

    def _plan(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The plan for scripts, in check mode."""
        rows = plan_rows(_changes(args), _configuration(args))
        more = {name: args["nodes"][name] for name in ("kept_volumes", "drift", "notes", "estimate")}
        save_plan(args["plan_file"], self.variables.get("sky_cluster", ""), rows, more)
        return dict(untemplated(plan_data(rows)))

    def _result(self, args: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        """What a program that started the run learns of it."""
        members = args["nodes"].get("members", [])
        unproved = sorted(name for name in members if any(_postponed(hostvars[name])))
        return {
            "cluster": self.variables.get("sky_cluster", ""),
            "ready": args["configures"] and not args["lost"] and not unproved,
            "nodes": len(members),
            "failed": sorted(args["lost"]),
            "heads": heads(members, hostvars),
        }


def _foretold(args: Mapping[str, Any]) -> Iterator[str]:
    """The plan of a run in check mode."""
    nodes = args["nodes"]
    yield from plan_lines(_changes(args), _configuration(args)) or ([] if nodes["plan"] else [unchanged(nodes["differing"])])
    yield from nodes["estimate"]
    yield from _kept(nodes["kept_volumes"])


def _configuration(args: Mapping[str, Any]) -> Configuration:
    """What a run in check mode would configure."""
    reasons = visit_reasons({name: why for name, why in args["reasons"].items() if name in args["visited"]}, args["health"])
    return Configuration(reasons, removed(args["former"]), args["added"], drained(args["former"]), args["drains"])


def _done(args: Mapping[str, Any]) -> Iterator[str]:
    """What a run has done."""
    nodes, lost = args["nodes"], set(args["lost"])
    configured = {name: "" for name in args["visited"] if name not in lost.union(args["waiting"])}
    removals = {name: roles for name, roles in removed(args["former"]).items() if name in set(args["removed_from"]) - lost}
    undone = {*nodes["failed_names"], *lost.intersection(nodes["leaving"])}
    made = [change for change in _changes(args) if change["name"] not in undone]
    if not nodes["plan"] and not lost | undone:
        yield unchanged(nodes["differing"])
    yield from done_lines(made, Configuration(configured, removals), lost | undone)
    yield from _kept(args["deleted"].get("kept_volumes", nodes["kept_volumes"]))
    yield from nodes["failure_lines"]


def _changes(args: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The changes of nodes, without the nodes that leave if this run does not drain them."""
    kept = set() if args["configures"] else set(args["nodes"]["leaving"])
    return [change for change in args["nodes"]["plan"] if change["name"] not in kept]


def _next(args: Mapping[str, Any]) -> Iterator[str]:
    """What is left to do for a run that configures the nodes."""
    if not args["configures"] and args["nodes"]["leaving"]:
        yield f"next: sky.clusters.cluster drains and deletes {', '.join(args['nodes']['leaving'])}"


def _kept(volumes: list[dict[str, Any]]) -> list[str]:
    return kept_lines({volume["name"]: volume["size"] for volume in volumes})


def _of_nodes(lost: list[str], hostvars: Mapping[str, Any]) -> Iterator[str]:
    """Why nodes failed, then what roles have postponed, each sentence once."""
    silent = [name for name in sorted(lost) if "sky_failure" not in hostvars[name]]
    why = reasons({name: SshLogin.of(hostvars[name]) for name in silent})
    failures = {name: hostvars[name].get("sky_failure", [f"{name} could not be reached by ssh and was skipped: {why.get(name)}"]) for name in lost}
    yield from each_once(failures)
    if silent:
        yield UNREACHED
    yield from sorted({sentence for name in hostvars for sentence in hostvars[name].get("sky_postponed", [])})


def _postponed(variables: Mapping[str, Any]) -> Iterator[str]:
    """Why proofs of systems were not made in this run."""
    for role in (variables.get("sky_proofs") or {}).values():
        yield (variables.get(f"{role}_outcome") or {}).get("postponed", "")


def _times(nodes: Mapping[str, Any], hostvars: Mapping[str, Any]) -> Iterator[str]:
    """How long the run took."""
    if began := hostvars["localhost"].get("sky_given", {}).get("began"):
        yield f"{time.time() - began:.0f} s in total, {nodes['seconds']:.0f} s of it to create, replace and start nodes"
