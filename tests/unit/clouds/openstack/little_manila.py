# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Manila of the little cloud. Its answers are those of Manila's API reference: no real one said them."""

from __future__ import annotations

import itertools
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import SHARE
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import SHARES, Answer, LittleCloud, Request, record

KNOWN = record("shares")
DATA, HOMES = KNOWN["shares"]
KEY = KNOWN["key"]
EXPORT = f"10.0.0.5:6789,10.0.0.6:6789:/volumes/_nogroup/{DATA['id']}/1f0a9c31"


class Manila:
    """Its access rules, with the states that they go through: each look at them is one step."""

    def __init__(self, cloud: LittleCloud) -> None:
        self.cloud = cloud
        self.rules: list[dict[str, Any]] = []
        self.steps = ["queued_to_apply", "applying", "active"]
        self.most = 1000  # shares in one answer
        self._numbers = itertools.count(1)
        cloud.endpoints |= SHARES
        cloud.holds(SHARE, "shares", DATA, HOMES)
        cloud.reacts("GET", SHARE, "/shares/detail", self._listed)
        cloud.reacts("GET", SHARE, "/share-access-rules", self._looked_at)
        for share in (DATA, HOMES):
            self._has_exports(str(share["id"]), KNOWN["export_locations"])

    def has_export(self, share: str, path: str) -> None:
        """A share that was added is mounted from here."""
        self._has_exports(share, [KNOWN["export_locations"][-1] | {"path": path}])

    def _has_exports(self, share: str, locations: list[Any]) -> None:
        self.cloud.reacts("GET", SHARE, f"/shares/{share}/export_locations", lambda _request: Answer({"export_locations": locations}))
        self.cloud.reacts("POST", SHARE, f"/shares/{share}/action", self._acted)

    def holds(self, **more: Any) -> dict[str, Any]:
        """A rule that is there already."""
        rule: dict[str, Any] = KNOWN["rule"] | {"id": f"rule-{next(self._numbers)}", "share_id": DATA["id"], "steps": ["active"]} | more
        self.rules.append(rule)
        return rule

    def _listed(self, request: Request) -> Answer:
        found = [share for share in self.cloud.stored[SHARE, "shares"] if request.query.get("name") in (None, share["name"])]
        first = int(request.query.get("offset", 0))
        return Answer({"shares": found[first : first + min(self.most, int(request.query.get("limit", self.most)))]})

    def _looked_at(self, request: Request) -> Answer:
        self.rules = [rule for rule in self.rules if rule["steps"]]
        own = [rule for rule in self.rules if rule["share_id"] == request.query["share_id"]]
        return Answer({"access_list": [self._step(rule) for rule in own]})

    def _step(self, rule: dict[str, Any]) -> dict[str, Any]:
        state = rule["steps"][0]
        if len(rule["steps"]) > 1 or state == "denying":
            rule["steps"] = rule["steps"][1:]
        shown = {key: value for key, value in rule.items() if key not in ("steps", "share_id")}
        return shown | {"state": state, "access_key": KEY if state == "active" else None}

    def _acted(self, request: Request) -> Answer:
        share = request.path.split("/")[2]
        if "allow_access" in request.body:
            made = self.holds(share_id=share, steps=list(self.steps), **request.body["allow_access"])
            return Answer({"access": self._shown(made) | {"share_id": share}}, 200)
        gone = request.body["deny_access"]["access_id"]
        for rule in self.rules:
            if rule["id"] == gone:
                rule["steps"] = ["queued_to_deny", "denying"]
        return Answer(None, 202)

    def _shown(self, rule: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in rule.items() if key != "steps"}
