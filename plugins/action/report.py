# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the last lines of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._views._changes import UNCHANGED, plan_lines
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import kept_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import heads, published
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import each_once
from ansible_collections.sky.clusters.plugins.plugin_utils._role_removal import removed
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin, reasons

UNREACHED = "next: make ssh to these nodes work (sky.clusters.status shows their state in the cloud), then run the same command again"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "nodes": {"type": "dict", "required": True},
        "lost": {"type": "list", "elements": "str", "default": []},
        "visited": {"type": "list", "elements": "str", "default": []},
        "former": {"type": "dict", "default": {}},
        "added": {"type": "dict", "default": {}},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        done = _foretold(args) if self._task.check_mode else [*args["nodes"]["summary"], *_configured(args["visited"])]
        lines = [*done, *_of_nodes(args["lost"], hostvars), *_times(args["nodes"], hostvars)]
        for line in lines:
            Display().display(f"  {line}".rstrip())
        if args["nodes"]["strict_failure"]:
            raise AnsibleActionFail("\n".join(args["nodes"]["failed_nodes"]))
        result = {"changed": False, "lines": lines, "lost": sorted(args["lost"])}
        return result if self._task.check_mode else result | published(self._result(args, hostvars))

    def _result(self, args: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        """What a program that started the run learns of it."""
        members = args["nodes"].get("members", [])
        unproved = sorted(name for name in members if any(_postponed(hostvars[name])))
        return {
            "cluster": self.variables.get("sky_cluster", ""),
            "ready": not args["lost"] and not unproved,
            "nodes": len(members),
            "failed": sorted(args["lost"]),
            "heads": heads(members, hostvars),
        }


def _foretold(args: Mapping[str, Any]) -> Iterator[str]:
    """The plan of a run in check mode."""
    nodes = args["nodes"]
    yield from plan_lines(nodes["plan"], args["visited"], removed(args["former"]), args["added"]) or [UNCHANGED]
    yield from nodes["estimate"]
    yield from kept_lines({volume["name"]: volume["size"] for volume in nodes["kept_volumes"]})


def _configured(visited: list[str]) -> Iterator[str]:
    if visited:
        yield f"configured: {', '.join(visited)}"


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
