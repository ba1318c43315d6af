# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program: one request on standard input, answers as lines of JSON on standard output.

The first line of standard input is the request; it stays open for as long as the caller lives. Each answer is one of ``{"event": ...}``,
``{"value": ...}`` (the last one of a request that ended well) and ``{"error": {"kind": ..., "message": ...}}`` (the last one otherwise).
"""

from __future__ import annotations

import dataclasses
import errno
import ipaddress
import json
import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import added, check, disk, files, images, locks, machine, network, nodes, remains, volumes
from .errors import HostError
from .images import Images
from .nodes import Order
from .places import Zone
from .records import Damaged

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AT_ONCE = 8  # nodes that are started or stopped side by side


class Caller:
    """The caller: receives events; may go away at any time."""

    def __init__(self) -> None:
        self._speaking = threading.Lock()
        self._gone = threading.Event()

    def request(self) -> dict[str, Any]:
        """The request; from then on the caller is watched."""
        text = b""
        while not text.endswith(b"\n"):
            part = os.read(0, 65536)
            if not part:
                break
            text += part
        threading.Thread(target=self._watch, daemon=True).start()
        return dict(json.loads(text))

    def _watch(self) -> None:
        while os.read(0, 4096):
            pass
        self._gone.set()

    def gone(self) -> bool:
        return self._gone.is_set()

    def tell(self, kind: str, value: Any) -> None:
        line = json.dumps({kind: value}).encode() + b"\n"
        with self._speaking:
            try:
                while line:
                    line = line[os.write(1, line) :]
            except BrokenPipeError:
                self._gone.set()

    def event(self, name: str, stage: str, detail: str = "", log: str = "", kind: str = "") -> None:
        self.tell("event", {"name": name, "stage": stage, "detail": detail, "log": log, "kind": kind})

    def failed(self, name: str, error: Exception) -> None:
        said = as_host_error(error)
        self.event(name, "failed", str(said), said.log, said.kind)


def as_host_error(error: Exception) -> HostError:
    """Any error as one sentence."""
    if isinstance(error, HostError):
        return error
    if isinstance(error, Damaged):
        return HostError(f"a record is damaged: {error}", "mark")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HostError(f"no space left for {error.filename or 'a file'}", "shortage")
    return HostError(f"{type(error).__name__}: {error}")


class Program:
    """Carries requests out for one zone."""

    def __init__(self, caller: Caller, zone: Zone, request: dict[str, Any]) -> None:
        self.caller = caller
        self.zone = zone
        self.request = request

    def create(self) -> None:
        lacks = machine.missing()
        if lacks:
            raise HostError("; ".join(lacks), "shortage")
        servers = disk.resolvers(self.request["resolvers"])
        orders = [Order.read(data | {"resolvers": servers}) for data in self.request["nodes"]]
        bases = self._images(orders)
        orders = [order for order in orders if order.name in bases]
        refused = nodes.reserve(self.zone, orders)
        for name, error in refused.items():
            self.caller.failed(name, error)
        self._side_by_side(lambda order: self._bring_up(order, bases[order.name]), [order for order in orders if order.name not in refused])

    def _images(self, orders: list[Order]) -> dict[str, str]:
        """The image of each node, built if it is missing; nodes without an image have failed."""
        bases: dict[str, str] = {}
        for recipe in dict.fromkeys(order.recipe for order in orders):
            names = [order.name for order in orders if order.recipe == recipe]

            def say(text: str, first: str = names[0]) -> None:  # one line for all of them
                self.caller.event(first, "asked", text)

            try:
                base = Images(self.zone).ensure(recipe, say, self.caller.gone)
            except Exception as error:  # noqa: BLE001  whatever it is, it is these nodes' failure
                for name in names:
                    self.caller.failed(name, error)
            else:
                bases.update(dict.fromkeys(names, base))
        return bases

    def _bring_up(self, order: Order, base: str) -> None:
        if self.caller.gone():
            nodes.give_back(self.zone, order)
            return
        try:
            nodes.bring_up(self.zone, order, base)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this node's failure
            self.caller.failed(order.name, error)
        else:
            self.caller.event(order.name, "made")

    def _side_by_side(self, work: Callable[[Any], None], items: list[Any]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(work, item) for item in items]:
                done.result()

    def _each(self, stage: str, work: Callable[[dict[str, Any]], None]) -> None:
        def one(item: dict[str, Any]) -> None:
            if self.caller.gone():
                return
            try:
                work(item)
            except Exception as error:  # noqa: BLE001  whatever it is, it is this one's failure
                self.caller.failed(item["name"], error)
            else:
                self.caller.event(item["name"], stage)

        self._side_by_side(one, self.request["items"])

    def delete(self) -> None:
        self._each("deleted", lambda item: nodes.delete(self.zone, item["name"], item["id"], item["mark"]))

    def create_volumes(self) -> None:
        def make(item: dict[str, Any]) -> None:
            with files.locked(self.zone.folder, make=True):  # against whoever takes the empty folders away
                volumes.ensure(self.zone, volumes.Wanted(item["name"], item["size"], item["type"]), item["mark"], uuid.uuid4().hex[:12], nodes.now())

        self._each("made", make)

    def resize_volumes(self) -> None:
        self._each("made", lambda item: volumes.resize(self.zone, volumes.Wanted(item["name"], item["size"]), item["mark"]))

    def delete_volumes(self) -> None:
        self._each("deleted", lambda item: volumes.delete(self.zone, item["name"], item["id"], item["mark"]))
        remains.without_volumes(self.zone)

    def add_image(self) -> dict[str, Any]:
        with Path(self.request["file"]).open("rb") as archive:
            image = added.add(self.zone, self.request["image"], archive, images.finish, self.caller.gone)
        return dataclasses.asdict(image)

    def fetch_image(self) -> None:
        item = self.request["item"]
        with Path(self.request["file"]).open("r+b") as file:  # it is there: it must not be made, and may have no name
            added.fetch(self.zone, item["name"], item["id"], file)

    def delete_image(self) -> None:
        item = self.request["item"]
        added.delete(self.zone, item["name"], item["id"], item["mark"])

    def set_ready(self) -> None:
        for item in self.request["items"]:
            nodes.note(self.zone, item["name"], item["id"], item["mark"], ready=self.request["ready"])

    def set_clouds(self) -> None:
        for item in self.request["items"]:
            nodes.note(self.zone, item["name"], item["id"], item["mark"], clouds=self.request["clouds"])

    def gaps(self) -> list[str]:
        return network.gaps(self.zone)

    def repair(self) -> None:
        with files.locked(self.zone.folder, make=True):
            network.ensure(self.zone)
            network.load_rules(self.zone)

    def dismantle(self) -> None:
        remains.dismantle(self.zone)

    def leftovers(self) -> list[str]:
        return remains.leftovers(self.zone, self.request["cluster"])

    def shortages(self) -> list[str]:
        asked = self.request
        return check.shortages(self.zone, asked["memory"], asked["cores"], asked["gib"], asked["resolvers"], asked["going"])

    def lock(self) -> dict[str, str]:
        asked = self.request
        return locks.take(self.zone, asked["cluster"], asked["holder"], asked["seconds"], asked["pid"])

    def renew(self) -> None:
        locks.renew(self.zone, self.request["cluster"], self.request["token"], self.request["seconds"])

    def unlock(self) -> None:
        locks.release(self.zone, self.request["cluster"], self.request["token"])


REQUESTS: dict[str, Callable[[Program], Any]] = {
    "create": Program.create,
    "delete": Program.delete,
    "create_volumes": Program.create_volumes,
    "resize_volumes": Program.resize_volumes,
    "delete_volumes": Program.delete_volumes,
    "add_image": Program.add_image,
    "fetch_image": Program.fetch_image,
    "delete_image": Program.delete_image,
    "set_ready": Program.set_ready,
    "set_clouds": Program.set_clouds,
    "gaps": Program.gaps,
    "repair": Program.repair,
    "dismantle": Program.dismantle,
    "leftovers": Program.leftovers,
    "shortages": Program.shortages,
    "lock": Program.lock,
    "renew": Program.renew,
    "unlock": Program.unlock,
}


def main() -> None:
    """Carry out the request on standard input."""
    os.environ["PATH"] = PATH
    os.environ["LC_ALL"] = "C.UTF-8"
    os.umask(0o022)
    os.chdir("/")
    caller = Caller()
    try:
        request = caller.request()
        zone = Zone(request["zone"], Path(request["path"]).resolve(), ipaddress.IPv4Network(request["network"]))
        caller.tell("value", REQUESTS[request["do"]](Program(caller, zone, request)))
    except Exception as error:  # noqa: BLE001  the caller gets it as an error, whatever it is
        said = as_host_error(error)
        caller.tell("error", {"kind": said.kind, "message": str(said)})
