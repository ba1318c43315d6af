# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what a cluster has besides its nodes, and prove that nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from .._clouds._contract import CloudError, Stage
from ._fleet import Fleet
from ._outcome import Outcome
from ._results import Report, Result


@dataclass(frozen=True)
class Removal:
    """Takes away a cluster that has no nodes."""

    fleet: Fleet
    report: Report
    tell: Callable[[str], None]

    def is_due(self, outcome: Outcome, data: bool) -> bool:
        """Whether there is anything that a destroy removes.

        Args:
            data: whether data volumes are removed too.
        """
        kept = set() if data else {f"volume {volume.name}" for volume in outcome.kept}
        return outcome.plan.changes or any(self._shown(name, kept) for name in self.fleet.clouds)

    def delete_volumes(self, result: Result) -> list[str]:
        """Delete all data volumes, and note them in the result; gives the faults."""
        faults: list[str] = []
        for cloud, listing in self.fleet.listed().items():
            if not listing.volumes:
                continue
            delete = partial(self.fleet.clouds[cloud].delete_volumes, listing.volumes)
            for event in self.fleet.ask(cloud, lambda call=delete: list(call()), "delete volumes"):  # type: ignore[misc]
                self.report(cloud, event, 0.0)
                if event.stage is Stage.FAILED:
                    faults.append(f"volume {event.name} could not be deleted: {event.detail}")
                else:
                    result.volumes.append(event.name)
        return faults

    def dismantle(self) -> list[str]:
        """Remove what was created besides nodes and volumes; gives the faults."""
        faults = []
        for name, cloud in self.fleet.clouds.items():
            try:
                self.fleet.ask(name, cloud.dismantle, "dismantle")
            except CloudError as error:
                faults.append(f"cloud {name}: {error}")
        return faults

    def remains(self, data: bool) -> list[str]:
        """One sentence for each object that is still there: the proof of absence, if there is none."""
        kept = set() if data else {f"volume {volume.name}" for listing in self.fleet.listed().values() for volume in listing.volumes}
        return [f"cloud {name} still holds {left}" for name in self.fleet.clouds for left in self._leftovers(name, kept)]

    def _leftovers(self, name: str, kept: Collection[str]) -> list[str]:
        """What a cloud shows of the cluster; a cloud whose lists lag is given time to update them."""
        cloud, clock = self.fleet.clouds[name], self.fleet.clock
        end = clock.now() + cloud.lag_seconds
        left = self._shown(name, kept)
        if left and cloud.lag_seconds:
            self.tell(f"cloud {name} still lists {_some(left)}; waiting up to {cloud.lag_seconds:.0f} s until its lists are up to date")
        while left and clock.now() < end:
            clock.wait(cloud.poll_seconds)
            left = self._shown(name, kept)
        # the lock of this run was deleted with the cluster, so that another run may have begun to create it again
        return left if left and self.fleet.ask(name, cloud.locked_by, "read the lock") is None else []

    def _shown(self, name: str, kept: Collection[str]) -> list[str]:
        return [part for part in self.fleet.ask(name, self.fleet.clouds[name].leftovers, "leftovers") if part not in kept]


def _some(things: Sequence[str]) -> str:
    """The first of some things, and how many more there are."""
    return things[0] + (f" and {len(things) - 1} more" if len(things) > 1 else "")
