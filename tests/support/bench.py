# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract's suite needs of a provider, beside the contract."""

from __future__ import annotations

import abc
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cloud import Cloud, Event, Listing, Mark, Node, NodeSpec, Scope, Stage, State, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

CLUSTERS = ("a", "a1", "a-b")  # names that are prefixes of one another, on purpose
OWNERS = ("", "someone-else")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ contract"


class Bench(abc.ABC):
    """Opens clouds of one provider, and does to them from outside what the contract does not offer."""

    options: Any
    provider: type[Cloud]
    patience: float  # seconds that a node may take to run, or to go

    def __call__(self, cluster: str = "a", owner: str = "") -> Cloud:
        return self.provider("contract", self.options, Scope(cluster, owner))

    def spec(self, cloud: Cloud, index: int = 0, volumes: Sequence[VolumeSpec] = (), **more: Any) -> NodeSpec:
        """The node of this index in pool ``p``."""
        mark = Mark(cloud.owner, cloud.scope.cluster, "p", index)
        known = {"image": self.options.image, "flavor": self.options.flavor, "ssh_keys": (KEY,)}
        return NodeSpec(mark=mark, volumes=tuple(volumes), **(known | more))

    def made(self, cloud: Cloud, *specs: NodeSpec) -> list[Node]:
        """These nodes, made, as the list tells them."""
        events = {event.name: event for event in cloud.create(specs) if event.stage is not Stage.ASKED}
        faults = [event.detail for event in events.values() if event.stage is not Stage.MADE]
        if faults:
            raise RuntimeError("; ".join(faults))
        listed = {node.name: node for node in cloud.listing().nodes}
        return [listed[spec.name] for spec in specs]

    def settled(self, cloud: Cloud) -> Listing:
        """The list once nothing is on its way any more."""
        end = time.monotonic() + self.patience
        while True:
            listing = cloud.listing()
            moving = [n.name for n in listing.nodes if n.state in (State.BUILDING, State.DELETING) or (n.state is State.RUNNING and not n.addresses)]
            if not moving:
                return listing
            if time.monotonic() > end:
                raise TimeoutError(f"after {self.patience} s these are still on their way: {moving}")
            self.pass_time(0.5)

    def clear(self) -> None:
        """Take away all that the suite's clusters have."""
        for cluster in CLUSTERS:
            for owner in OWNERS:
                cloud = self(cluster, owner)
                mine = [node for node in cloud.listing().nodes if node.mark.owner == cloud.owner]
                if mine:
                    list(cloud.delete(mine))
                    self.settled(cloud)
                volumes = [volume for volume in cloud.listing().volumes if volume.mark.owner == cloud.owner]
                if volumes:
                    list(cloud.delete_volumes(volumes))
            if not self(cluster).listing().nodes:
                self(cluster).dismantle()

    @abc.abstractmethod
    def pass_time(self, seconds: float) -> None: ...

    @abc.abstractmethod
    def strip_mark(self, node: Node) -> None:
        """Take the mark off a node, as somebody with rights in the cloud might."""

    @abc.abstractmethod
    def stop(self, node: Node) -> None:
        """Switch a node off, from outside."""

    @abc.abstractmethod
    def discard(self, name: str) -> None:
        """Take away a stray that a test made."""


class MemoryBench(Bench):
    provider = MemoryCloud
    patience = 5.0

    def __init__(self, folder: Path) -> None:
        self.options = MemoryOptions(str(folder))
        self.world = World(folder)

    def pass_time(self, seconds: float) -> None:
        self.world.advance(seconds)

    def strip_mark(self, node: Node) -> None:
        self.world.set_node(node.name, "contract", mark="")

    def stop(self, node: Node) -> None:
        self.world.set_node(node.name, "contract", state="stopped")

    def discard(self, name: str) -> None:
        self.world.remove_node(name, "contract")


class LxcBench(Bench):
    provider = LxcCloud
    patience = 60.0

    def __init__(self) -> None:
        self.options = LxcOptions(zone="contract")
        self.nodes = Path(self.options.path) / self.options.zone / "nodes"
        self.records: dict[str, str] = {}

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def strip_mark(self, node: Node) -> None:
        record = self.nodes / node.name / "sky.json"
        self.records[node.name] = record.read_text()
        record.unlink()

    def stop(self, node: Node) -> None:
        subprocess.run(["lxc-stop", "-P", str(self.nodes), "-n", node.name, "-k"], check=True, timeout=60)

    def discard(self, name: str) -> None:
        (self.nodes / name / "sky.json").write_text(self.records.pop(name))


def events_by_name(events: Sequence[Event]) -> dict[str, Event]:
    """The one outcome of each node; progress is left out."""
    outcomes = [event for event in events if event.stage is not Stage.ASKED]
    found = {event.name: event for event in outcomes}
    if len(found) != len(outcomes):
        raise AssertionError(f"more than one outcome for one name: {[(e.name, e.stage) for e in outcomes]}")
    return found
