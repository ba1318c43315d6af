# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data volumes created, extended and deleted by themselves, one event each."""

from __future__ import annotations

from collections.abc import Sequence

from .._common._events import event_of
from .._contract import Cloud, Event, Invalid, Stage, Volume, VolumeSpec
from ._volumes import Volumes


class VolumeEvents:
    """Works on volumes of one batch; its methods are called side by side."""

    def __init__(self, cloud: Cloud, volumes: Volumes, zone: str, known: Sequence[Volume] = ()) -> None:
        """
        Args:
            zone: where new ones are created; empty if the cloud decides.
            known: existing ones, to extend or delete.
        """
        self._cloud = cloud
        self._volumes = volumes
        self._zone = zone
        self._named = {volume.name: volume for volume in known}
        self._known = {volume.id: volume for volume in known}

    def create(self, wanted: VolumeSpec) -> Event:
        return event_of(wanted.name, lambda: self._created(wanted))

    def _created(self, wanted: VolumeSpec) -> Event:
        made = self._volumes.ensure(wanted, self._cloud.mark_of(wanted.name), self._zone)
        return Event(wanted.name, Stage.MADE, str(made["id"]))

    def extend(self, wanted: VolumeSpec) -> Event:
        return event_of(wanted.name, lambda: self._extended(wanted))

    def _extended(self, wanted: VolumeSpec) -> Event:
        volume = self._named.get(wanted.name)
        refused = self._cloud.not_extended(wanted, volume)
        if refused:
            return refused
        if volume and wanted.size > volume.size:
            self._volumes.extend(volume.id, wanted.size)
        return Event(wanted.name, Stage.MADE, f"{wanted.size} GiB")

    def delete(self, volume: Volume) -> Event:
        return event_of(volume.name, lambda: self._deleted(volume))

    def _deleted(self, volume: Volume) -> Event:
        now = self._known.get(volume.id, volume)
        if not self._cloud.owns(volume.mark) or now.mark != volume.mark:
            return self._cloud.foreign(volume.name, now.mark)
        if volume.id in self._known and now.attached:
            raise Invalid(f"volume {volume.name} is attached to {now.attached}")
        self._volumes.delete(volume.id)
        return Event(volume.name, Stage.DELETED)
