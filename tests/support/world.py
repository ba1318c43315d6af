# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world that clouds in memory live in: state in files, so that a killed process loses nothing and several processes share it."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import pickle
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock

VOLUMES, IMAGES = ("create_volumes", "resize_volumes", "delete_volumes"), ("add_image", "delete_image")
WRITING = ("create", "delete", *VOLUMES, *IMAGES, "set_ready", "set_clouds", "dismantle")
LOCKING = ("lock", "renew", "unlock")
BLANK_CLOUD: dict[str, Any] = {
    "nodes": {}, "volumes": {}, "images": {}, "parts": {}, "locks": {}, "calls": {}, "writes": [], "most": {}, "next": 1, "mute": [],
}  # fmt: skip
BLANK: dict[str, Any] = {"points": 0, "kill_at": 0, "faults": [], "clouds": {}}


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at a call.

    Kinds, where `node` is 0 for the whole call or k for its k-th node:
        unavailable, denied, shortage, invalid, error: raised, with nothing (more) done.
        hang: nothing (more) done, no answer ever. lost_hang: done, no answer ever.
        lost: done, the answer is lost.
        refused: the node's event is FAILED and final. broken: the node's event is FAILED.
        fails, stuck, stops, deaf: the node is made but then fails; stays BUILDING (or DELETING); stops; or its ssh never answers.
        hidden: what was made is missing from the next `looks` lists; what was deleted is still in them.
        empty, cut, bare: the list is empty; is known to be cut short; has no marks.
        kill, kill_after: SIGKILL of this process before or after the thing is done.
    """

    method: str
    kind: str
    call: int = 1  # the k-th call of the method from now on
    times: int = 1  # so many calls in a row; 0: for ever
    node: int = 0
    cloud: str = ""  # any
    retry_after: float | None = None
    looks: int = 3
    seconds: float = 1000.0  # how far a hang moves a faked clock


class World:
    """Several clouds, one clock, and the faults that are still to come."""

    def __init__(self, folder: Path | str, real_time: bool = False) -> None:
        self.folder = Path(folder)
        self.real_time = real_time
        self._state = f"{folder}/state"
        self._lock = f"{folder}/lock"
        self._time = f"{folder}/time"

    # time

    def now(self) -> float:
        if self.real_time:
            return time.time()
        try:
            with open(self._time, "rb") as handle:
                return float(handle.read() or 0)  # empty while it is being made
        except FileNotFoundError:
            return 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self.real_time:
            time.sleep(seconds)
            return
        os.makedirs(self.folder, exist_ok=True)
        handle = os.open(self._time, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = float(os.pread(handle, 40, 0) or 0)
            os.pwrite(handle, f"{now + seconds:40.9f}".encode(), 0)  # of one width, so that it is whole at any moment
        finally:
            os.close(handle)

    def clock(self, **more: Any) -> Clock:
        """This world's time as a run sees it."""
        return Clock(now=self.now, sleep=self.advance, **more)

    # state

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """One step of a cloud: done wholly or not at all, and after it the process may be killed."""
        with self.tamper() as state:  # pylint: disable=contextmanager-generator-missing-cleanup  # a step that fails is not done
            yield state
            state["points"] += 1
            killed = state["points"] == state["kill_at"]
        if killed:
            kill_self()

    @contextlib.contextmanager
    def tamper(self) -> Iterator[dict[str, Any]]:
        """A change from outside."""
        with self._held():
            state = self.state()
            yield state
            _write(self._state, pickle.dumps(state))

    def state(self) -> dict[str, Any]:
        try:
            with open(self._state, "rb") as handle:  # not pathlib: this is what the speed of ten thousand steps hangs on
                return dict(pickle.load(handle))
        except FileNotFoundError:
            return copy.deepcopy(BLANK)

    def cloud(self, name: str) -> dict[str, Any]:
        """What one cloud holds now."""
        return cloud_of(self.state(), name)

    # what tests do to it

    def fault(self, method: str, kind: str, **more: Any) -> None:
        """Let a call go wrong; `method` may be ``*``."""
        with self.tamper() as state:
            state["faults"].append(asdict(Fault(method, kind, **more)) | {"seen": 0})

    def heal(self) -> None:
        """No more faults."""
        with self.tamper() as state:
            state["faults"] = []
            state["kill_at"] = 0

    def kill_at(self, point: int) -> None:
        """SIGKILL whoever makes the `point`-th step from now on."""
        with self.tamper() as state:
            state["kill_at"] = state["points"] + point if point else 0

    def node(self, name: str, cloud: str = "one") -> dict[str, Any]:
        """The record of the node of this name."""
        found = [node for node in self.cloud(cloud)["nodes"].values() if node["name"] == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} nodes are called {name}")
        return dict(found[0])

    def set_node(self, name: str, cloud: str = "one", **values: Any) -> None:
        """Change a node from outside (state, mark, ...)."""
        with self.tamper() as state:
            for node in cloud_of(state, cloud)["nodes"].values():
                if node["name"] == name:
                    node.update(values)

    def remove_node(self, name: str, cloud: str = "one") -> None:
        """Take a node away from outside."""
        with self.tamper() as state:
            held = cloud_of(state, cloud)
            held["nodes"] = {key: node for key, node in held["nodes"].items() if node["name"] != name}
            for volume in held["volumes"].values():
                if volume["attached"] == name:
                    volume.update(attached="", device="")

    def set_volume(self, name: str, cloud: str = "one", **values: Any) -> None:
        """Change a volume from outside."""
        with self.tamper() as state:
            for volume in cloud_of(state, cloud)["volumes"].values():
                if volume["name"] == name:
                    volume.update(values)

    def remove_volume(self, name: str, cloud: str = "one") -> None:
        """Take a volume away from outside."""
        with self.tamper() as state:
            held = cloud_of(state, cloud)
            held["volumes"] = {key: volume for key, volume in held["volumes"].items() if volume["name"] != name}

    def add_node(self, name: str, mark: str, cloud: str = "one", **values: Any) -> str:
        """Put a node there from outside; its id."""
        with self.tamper() as state:
            held = cloud_of(state, cloud)
            key = new_id(held, "n")
            held["nodes"][key] = blank_node(name, mark) | {"state": "running"} | values
            return key

    def mute(self, *names: str, cloud: str = "one") -> None:
        """These nodes' ssh does not answer from now on."""
        with self.tamper() as state:
            cloud_of(state, cloud)["mute"] = list(names)

    def probe(self, nodes: Sequence[Node], _gateway: object = None) -> Mapping[str, str]:
        """Whether ssh answers, as ``_probe`` tells it."""
        mute = {name for cloud in self.state()["clouds"].values() for name in cloud["mute"]}
        return {node.name: "no route to host" if node.name in mute else "" for node in nodes}

    # what tests look at

    def names(self, cluster: str = "demo", cloud: str = "one") -> list[str]:
        """Names of the nodes that bear the mark of a cluster, doubles included."""
        found = (node for node in self.cloud(cloud)["nodes"].values() if not node["gone"])
        return sorted(node["name"] for node in found if f" {cluster} " in node["mark"])

    def volumes(self, cluster: str = "demo", cloud: str = "one") -> dict[str, dict[str, Any]]:
        """Volumes that bear the mark of a cluster, by name."""
        found = self.cloud(cloud)["volumes"].values()
        return {volume["name"]: volume for volume in found if f" {cluster} " in volume["mark"]}

    def calls(self, *methods: str) -> int:
        """How often these methods were called so far, in all clouds; all but the lock's where none is named."""
        counts = [cloud["calls"] for cloud in self.state()["clouds"].values()]
        return sum(n for count in counts for m, n in count.items() if (m in methods if methods else m not in LOCKING))

    def writing_calls(self) -> int:
        return self.calls(*WRITING)

    def writes(self, cloud: str = "one") -> list[list[Any]]:
        """What was written, in order: [what, kind, name, ...]."""
        return list(self.cloud(cloud)["writes"])

    def most(self, cluster: str = "demo", cloud: str = "one") -> int:
        """The most nodes of a cluster that existed at any one time."""
        return int(self.cloud(cloud)["most"].get(cluster, 0))

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        os.makedirs(self.folder, exist_ok=True)
        handle = os.open(self._lock, os.O_WRONLY | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def cloud_of(state: dict[str, Any], name: str) -> dict[str, Any]:
    """One cloud's part of the state."""
    held: dict[str, Any] = state["clouds"].setdefault(name, copy.deepcopy(BLANK_CLOUD))
    return held


def new_id(held: dict[str, Any], prefix: str) -> str:
    """An identifier that was never used in this cloud."""
    held["next"] += 1
    return f"{prefix}{held['next']}"


def blank_node(name: str, mark: str) -> dict[str, Any]:
    return {
        "name": name, "mark": mark, "state": "building", "looks": 0, "made": 0.0, "addresses": [], "flavor": "small", "image": "debian-12",
        "ready": "", "clouds": [], "fault": "", "hidden": 0, "linger": 0, "gone": False, "doom": "", "stuck": False, "public": False,
    }  # fmt: skip


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _write(path: str, content: bytes) -> None:
    """Replaced in one step, so that a kill leaves the old or the new."""
    with open(f"{path}.new", "wb") as handle:
        handle.write(content)
    os.replace(f"{path}.new", path)
