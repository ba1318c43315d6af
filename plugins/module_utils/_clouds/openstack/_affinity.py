# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server group of a pool, which keeps its nodes apart. Server groups have no mark: the name tells the owner."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import _marks
from ._api import COMPUTE, Api

POLICY = "soft-anti-affinity"  # a pool that is larger than the cloud has hosts is made all the same


class Groups:
    """The server groups of one cluster and owner."""

    def __init__(self, api: Api, cluster: str, owner: str) -> None:
        self._api = api
        self._name = _marks.owned_name(cluster, owner)

    def ensure(self, pool: str) -> str:
        """Identifier of the group of a pool, made if it is not there."""
        name, known = self._of(pool), self.all()
        if name in known:
            return known[name]
        return str(self._api.made(COMPUTE, "/os-server-groups", {"server_group": {"name": name, "policies": [POLICY]}}, "server_group")["id"])

    def missing(self, pools: Sequence[str]) -> list[str]:
        """The names of the groups of these pools that are not there."""
        known = self.all() if pools else {}
        return [name for pool in pools if (name := self._of(pool)) not in known]

    def _of(self, pool: str) -> str:
        return f"{self._name}-{pool}"

    def all(self) -> dict[str, str]:
        """Their identifiers, by name."""
        pattern = rf"{re.escape(self._name)}-[a-z][a-z0-9]*"
        groups = self._api.all(COMPUTE, "/os-server-groups", "server_groups")
        return {str(group["name"]): str(group["id"]) for group in groups if re.fullmatch(pattern, str(group["name"]))}

    def delete(self) -> None:
        for identifier in self.all().values():
            self._api.delete(COMPUTE, f"/os-server-groups/{identifier}")
