# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares in Manila: looked up by name, and the access rules of a cluster's own client, which has a key of its own."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from typing import NoReturn

from ..._base._schema import hint
from .._common._parallel import each
from .._contract import Access, CloudError, Denied, Invalid, Scope, Share, Unavailable
from . import _marks
from ._api import SHARE, Api, Found
from ._errors import Missing

KIND, LEVEL = "cephx", "rw"  # the one kind of rule whose client has a key
KEYED = "CEPH"  # what the protocols begin with whose shares have such rules
LEAVING = ("queued_to_deny", "denying")  # states of a rule that is on its way out
OPTIONS = "__mount_options"  # metadata of a share, of which its driver says what a mount needs
PAGE = 500  # shares in one answer
LISTED = 20  # names in a hint
PAUSE = 1.0  # s between two looks at a rule
PATIENCE = 60.0  # s until it is in force


class Shares:
    """The shares that a project sees, and what a cluster has access to."""

    def __init__(self, api: Api, scope: Scope, owner: str) -> None:
        self._api = api
        self._scope = scope
        self._owner = owner

    @property
    def _mark(self) -> str:
        return _marks.description(self._scope, self._owner)

    @property
    def _client(self) -> str:
        """Name of the cluster's client. All projects of a cloud share the names of clients, and none is given to a second project."""
        whose = f"{self._api.access().project_id} {self._owner}"
        return f"{_marks.shared_name(self._scope.cluster)}-{hashlib.sha256(whose.encode()).hexdigest()[:8]}"

    # looking

    def named(self, wanted: str, protocol: str) -> Share:
        """See the contract."""
        if not self._api.offers(SHARE):
            raise Invalid(f"share '{wanted}': the cloud has no shares: its catalogue has no service of the type {SHARE} (Manila)")
        found = self._found(wanted)
        spoken = str(found["share_proto"])
        if spoken.lower() != protocol:
            raise Invalid(f"share '{wanted}' has the protocol {spoken}, not {protocol.upper()}")
        if found["status"] != "available":
            raise Invalid(f"share '{wanted}' ({found['id']}) is in state '{found['status']}', not 'available'")
        return Share(str(found["name"] or wanted), str(found["id"]), protocol, self._export(found, wanted), _file_system(found))

    def _found(self, wanted: str) -> Found:
        named = [item for item in self._listed(name=wanted) if item["name"] == wanted]
        if len(named) > 1:
            several = ", ".join(str(item["id"]) for item in named[:3])
            raise Invalid(f"{len(named)} shares have the name '{wanted}': use the identifier of one ({several})")
        return named[0] if named else self._identified(wanted)

    def _identified(self, wanted: str) -> Found:
        if re.fullmatch(r"[0-9A-Fa-f-]+", wanted):
            try:
                return self._api.one(SHARE, f"/shares/{wanted}", "share")
            except Missing:
                pass
        names = sorted({str(item["name"]) for item in self._listed() if item["name"]})
        raise Invalid(f"unknown share '{wanted}'{hint(wanted, names[:LISTED] if len(names) > LISTED else names)}")

    def _listed(self, **query: str) -> Iterator[Found]:
        """Page after page, by offsets: a cloud may give fewer at once than it is asked for, so only an empty page is the end."""
        seen = 0
        while page := self._page(seen, **query):
            yield from page
            seen += len(page)

    def _page(self, seen: int, **query: str) -> list[Found]:
        path = "/shares/detail"
        answer = self._api.get(SHARE, path, limit=PAGE, offset=seen, **query)
        found = answer.get("shares") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise Unavailable(f"{SHARE} GET {path}: the answer is not a list of shares")
        return found

    def _export(self, found: Found, wanted: str) -> str:
        """Where it is mounted from; that which the cloud prefers, if there are several."""
        places = list(self._api.all(SHARE, f"/shares/{found['id']}/export_locations", "export_locations"))
        open_ones = [place for place in places if not place.get("is_admin_only")]
        if not open_ones:
            raise Invalid(f"share '{wanted}' ({found['id']}) has no export location")
        return str(sorted(open_ones, key=lambda place: not place.get("preferred"))[0]["path"])

    # access

    def access(self, share: Share) -> Access:
        """See the contract."""
        client, began, made = self._client, time.monotonic(), False
        while True:
            rule = self._rule(share, client)
            if rule is None and not made:
                self._give(share, client)
                made = True
                continue
            state = str(rule["state"]) if rule is not None else "missing"
            if rule is not None and state == "active" and rule.get("access_key"):
                return Access(client, str(rule["access_key"]), made)
            if rule is not None and state == "error":
                self._fail(share, rule)
            if time.monotonic() - began > PATIENCE:
                raise CloudError(f"share '{share.name}': the access rule of the client {client} is still '{state}' after {PATIENCE:.0f} s")
            time.sleep(PAUSE)

    def _fail(self, share: Share, rule: Found) -> NoReturn:
        """A rule in this state stays in it: without it the next run can try again."""
        self._take_back(share.id, str(rule["id"]))
        raise CloudError(
            f"share '{share.name}': the access rule of the client {rule['access_to']} is in state 'error', and was removed; "
            f"'openstack share message list --resource-id {share.id}' may say why"
        )

    def _rule(self, share: Share, client: str) -> Found | None:
        """The rule of the client.

        Raises:
            Invalid: it is not the cluster's.
        """
        rules = [rule for rule in self._rules(share.id) if rule["access_type"] == KIND and rule["access_to"] == client]
        foreign = [rule for rule in rules if not self._is_ours(rule)]
        if foreign:
            name = f"share '{share.name}': the access rule {foreign[0]['id']} of the client {client}"
            raise Invalid(f"{name} does not have the mark '{self._mark}': it is left alone")
        return rules[0] if rules else None

    def _rules(self, share: str) -> Iterator[Found]:
        return self._api.all(SHARE, "/share-access-rules", "access_list", share_id=share)

    def _is_ours(self, rule: Found) -> bool:
        return bool((rule.get("metadata") or {}).get(_marks.MARK) == self._mark)

    def _give(self, share: Share, client: str) -> None:
        """The mark is part of the call that creates the rule."""
        rule = {"access_type": KIND, "access_to": client, "access_level": LEVEL, "metadata": {_marks.MARK: self._mark}}
        self._api.post(SHARE, f"/shares/{share.id}/action", {"allow_access": rule})

    def _take_back(self, share: str, rule: str) -> None:
        self._api.post(SHARE, f"/shares/{share}/action", {"deny_access": {"access_id": rule}})

    # the end

    def withdraw(self) -> None:
        """Take back the cluster's access to all shares."""
        for share, rule in self._held():
            try:
                self._take_back(str(share["id"]), str(rule["id"]))
            except Missing:
                continue

    def used(self) -> list[str]:
        """The names of the shares that the cluster has access to."""
        return sorted({str(share["name"] or share["id"]) for share, _rule in self._held()})

    def _held(self) -> list[tuple[Found, Found]]:
        """The shares that the cluster has access to, each with its rule. Who may not see shares has none."""
        if not self._api.offers(SHARE):
            return []
        try:
            shares = [share for share in self._listed() if str(share["share_proto"]).startswith(KEYED)]
        except Denied:
            return []
        return [(share, rule) for found in each(self._held_of, shares) for share, rule in found]

    def _held_of(self, share: Found) -> list[tuple[Found, Found]]:
        try:
            return [(share, rule) for rule in self._rules(str(share["id"])) if self._is_ours(rule) and rule["state"] not in LEAVING]
        except Missing:  # it was deleted meanwhile
            return []


def _file_system(found: Found) -> str:
    said = re.search(r"(?:^|,)fs=([\w.-]+)", str((found.get("metadata") or {}).get(OPTIONS, "")))
    return said[1] if said else ""
