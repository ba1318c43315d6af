# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together the software of the nodes of a cluster as a bill of materials."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS
from ansible_collections.sky.clusters.plugins.module_utils._views._bom import Origin, document, lines
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain, untemplated

COLLECTION = Path(__file__).parents[2]
NONE = "nothing to list: no node is running"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"cluster": {"type": "str", "required": True}, "file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        every = {name: found for name in sorted(hostvars) if "sky_pool" in (found := hostvars.raw_get(name))}
        running = {name: found.get("sky_software", {}) for name, found in every.items() if found["sky_state"] == "running"}
        nodes = plain({name: found for name, found in running.items() if "debian" in found})
        unread = sorted(running.keys() - nodes.keys())
        archives = {name: package for system in SYSTEMS.values() for name, package in system.archives.items()}
        made = Origin(datetime.now(UTC).isoformat(timespec="seconds"), str(uuid.uuid4()), version(COLLECTION), archives)
        bill = document(args["cluster"], nodes, unread, made)
        if args["file"] and nodes and not self._task.check_mode:
            save("sky_sbom_file", args["file"], json.dumps(bill, indent=1) + "\n")
        summary = [*([] if running else [NONE]), *(lines(nodes) if nodes else []), *(f"{name}: its software could not be listed" for name in unread)]
        return dict(untemplated({"changed": False, "components": len(bill["components"]), "unread": unread, "summary": summary}))


def version(collection: Path) -> str:
    """That of this collection, as it is installed or in its repository."""
    installed = collection / "MANIFEST.json"
    if installed.exists():
        return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((collection / "galaxy.yml").read_text(encoding="utf-8"))["version"])
