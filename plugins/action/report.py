# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import Way, reasons

UNREACHED = "next: make ssh to these nodes work (sky.clusters.status shows their state in the cloud), then run the same command again"
SPEC: dict[str, Any] = {
    "nodes": {"type": "dict", "required": True},
    "lost": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        hostvars = (task_vars or {})["hostvars"]
        lines = [*args["nodes"]["summary"], *_of_nodes(args["lost"], hostvars), *_times(args["nodes"], hostvars)]
        for line in lines:
            Display().display(f"  {line}".rstrip())
        if args["nodes"]["strict_failure"]:
            raise AnsibleActionFail("\n".join(args["nodes"]["failed_nodes"]))
        return {"changed": False, "lines": lines, "lost": sorted(args["lost"])}


def _of_nodes(lost: list[str], hostvars: Mapping[str, Any]) -> Iterator[str]:
    """What roles failed at, by node, and what they put off, each sentence once."""
    silent = [name for name in sorted(lost) if "sky_failure" not in hostvars[name]]
    why = reasons({name: Way.of(hostvars[name]) for name in silent})
    for name in sorted(lost):
        yield from hostvars[name].get("sky_failure", [f"{name} could not be reached by ssh and was skipped: {why.get(name)}"])
    if silent:
        yield UNREACHED
    yield from sorted({sentence for name in hostvars for sentence in hostvars[name].get("sky_postponed", [])})


def _times(nodes: Mapping[str, Any], hostvars: Mapping[str, Any]) -> Iterator[str]:
    """Where the time went."""
    if began := hostvars["localhost"].get("sky_began"):
        yield f"{time.time() - began:.0f} s in all, {nodes['seconds']:.0f} s of them to make the nodes what the file says"
