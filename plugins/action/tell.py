# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print plain lines, and publish the result of a run."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import published
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import show


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "lines": {"type": "list", "elements": "str", "default": []},
        "result": {"type": "dict", "default": {}},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        show([self.worded(line) for line in args["lines"]])
        return {"changed": False} | published(args["result"])
