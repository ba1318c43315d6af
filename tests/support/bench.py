# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract's suite needs of a provider, beside the contract."""

from __future__ import annotations

import abc
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Cloud,
    Event,
    Listing,
    Mark,
    Node,
    NodeSpec,
    Scope,
    Stage,
    State,
    VolumeSpec,
    image_mark,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import Api
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World, cloud_of, new_id

CLUSTERS = ("a", "a1", "a-b")  # names that are prefixes of one another, on purpose
OWNERS = ("", "someone-else")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ contract"


class Bench(abc.ABC):
    """Opens clouds of one provider, and does to them from outside what the contract does not offer."""

    options: Any
    provider: type[Cloud]
    patience: float  # seconds that a node may take to run, or to go
    poll: float = 0.5  # seconds between two looks at it
    extends_volumes: bool = True  # whether the cloud can: the contract leaves it open
    gives_images: bool = True  # the same

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
        return self.listed(cloud, lambda n: n.state not in (State.BUILDING, State.DELETING) and bool(n.state is not State.RUNNING or n.addresses))

    def deleted(self, cloud: Cloud, nodes: Sequence[Node]) -> Listing:
        """The list once these nodes are deleted: one deleted while it was being made may have failed, for a moment, before it goes."""
        faults = {event.name: event.detail for event in cloud.delete(nodes) if event.stage not in (Stage.ASKED, Stage.DELETED)}
        if faults:
            raise RuntimeError(f"not deleted: {faults}")
        ids = {node.id for node in nodes}
        return self.listed(cloud, lambda node: node.id not in ids)

    def listed(self, cloud: Cloud, through: Callable[[Node], bool]) -> Listing:
        """The list once this holds for every node."""
        end = time.monotonic() + self.patience
        while True:
            listing = cloud.listing()
            moving = [node.name for node in listing.nodes if not through(node)]
            if not moving:
                return listing
            if time.monotonic() > end:
                raise TimeoutError(f"after {self.patience} s these are still on their way: {moving}")
            self.pass_time(self.poll)

    def clear(self) -> None:
        """Take away all that the suite's clusters have."""
        for cluster in CLUSTERS:
            for owner in OWNERS:
                cloud = self(cluster, owner)
                mine = [node for node in cloud.listing().nodes if node.mark.owner == cloud.owner]
                if mine:
                    self.deleted(cloud, mine)
                volumes = [volume for volume in cloud.listing().volumes if volume.mark.owner == cloud.owner]
                if volumes:
                    list(cloud.delete_volumes(volumes))
            if not self(cluster).listing().nodes:
                for owner in OWNERS:
                    self(cluster, owner).dismantle()

    @abc.abstractmethod
    def image_file(self, folder: Path, content: str = "one", *, starts: bool = False) -> Path:
        """A file that an image can be made of.

        Args:
            content: others make another file.
            starts: whether nodes are to start from it.
        """

    @abc.abstractmethod
    def half_image(self, name: str) -> None:
        """Leave what a run leaves that was killed while it added an image of this name."""

    @abc.abstractmethod
    def halves(self, name: str) -> int:
        """How many of those are there."""

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
    gives_images = False

    def __init__(self, folder: Path) -> None:
        self.options = MemoryOptions(str(folder))
        self.world = World(folder)

    def image_file(self, folder: Path, content: str = "one", *, starts: bool = False) -> Path:  # noqa: ARG002
        return _written(folder / f"{content}.raw", content)

    def half_image(self, name: str) -> None:
        half = {"name": name, "mark": image_mark(self.options.user), "status": "queued", "checksum": "", "size": 0, "format": "raw"}
        with self.world.tamper() as state:
            held = cloud_of(state, "contract")
            held["images"][new_id(held, "i")] = half

    def halves(self, name: str) -> int:
        return sum((image["name"], image["status"]) == (name, "queued") for image in self.world.cloud("contract")["images"].values())

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
        self.store = Path(self.options.path) / "image-cache"
        self.records: dict[str, str] = {}

    def image_file(self, folder: Path, content: str = "one", *, starts: bool = False) -> Path:
        archive = folder / f"{content}.tar.gz"
        root = self._built() if starts else _small_root(folder / content)
        subprocess.run(
            ["tar", "--create", "--numeric-owner", "--use-compress-program=gzip -1", f"--file={archive}", f"--directory={root}", "."], check=True
        )
        return archive

    def _built(self) -> Path:
        """The root folder of an image that the cloud has built."""
        built = sorted(path for path in self.store.glob(f"{self.options.image}-*/root"))
        if not built:
            cloud = self("a")
            node = self.made(cloud, self.spec(cloud, 9))
            list(cloud.delete(node))
            return self._built()
        return built[-1]

    def half_image(self, name: str) -> None:
        root = self.store / f".building-{name}-0123456789ab-left" / "root"
        root.mkdir(parents=True)
        _written(root / "half", "of an image")

    def halves(self, name: str) -> int:
        return len(list(self.store.glob(f".building-{name}-*")))

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


class OpenStackBench(Bench):
    """Servers of the fake compute: all of the API, no operating system."""

    provider = OpenStackCloud
    patience = 60.0
    poll = 1.0

    def __init__(self) -> None:
        self.options = OpenStackOptions(image="fake-12", flavor="node.tiny", network="private", external_network="public")

    def image_file(self, folder: Path, content: str = "one", *, starts: bool = False) -> Path:  # noqa: ARG002
        return _written(folder / f"{content}.raw", content * 1024)

    def half_image(self, name: str) -> None:
        marks = {"sky": image_mark(self("a").owner), "sky_checksum": f"sha256:{'0' * 64}"}
        self._api.post("image", "/images", {"name": name, "disk_format": "raw", "container_format": "bare"} | marks)

    def halves(self, name: str) -> int:
        return sum(image["status"] == "queued" for image in self._api.all("image", "/images", "images", name=name))

    def clear(self) -> None:
        if self._something_stands():  # else there is nothing to clear: a look costs four calls, a clearing more than a hundred
            super().clear()

    def _something_stands(self) -> bool:
        api = self._api
        lists = {"servers": "compute", "volumes": "block-storage", "ports": "network", "security-groups": "network"}
        names = [str(item["name"]) for kind, service in lists.items() for item in api.all(service, f"/{kind}", kind.replace("-", "_"))]
        return any(re.match(rf"(sky-)?({'|'.join(CLUSTERS)})(-|$)", name) for name in names)

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def strip_mark(self, node: Node) -> None:
        self._api.put("compute", f"/servers/{node.id}/metadata", {"metadata": {}})

    def stop(self, node: Node) -> None:
        self._api.post("compute", f"/servers/{node.id}/action", {"os-stop": None})
        while self("a").listing().nodes[0].state is State.RUNNING:
            self.pass_time(self.poll)

    def discard(self, name: str) -> None:
        for server in self._api.all("compute", "/servers", "servers", name=f"^{name}$"):
            self._api.delete("compute", f"/servers/{server['id']}")

    @property
    def _api(self) -> Api:
        return Api(self.options)


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _small_root(folder: Path) -> Path:
    """What has all that is asked of a root file system, and would not start; unlike for folders of unlike names."""
    for path in ("etc/ssh", "usr/bin", "usr/sbin"):
        (folder / path).mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "hostname"):
        _written(folder / "etc" / name, f"{folder.name}:x:0:0::/root:/bin/sh\n")
    for link in ("bin", "sbin"):
        (folder / link).symlink_to(f"usr/{link}")
    for program in ("sbin/init", "sbin/sshd", "bin/python3"):
        shutil.copy2("/bin/true", folder / "usr" / program)
    return folder


def events_by_name(events: Sequence[Event]) -> dict[str, Event]:
    """The one outcome of each node; progress is left out."""
    outcomes = [event for event in events if event.stage is not Stage.ASKED]
    found = {event.name: event for event in outcomes}
    if len(found) != len(outcomes):
        raise AssertionError(f"more than one outcome for one name: {[(e.name, e.stage) for e in outcomes]}")
    return found
