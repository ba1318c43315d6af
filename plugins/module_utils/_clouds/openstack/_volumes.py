# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data volumes in Cinder: looked up by name and mark, created, extended, deleted."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from .._contract import CloudError, Invalid, Mark, Unavailable, VolumeSpec
from . import _marks
from ._api import COMPUTE, VOLUME, Api, Found
from ._errors import Conflict, Missing
from ._servers import HELD

PAUSE = 0.5  # s between two looks at a volume
GRACE = 5.0  # s that a server that is being deleted may take to release a volume
PATIENCE = 90.0  # s until it is created, or released by the node that had it before


class Volumes:
    """The data volumes of one cluster."""

    def __init__(self, api: Api, cluster: str) -> None:
        self._api = api
        self._cluster = cluster

    def all(self) -> list[Found]:
        """All that are listed under the cluster's name, whoever owns them."""
        wanted = {_marks.CLUSTER: self._cluster}
        listed = self._api.all(VOLUME, "/volumes/detail", "volumes", metadata=json.dumps(wanted))
        return [volume for volume in listed if volume.get("metadata", {}).get(_marks.CLUSTER) == self._cluster]

    def named(self, name: str) -> list[Found]:
        """All volumes of a name, marked or not."""
        return [volume for volume in self._api.all(VOLUME, "/volumes/detail", "volumes", name=name) if volume.get("name") == name]

    def ensure(self, spec: VolumeSpec, mark: Mark, zone: str) -> Found:
        """A node's volume, created if there is none, once it exists.

        Raises:
            Invalid: the name is taken.
        """
        existing = self.named(spec.name)
        foreign = [volume for volume in existing if volume.get("metadata", {}).get(_marks.MARK) != str(mark)]
        if foreign:
            raise Invalid(f"the name {spec.name} is taken by volume {foreign[0]['id']}, which does not have the mark '{mark}'")
        volume = existing[0] if existing else self.make(spec, mark, zone)
        return volume if volume["status"] in HELD else self.available(volume)

    def make(self, spec: VolumeSpec, mark: Mark, zone: str) -> Found:
        """Create a volume; it has its mark from the start."""
        metadata = {_marks.MARK: str(mark), _marks.CLUSTER: mark.cluster}
        body: dict[str, Any] = {"name": spec.name, "size": spec.size, "metadata": metadata}
        body |= {"volume_type": spec.type} if spec.type else {}
        body |= {"availability_zone": zone} if zone else {}
        return self._api.made(VOLUME, "/volumes", {"volume": body}, "volume")

    def available(self, volume: Found) -> Found:
        """Wait until a volume that no node has can be attached or deleted.

        Raises:
            CloudError: it failed, or a server has it.
            Unavailable: it is not available yet.
        """
        began = time.monotonic()
        let_go = False
        while volume["status"] != "available":
            waited = time.monotonic() - began
            if volume["status"].startswith("error"):
                raise CloudError(f"volume {volume['name']} ({volume['id']}) is in state '{volume['status']}'")
            if waited > PATIENCE:
                raise Unavailable(f"volume {volume['name']} ({volume['id']}) is still in state '{volume['status']}' after {PATIENCE:.0f} s")
            if waited > GRACE and volume["status"] in HELD and not let_go:
                self._let_go(volume)
                let_go = True
            time.sleep(PAUSE)
            volume = self._api.one(VOLUME, f"/volumes/{volume['id']}", "volume")
        return volume

    def _let_go(self, volume: Found) -> None:
        """Free a volume from a server that is gone: a server deleted while its volume was being attached leaves it reserved for ever."""
        attachments = list(self._api.all(VOLUME, "/attachments", "attachments", volume_id=volume["id"]))
        for attachment in attachments:
            server = attachment.get("instance")
            if server and self._exists(server):
                raise CloudError(f"volume {volume['name']} ({volume['id']}) is attached to server {server}")
            self._api.delete(VOLUME, f"/attachments/{attachment['id']}")
        if not attachments:
            with contextlib.suppress(Conflict, Invalid):  # it was released meanwhile
                self._api.post(VOLUME, f"/volumes/{volume['id']}/action", {"os-unreserve": None})

    def _exists(self, server: str) -> bool:
        try:
            self._api.get(COMPUTE, f"/servers/{server}")
        except Missing:
            return False
        return True

    def extend(self, identifier: str, size: int) -> None:
        """Extend a volume that is free or in use, and wait until it is extended."""
        self._reached(identifier, lambda volume: volume["status"] in ("available", "in-use"), "become free or in use")
        self._api.post(VOLUME, f"/volumes/{identifier}/action", {"os-extend": {"new_size": size}})
        self._reached(identifier, lambda volume: volume["size"] >= size, f"reach {size} GiB")

    def _reached(self, identifier: str, reached: Callable[[Found], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            volume = self._api.one(VOLUME, f"/volumes/{identifier}", "volume")
            if reached(volume):
                return
            if volume["status"].startswith("error"):
                raise CloudError(f"volume {volume['name']} ({identifier}) is in state '{volume['status']}'")
            if time.monotonic() > end:
                raise Unavailable(f"volume {volume['name']} ({identifier}) did not {what} within {PATIENCE:.0f} s")
            time.sleep(PAUSE)

    def delete(self, identifier: str) -> None:
        """Delete a volume that no node has, and wait until it is gone, so that its name and its share of the quota are free."""
        end = time.monotonic() + PATIENCE
        with contextlib.suppress(Missing):
            volume = self._api.one(VOLUME, f"/volumes/{identifier}", "volume")
            if volume["status"] in HELD:
                self.available(volume)
            self._api.delete(VOLUME, f"/volumes/{identifier}")
            while time.monotonic() < end:
                status = self._api.one(VOLUME, f"/volumes/{identifier}", "volume")["status"]
                if status.startswith("error"):
                    raise CloudError(f"volume {identifier} could not be deleted: it is in state '{status}'")
                time.sleep(PAUSE)
            raise Unavailable(f"volume {identifier} is still there {PATIENCE:.0f} s after it was deleted")
