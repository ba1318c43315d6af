# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole cloud in memory: the contract's first implementation, with a fault that can be set at every call.

Like real clouds it does not keep names unique, and looks and makes in two steps: who ignores the run's lock gets doubles.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import Integer, ListOf, Text, option
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Address,
    Cloud,
    CloudError,
    Definition,
    Denied,
    Event,
    Holding,
    Image,
    ImageSpec,
    Invalid,
    Lease,
    Listing,
    Locked,
    Mark,
    Node,
    NodeSpec,
    Options,
    Shortage,
    Stage,
    State,
    Stray,
    Unavailable,
    Volume,
    VolumeSpec,
    image_mark,
)
from ansible_collections.sky.clusters.tests.support.world import WRITING, World, blank_node, cloud_of, kill_self, new_id

ERRORS: dict[str, type[CloudError]] = {"denied": Denied, "shortage": Shortage, "invalid": Invalid, "error": CloudError, "cut": CloudError}
FAULTS = {"fails": "the hypervisor gave up", "short": "the quota was exceeded meanwhile"}  # what becomes of nodes that are taken on
DOOMS = (*FAULTS, "stuck", "stops", "deaf")
FOREVER = 10**9


@dataclass(frozen=True)
class MemoryOptions(Options):
    """Options of the cloud in memory."""

    path: str = option(Text(), "folder that holds the state")
    image: str = option(Text(), "image of nodes", default="debian-12")
    flavor: str = option(Text(), "size of nodes", default="small")
    ssh_user: str = option(Text(), "who logs in to nodes", default="root")
    user: str = option(Text(), "the user that the credentials belong to", default="tester")
    images: tuple[str, ...] = option(ListOf(Text()), "images that it knows", default=("debian-12", "debian-13"))
    flavors: tuple[str, ...] = option(ListOf(Text()), "flavors that it knows", default=("small", "large"))
    quota: int = option(Integer(0), "the most nodes it holds", default=100000)
    boot_looks: int = option(Integer(0), "lists until a node runs", default=1)
    boot_seconds: int = option(Integer(0), "seconds until a node runs", default=0)
    delete_looks: int = option(Integer(0), "lists until a deleted node is gone", default=1)
    disk: int = option(Integer(0), "GiB that its smallest flavor has now", default=10)
    network: str = option(Text(), "network of its nodes", default="inside")
    account: str = option(Text(), "what tells this cloud from others that have one", default="")
    gap: int = option(Integer(0), "milliseconds between the look for a mark and the making", default=0)
    real_time: bool = False


class _Call:
    """One call on its way, with the fault that was set for it."""

    def __init__(self, cloud: MemoryCloud, method: str, fault: dict[str, Any]) -> None:
        self.cloud = cloud
        self.method = method
        self.fault = fault
        self.lost = False

    def hit(self, kind: str, place: int = 0) -> bool:
        return bool(self.fault) and self.fault["kind"] == kind and self.fault["node"] == place

    def touches(self, kind: str, place: int) -> bool:
        """Whether this node has a fault of its own."""
        return bool(self.fault) and self.fault["kind"] == kind and self.fault["node"] in (0, place)

    def before(self, place: int = 0) -> None:
        """What goes wrong before anything (more) is done."""
        if not self.fault or self.fault["node"] != place:
            return
        kind = self.fault["kind"]
        where = f"{self.method} in cloud {self.cloud.name}"
        if kind == "unavailable":
            raise Unavailable(f"{where}: 503 Service Unavailable", self.fault["retry_after"])
        if kind in ERRORS:
            raise ERRORS[kind](f"{where}: {kind}, says the cloud")
        if kind == "kill":
            kill_self()
        if kind == "hang":
            self.cloud.hang(self.fault["seconds"])

    def after(self, place: int = 0) -> None:
        """What goes wrong after it was done, before the answer was read."""
        if self.hit("kill_after", place):
            kill_self()
        if self.hit("lost_hang", place):
            self.cloud.hang(self.fault["seconds"])
        if self.hit("lost", place):
            raise Unavailable(f"{self.method} in cloud {self.cloud.name}: connection reset by peer")

    @property
    def mute(self) -> bool:
        """Whether everything is done and nothing is answered."""
        return any(self.hit(kind) for kind in ("lost", "lost_hang", "kill_after"))


class MemoryCloud(Cloud):
    """See the module."""

    provider: ClassVar[str] = "memory"
    poll_seconds: ClassVar[float] = 2.0
    shared_kinds: ClassVar[tuple[str, ...]] = ("group",)

    def __init__(self, name: str, options: MemoryOptions, scope: Any) -> None:
        super().__init__(name, options, scope)
        self.options: MemoryOptions = options
        self.world = World(options.path, options.real_time)
        self.released = threading.Event()  # ends the hangs of this cloud, at the end of a test

    # calls and faults

    def hang(self, seconds: float) -> None:
        if not self.options.real_time:
            self.world.advance(seconds)
        self.released.wait()
        raise Unavailable("the hang was ended by the test")

    def _call(self, method: str) -> _Call:
        """Count a call, and find its fault."""
        with self.world.change() as state:
            calls = cloud_of(state, self.name)["calls"]
            calls[method] = calls.get(method, 0) + 1
            chosen: dict[str, Any] = {}
            for fault in state["faults"]:
                if fault["method"] in (method, "*") and fault["cloud"] in ("", self.name):
                    fault["seen"] += 1
                    end = fault["call"] + (fault["times"] or FOREVER)
                    if fault["call"] <= fault["seen"] < end and not chosen:
                        chosen = dict(fault)
        call = _Call(self, method, chosen)
        call.before()
        return call

    def _stream(self, method: str, items: Sequence[Any], one: Callable[[_Call, int, Any], Event]) -> Iterator[Event]:
        """A call that answers item by item."""
        call = self._call(method)
        for place, item in enumerate(items, 1):
            call.before(place)
            event = one(call, place, item)
            call.after(place)
            if not call.mute:
                yield event
        call.after()

    # the contract

    def identity(self) -> str:
        call = self._call("identity")
        call.after()
        return self.options.user

    def listing(self) -> Listing:
        call = self._call("listing")
        with self.world.change() as state:
            found = _Look(cloud_of(state, self.name), self.world.now(), self.options).listing(self.scope.cluster, call.hit("bare"))
        call.after()
        return Listing() if call.hit("empty") else found

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], going: Sequence[Node] = ()) -> list[str]:
        call = self._call("shortages")
        found = self._unknown(specs)
        found += [f"volume {volume.name}: no type {volume.type} here" for volume in volumes if volume.type not in ("", "fast")]
        over = len(self.world.cloud(self.name)["nodes"]) - len(going) + len(specs) - self.options.quota
        found += [f"{over} node(s) over the quota of {self.options.quota}"] if over > 0 else []
        call.after()
        return found

    def place(self) -> str:
        return f"account {self.options.account}" if self.options.account else ""

    def definitions(self, specs: Sequence[NodeSpec]) -> list[Definition]:
        call = self._call("definitions")
        found = [Definition(tuple(self._unknown([spec])), self._parts(spec), {"network": "all nodes share it"}) for spec in specs]
        call.after()
        return found

    def _parts(self, spec: NodeSpec) -> dict[str, str]:
        """What is fixed when a node is made."""
        extra = ", ".join(f"{key}={value}" for key, value in sorted(spec.extra.items()))
        disk = str(self.options.disk) if spec.flavor == "small" else "100"
        size = {"cores": "2", "memory": "2048"}
        return size | {"disk": disk, "public_ip": "yes" if spec.public_ip else "no", "extra": extra or "none", "network": self.options.network}

    def _unknown(self, specs: Sequence[NodeSpec]) -> list[str]:
        found = sorted({f"no image {spec.image} here" for spec in specs if spec.image not in self._known_images()})
        return found + sorted({f"no flavor {spec.flavor} here" for spec in specs if spec.flavor not in self.options.flavors})

    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        return self._stream("create", specs, self._create_one)

    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        return self._stream("delete", nodes, self._delete_one)

    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        return self._stream("create_volumes", volumes, self._create_volume)

    def resize_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        return self._stream("resize_volumes", volumes, self._resize_one)

    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        return self._stream("delete_volumes", volumes, self._delete_volume)

    def images(self) -> list[Image]:
        call = self._call("images")
        found = [Image(name, name, format="raw", architecture="x86_64") for name in self.options.images]
        found += [self._image(key, record) for key, record in self.world.cloud(self.name)["images"].items()]
        call.after()
        return found

    def _image(self, key: str, record: dict[str, Any]) -> Image:
        told = {name: value for name, value in record.items() if name != "mark"}
        return Image(id=key, ours=record["mark"] == image_mark(self._owner_known()), architecture="x86_64", **told)

    def add_image(self, spec: ImageSpec, file: BinaryIO) -> Image:
        """Like a real cloud's in two steps: asked for, then filled."""
        call = self._call("add_image")
        mine = [image for image in self.images() if image.name == spec.name]
        if any(not image.ours for image in mine):
            raise Invalid(f"the name {spec.name} is taken by an image that is not ours")
        whole = next((image for image in mine if (image.status, image.checksum) == ("active", spec.checksum)), None)
        if whole is None:
            whole = self._filled(spec, file)
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            held["images"] = {key: record for key, record in held["images"].items() if key == whole.id or key not in {image.id for image in mine}}
        call.after()
        return whole

    def _filled(self, spec: ImageSpec, file: BinaryIO) -> Image:
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            key = new_id(held, "i")
            mark = image_mark(self._owner_known())
            held["images"][key] = {"name": spec.name, "mark": mark, "status": "queued", "checksum": "", "size": 0, "format": spec.format or "raw"}
            held["writes"].append(["create", "image", spec.name])
        content = file.read()
        said = f"sha256:{hashlib.sha256(content).hexdigest()}"
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            if said == spec.checksum:
                held["images"][key].update(status="active", checksum=spec.checksum, size=len(content))
                return self._image(key, held["images"][key])
            del held["images"][key]
        raise CloudError(f"the file of image {spec.name} has the checksum {said}, not {spec.checksum}")

    def delete_image(self, image: Image) -> None:
        call = self._call("delete_image")
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            record = held["images"].get(image.id)
            if record is None and image.id in self.options.images:
                raise CloudError(f"image {image.name} is not ours: it is left alone")
            if record is not None:
                if record["mark"] != image_mark(self._owner_known()):
                    raise CloudError(f"image {image.name} is not ours: it is left alone")
                users = [node["name"] for node in held["nodes"].values() if node["image"] == image.name]
                if users:
                    raise CloudError(f"image {image.name} is in use by {', '.join(users)}")
                del held["images"][image.id]
                held["writes"].append(["delete", "image", image.name])
        call.after()

    def _known_images(self) -> set[str]:
        added = self.world.cloud(self.name)["images"].values()
        return {*self.options.images, *(record["name"] for record in added if record["status"] == "active")}

    def set_ready(self, nodes: Sequence[Node], value: str) -> None:
        self._note("ready", nodes, value)

    def set_clouds(self, nodes: Sequence[Node], clouds: Sequence[str]) -> None:
        self._note("clouds", nodes, list(clouds))

    def _note(self, what: str, nodes: Sequence[Node], value: Any) -> None:
        call = self._call(f"set_{what}")
        for place, node in enumerate(nodes, 1):
            call.before(place)
            with self.world.change() as state:
                held = cloud_of(state, self.name)
                record = held["nodes"].get(node.id)
                if record is None or record["mark"] != str(node.mark):
                    raise CloudError(f"node {node.name} is not there any more")
                record[what] = value
                held["writes"].append([what, "node", node.name, value])
            call.after(place)
        call.after()

    def console(self, node: Node, lines: int = 20) -> str:
        call = self._call("console")
        call.after()
        return "\n".join([f"line {line} of {node.name}" for line in range(100)][-lines:])

    def gaps(self) -> list[str]:
        return []  # nobody takes the group away

    def shared_missing(self, specs: Sequence[NodeSpec]) -> list[str]:
        call = self._call("shared_missing")
        found = [f"group {self.scope.cluster}"] if specs and self.scope.cluster not in self.world.cloud(self.name)["parts"] else []
        call.after()
        return found

    def dismantle(self) -> None:
        call = self._call("dismantle")
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            if any(_belongs(self.scope.cluster, node, 0) for node in held["nodes"].values()):
                raise Invalid(f"cluster {self.scope.cluster} still has nodes")
            if held["parts"].pop(self.scope.cluster, None):
                held["writes"].append(["delete", "group", self.scope.cluster])
        call.after()

    def leftovers(self) -> list[str]:
        call = self._call("leftovers")
        held = self.world.cloud(self.name)
        found = [f"node {node['name']}" for node in held["nodes"].values() if _belongs(self.scope.cluster, node, 0)]
        found += [f"volume {volume['name']}" for volume in held["volumes"].values() if _belongs(self.scope.cluster, volume, 1)]
        found += [f"group {name}" for name in held["parts"] if name == self.scope.cluster]
        call.after()
        return sorted(found)

    def lock(self, holder: str, seconds: float) -> Lease:
        call = self._call("lock")
        with self.world.change() as state:
            locks = cloud_of(state, self.name)["locks"]
            held = locks.get(self.scope.cluster)
            now = self.world.now()
            if held and held["until"] > now and held["holder"] != holder:
                raise Locked(f"cluster {self.scope.cluster} is locked by {held['holder']} since {held['since']:.0f}")
            broken = held["holder"] if held and held["until"] <= now else ""
            token = uuid.uuid4().hex
            locks[self.scope.cluster] = {"holder": holder, "token": token, "until": now + seconds, "since": now}
        call.after()
        return Lease(holder, token, broken)

    def locked_by(self) -> Holding | None:
        call = self._call("locked_by")
        held = self.world.cloud(self.name)["locks"].get(self.scope.cluster)
        call.after()
        return Holding(held["holder"], f"{held['since']:.0f}") if held and held["until"] > self.world.now() else None

    def renew(self, lease: Lease, seconds: float) -> None:
        call = self._call("renew")
        with self.world.change() as state:
            held = cloud_of(state, self.name)["locks"].get(self.scope.cluster)
            if not held or held["token"] != lease.token:
                raise Locked(f"the lock on cluster {self.scope.cluster} was lost to {held['holder'] if held else 'nobody'}")
            held["until"] = self.world.now() + seconds
        call.after()

    def unlock(self, lease: Lease) -> None:
        call = self._call("unlock")
        with self.world.change() as state:
            locks = cloud_of(state, self.name)["locks"]
            if locks.get(self.scope.cluster, {}).get("token") == lease.token:
                del locks[self.scope.cluster]
        call.after()

    # one node or volume

    def _create_one(self, call: _Call, place: int, spec: NodeSpec) -> Event:
        if call.touches("refused", place) or call.touches("broken", place):
            final = call.touches("refused", place)
            return Event(spec.name, Stage.FAILED, "no valid host was found", final=final, error=Shortage if final else None)
        standing = self._standing(spec)
        if standing is not None:
            return standing if standing.stage is Stage.FAILED else self._complete(spec, standing)
        if self.options.gap:
            time.sleep(self.options.gap / 1000)
        refusal = self._refusal(spec)
        if refusal:
            return Event(spec.name, Stage.FAILED, str(refusal), final=True, error=type(refusal))
        self._make_parts()
        new = [volume.name for volume in spec.volumes if self._make_volume(spec, volume)]
        if (taken := self._taken_volume(spec)) != "":
            self._drop_volumes(new)
            return Event(spec.name, Stage.FAILED, taken, final=True)
        return self._make_node(call, place, spec)

    def _standing(self, spec: NodeSpec) -> Event | None:
        """The answer where the node exists."""
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            for key, node in held["nodes"].items():
                if node["name"] != spec.name or node["gone"]:
                    continue
                if node["mark"] != str(spec.mark):
                    return Event(spec.name, Stage.FAILED, f"the name is taken by {key}, which is not of this cluster", final=True)
                if node["state"] == "deleting":
                    return Event(spec.name, Stage.FAILED, f"its old node {key} is still being deleted")
                if node["state"] == "stopped":
                    node.update(state="building", looks=0, made=self.world.now())
                    held["writes"].append(["start", "node", spec.name])
                return Event(spec.name, Stage.MADE, key, node=_Look(held, self.world.now(), self.options).node(key, node))
        return None

    def _complete(self, spec: NodeSpec, standing: Event) -> Event:
        """Attach what volumes a node lacks."""
        new = [volume.name for volume in spec.volumes if self._make_volume(spec, volume)]
        if (taken := self._taken_volume(spec)) != "":
            self._drop_volumes(new)
            return Event(spec.name, Stage.FAILED, taken, final=True)
        with self.world.change() as state:
            self._attach(cloud_of(state, self.name), spec)
        return standing

    def _attach(self, held: dict[str, Any], spec: NodeSpec) -> None:
        for volume in held["volumes"].values():
            if volume["name"] in {wanted.name for wanted in spec.volumes} and not volume["attached"]:
                volume.update(attached=spec.name, device=f"/dev/disk/by-id/{volume['name']}")
                held["writes"].append(["attach", "volume", volume["name"]])

    def _refusal(self, spec: NodeSpec) -> CloudError | None:
        if spec.image not in self._known_images():
            return Invalid(f"no image {spec.image} here")
        if spec.flavor not in self.options.flavors:
            return Invalid(f"no flavor {spec.flavor} here")
        if len(self.world.cloud(self.name)["nodes"]) >= self.options.quota:
            return Shortage(f"quota of {self.options.quota} nodes exceeded")
        return None

    def _make_parts(self) -> None:
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            if self.scope.cluster not in held["parts"]:
                held["parts"][self.scope.cluster] = "group"
                held["writes"].append(["create", "group", self.scope.cluster])

    def _make_volume(self, spec: NodeSpec, volume: VolumeSpec) -> bool:
        """Whether it did not exist."""
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            if any(known["name"] == volume.name for known in held["volumes"].values()):
                return False
            record = {"name": volume.name, "mark": str(spec.mark), "size": volume.size, "type": volume.type, "attached": "", "device": "", "data": ""}
            held["volumes"][new_id(held, "v")] = record
            held["writes"].append(["create", "volume", volume.name])
        return True

    def _taken_volume(self, spec: NodeSpec) -> str:
        wanted = {volume.name for volume in spec.volumes}
        for volume in self.world.cloud(self.name)["volumes"].values():
            if volume["name"] not in wanted:
                continue
            if volume["mark"] != str(spec.mark):
                return f"volume {volume['name']} is not of this node"
            if volume["attached"] not in ("", spec.name):
                return f"volume {volume['name']} is attached to {volume['attached']}"
        return ""

    def _drop_volumes(self, names: Sequence[str]) -> None:
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            held["volumes"] = {key: volume for key, volume in held["volumes"].items() if volume["name"] not in names}

    def _make_node(self, call: _Call, place: int, spec: NodeSpec) -> Event:
        doom = next((doom for doom in DOOMS if call.touches(doom, place)), "")
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            key = new_id(held, "n")
            number = held["next"]
            addresses = [[f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", False]]
            addresses += [[f"198.51.{number // 256 % 256}.{number % 256}", True]] if spec.public_ip else []
            held["nodes"][key] = blank_node(spec.name, str(spec.mark)) | {
                "made": self.world.now(), "addresses": addresses, "flavor": spec.flavor, "image": spec.image, "doom": doom, "public": spec.public_ip,
                "hidden": call.fault["looks"] if call.touches("hidden", place) else 0, "clouds": list(spec.clouds), "from": self._parts(spec),
                "number": spec.number,
            }  # fmt: skip
            self._attach(held, spec)
            if doom == "deaf":
                held["mute"].append(spec.name)
            held["writes"].append(["create", "node", spec.name])
            alive = sum(1 for node in held["nodes"].values() if _is_of(self.scope.cluster, node["mark"]) and not node["gone"])
            held["most"][self.scope.cluster] = max(alive, held["most"].get(self.scope.cluster, 0))
            made = _Look(held, self.world.now(), self.options).node(key, held["nodes"][key])
        return Event(spec.name, Stage.MADE, key, node=made)

    def _delete_one(self, call: _Call, place: int, node: Node) -> Event:
        if call.touches("refused", place) or call.touches("broken", place):
            return Event(node.name, Stage.FAILED, "the node is busy")
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            record = held["nodes"].get(node.id)
            if record is None or record["gone"]:
                return Event(node.name, Stage.DELETED)
            if record["mark"] != str(node.mark) or node.mark.cluster != self.scope.cluster or node.mark.owner != self._owner_known():
                return Event(node.name, Stage.FAILED, f"{node.id} does not have the mark of this cluster: left alone")
            if record["state"] == "deleting":
                return Event(node.name, Stage.DELETED)
            for volume in held["volumes"].values():
                if volume["attached"] == node.name:
                    volume.update(attached="", device="")
            held["writes"].append(["delete", "node", node.name])
            held["mute"] = [name for name in held["mute"] if name != node.name]
            if call.touches("hidden", place):
                record.update(gone=True, linger=call.fault["looks"])
            elif call.touches("stuck", place) or self.options.delete_looks:
                record.update(state="deleting", looks=0, stuck=call.touches("stuck", place))
            else:
                del held["nodes"][node.id]
        return Event(node.name, Stage.DELETED)

    def _owner_known(self) -> str:
        return self.scope.owner or self.options.user

    def _create_volume(self, call: _Call, place: int, spec: VolumeSpec) -> Event:
        if call.touches("refused", place):
            return Event(spec.name, Stage.FAILED, "no space for so much", final=True)
        try:
            mark = str(self.mark_of(spec.name))
        except Invalid as error:
            return Event(spec.name, Stage.FAILED, str(error), final=True, error=Invalid)
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            for known in held["volumes"].values():
                if known["name"] == spec.name:
                    same = known["mark"] == mark
                    return Event(spec.name, Stage.MADE if same else Stage.FAILED, "" if same else "the name is taken", final=not same)
            record = {"name": spec.name, "mark": mark, "size": spec.size, "type": spec.type, "attached": "", "device": "", "data": ""}
            held["volumes"][new_id(held, "v")] = record
            held["writes"].append(["create", "volume", spec.name])
        return Event(spec.name, Stage.MADE)

    def _resize_one(self, call: _Call, place: int, spec: VolumeSpec) -> Event:
        if call.touches("refused", place):
            return Event(spec.name, Stage.FAILED, "no space for so much", final=True)
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            for volume in held["volumes"].values():
                if volume["name"] == spec.name and _is_of(self.scope.cluster, volume["mark"]):
                    if spec.size < volume["size"]:
                        return Event(spec.name, Stage.FAILED, f"a volume cannot shrink from {volume['size']} to {spec.size} GiB", final=True)
                    if spec.size > volume["size"]:
                        volume["size"] = spec.size
                        held["writes"].append(["resize", "volume", spec.name, spec.size])
                    return Event(spec.name, Stage.MADE)
        return Event(spec.name, Stage.FAILED, "no such volume", final=True)

    def _delete_volume(self, call: _Call, place: int, volume: Volume) -> Event:
        if call.touches("refused", place):
            return Event(volume.name, Stage.FAILED, "the volume is busy")
        with self.world.change() as state:
            held = cloud_of(state, self.name)
            record = held["volumes"].get(volume.id)
            if record is None:
                return Event(volume.name, Stage.DELETED)
            if record["mark"] != str(volume.mark) or volume.mark.cluster != self.scope.cluster or volume.mark.owner != self._owner_known():
                return Event(volume.name, Stage.FAILED, f"{volume.id} does not have the mark of this cluster: left alone")
            if record["attached"]:
                return Event(volume.name, Stage.FAILED, f"it is attached to {record['attached']}")
            del held["volumes"][volume.id]
            held["writes"].append(["delete", "volume", volume.name])
        return Event(volume.name, Stage.DELETED)


class _Look:
    """One look at a cloud: what is on its way comes nearer, then what is there is told."""

    def __init__(self, held: dict[str, Any], now: float, options: MemoryOptions) -> None:
        self.held = held
        self.now = now
        self.options = options

    def listing(self, cluster: str, bare: bool) -> Listing:
        for key, node in list(self.held["nodes"].items()):
            if _is_of(cluster, node["mark"]) and not self._pass_time(node):
                del self.held["nodes"][key]
                self._let_go(node["name"])
        nodes: list[Node] = []
        strays: list[Stray] = []
        for key, node in self.held["nodes"].items():
            reason = _strangeness(cluster, node, "" if bare else node["mark"], 0)
            if reason:
                strays.append(Stray("node", node["name"], key, reason))
            elif _is_of(cluster, node["mark"]) and node["hidden"] == 0 and not bare:
                nodes.append(self.node(key, node))
        volumes = [self._volume(key, v) for key, v in self.held["volumes"].items() if _is_of(cluster, v["mark"]) and not bare]
        for key, volume in self.held["volumes"].items():
            if reason := _strangeness(cluster, volume, "" if bare else volume["mark"], 1):
                strays.append(Stray("volume", volume["name"], key, reason))
        return Listing(tuple(nodes), tuple(volumes), tuple(strays))

    def _let_go(self, name: str) -> None:
        if not any(node["name"] == name for node in self.held["nodes"].values()):
            for volume in self.held["volumes"].values():
                if volume["attached"] == name:
                    volume.update(attached="", device="")

    def node(self, key: str, node: dict[str, Any]) -> Node:
        mark = Mark.parse(node["mark"])
        if mark is None:
            raise CloudError(f"node {key} has no mark")
        addresses = tuple(Address(address, 4, "memory", public) for address, public in node["addresses"])
        return Node(
            node["name"], key, mark, State(node["state"]), addresses, node["flavor"], node["image"], "x86_64", 2, 2048, f"{node['made']:.0f}",
            node["ready"], tuple(node["clouds"]), (f"ssh-ed25519 AAAA{key}",), node["fault"], node["fault"] == FAULTS["short"], node.get("from", {}),
            node.get("number", 0),
        )  # fmt: skip

    def _volume(self, key: str, volume: dict[str, Any]) -> Volume:
        mark = Mark.parse(volume["mark"])
        if mark is None:
            raise CloudError(f"volume {key} has no mark")
        return Volume(volume["name"], key, mark, volume["size"], volume["type"], volume["attached"], volume["device"])

    def _pass_time(self, node: dict[str, Any]) -> bool:
        """Whether it is still there."""
        node["looks"] += 1
        node["hidden"] = max(0, node["hidden"] - 1)
        if node["gone"]:
            node["linger"] -= 1
            return bool(node["linger"] >= 0)
        if node["state"] == "deleting":
            return bool(node["stuck"] or node["looks"] <= self.options.delete_looks)
        late = not self.options.boot_seconds or self.now - node["made"] >= self.options.boot_seconds
        booted = node["looks"] > self.options.boot_looks and late
        if node["state"] == "building" and node["doom"] != "stuck" and booted:
            node["state"] = "failed" if node["doom"] in FAULTS else "stopped" if node["doom"] == "stops" else "running"
            node["fault"] = FAULTS.get(node["doom"], "")
        return True


def _is_of(cluster: str, mark: str) -> bool:
    """Whether a mark is of this cluster; one that cannot be understood stops everything."""
    parsed = Mark.parse(mark)
    return parsed is not None and parsed.cluster == cluster


def _belongs(cluster: str, record: dict[str, Any], tail: int) -> bool:
    """Whether something is of this cluster, by its mark and by its name."""
    return _is_of(cluster, record["mark"]) and not _strangeness(cluster, record, record["mark"], tail)


def _strangeness(cluster: str, record: dict[str, Any], mark: str, tail: int) -> str:
    """Why something that stands where an object of this cluster would stand is none; empty if it is one, or stands elsewhere."""
    parsed = Mark.parse(mark)
    expected = "" if parsed is None else parsed.node_name
    ours = parsed is not None and parsed.cluster == cluster
    same = record["name"].rpartition("-")[0] == expected if tail else record["name"] == expected
    if ours and not same:
        return f"it has the mark of {expected}, and another name"
    words = record["name"].rsplit("-", 2 + tail)
    looks_ours = len(words) == 3 + tail and words[0] == cluster and words[2].isdigit()
    return "it has no mark of this cluster" if looks_ours and not ours else ""


__all__ = ["WRITING", "MemoryCloud", "MemoryOptions"]
