# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Continue on each node only if what was done once for all of them has succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction

SHOWN = ("msg", "rc", "stdout", "stderr", "module_stdout", "module_stderr")  # of a result


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"results": {"type": "list", "elements": "dict", "required": True}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        first = next(failures(args["results"]), None)
        if first is None:
            return {"changed": False}
        return {name: first[name] for name in SHOWN if name in first} | {"failed": True, "changed": False}


def failures(results: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The results that say that something failed or was unreachable; of a loop those of its items."""
    for result in results:
        if result.get("failed") or result.get("unreachable"):
            yield from failures(result["results"]) if result.get("results") else (result,)
