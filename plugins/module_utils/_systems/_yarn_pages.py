# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ResourceManager says on its pages. Ships with modules: the standard library alone."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

RUNNING = "RUNNING"


@dataclass(frozen=True)
class NodeManager:
    """One NodeManager as the ResourceManager knows it."""

    address: str
    state: str
    containers: int
    used: int  # MiB
    memory: int

    @property
    def at_work(self) -> bool:
        return self.state == RUNNING


@dataclass(frozen=True)
class State:
    """What it says; nothing if it does not answer."""

    answers: bool
    nodes: tuple[NodeManager, ...] = ()
    applications: tuple[dict[str, Any], ...] = ()

    def of(self, address: str) -> NodeManager | None:
        found = [node for node in self.nodes if node.address == address]
        return next((node for node in found if node.at_work), found[-1] if found else None)


def fetch(page: str, path: str) -> dict[str, Any] | None:
    """A page as data; None if nothing answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.addheaders = [("Accept", "application/json")]
    try:
        with opener.open(f"{page}/ws/v1/cluster/{path}", timeout=10) as answer:
            found = json.loads(answer.read())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def state(page: str) -> State:
    info, listed = fetch(page, "info"), fetch(page, "nodes")
    if info is None or listed is None or info.get("clusterInfo", {}).get("state") != "STARTED":
        return State(answers=False)
    nodes = (listed.get("nodes") or {}).get("node", [])
    apps = ((fetch(page, "apps?states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING") or {}).get("apps") or {}).get("app", [])
    return State(answers=True, nodes=tuple(map(_node, nodes)), applications=tuple(apps))


def _node(found: dict[str, Any]) -> NodeManager:
    used = int(found.get("usedMemoryMB", 0))
    address = str(found.get("id", "")).rpartition(":")[0]
    return NodeManager(address, str(found.get("state", "")), int(found.get("numContainers", 0)), used, used + int(found.get("availMemoryMB", 0)))
