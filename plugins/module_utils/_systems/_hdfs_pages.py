# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What HDFS serves over HTTP: a NameNode's state as data, and files by WebHDFS. Ships with modules: the standard library alone."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

SECONDS = 10  # that a page may take
IN_SERVICE, DECOMMISSIONED, DEAD = "In Service", "Decommissioned", "dead"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RemoteError(Exception):
    """HDFS refused a request; the message is its own first line."""


def url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def fetch(place: str, seconds: float = SECONDS) -> bytes | None:
    """A page, without any proxy; None where nothing serves it."""
    try:
        with _OPENER.open(place, timeout=seconds) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException):
        return None


def bean(page: str, name: str) -> dict[str, Any]:
    """One group of a NameNode's values; empty where nothing answers, or nothing of this name."""
    text = fetch(f"{page}/jmx?qry=Hadoop:service=NameNode,name={name}")
    try:
        found = json.loads(text or b"{}").get("beans", [])
    except ValueError:
        return {}
    return dict(found[0]) if found else {}


def setting(page: str, name: str) -> str:
    """A setting that a daemon was started with; empty where nothing answers, or nothing of this name."""
    text = fetch(f"{page}/conf?name={name}")
    try:
        root = ElementTree.fromstring(text or b"<none/>")  # noqa: S314  # of a daemon of our own
    except ElementTree.ParseError:
        return ""
    return {each.findtext("name"): each.findtext("value") for each in root.iter("property")}.get(name) or ""


@dataclass(frozen=True)
class DataNode:
    """A DataNode as the NameNode knows it."""

    address: str
    port: int
    state: str  # In Service, Decommission In Progress, Decommissioned, dead, ...
    blocks: int = 0
    used: int = 0
    capacity: int = 0
    remaining: int = 0
    to_copy: int = 0  # blocks that a DataNode which leaves has yet to hand over
    decommissioned: bool = False  # of a dead one too


@dataclass(frozen=True)
class State:
    """A NameNode and what it knows."""

    answers: bool = False
    safe_mode: str = ""  # why it takes no changes; empty if it does
    cluster_id: str = ""
    datanodes: tuple[DataNode, ...] = ()
    values: Mapping[str, Any] | None = None  # FSNamesystem

    @property
    def ready(self) -> bool:
        return self.answers and not self.safe_mode

    @property
    def live(self) -> list[DataNode]:
        return [node for node in self.datanodes if node.state != DEAD]

    def of(self, address: str) -> DataNode | None:
        return next((node for node in self.datanodes if node.address == address), None)

    def has_handed_over(self, node: DataNode) -> bool:
        """Whether no file needs the DataNode.

        A NameNode calls a dead one decommissioned as soon as it is to leave, also if it has handed over nothing. Therefore no block may be missing.
        """
        if node.state != DEAD:
            return node.state == DECOMMISSIONED
        values = self.values or {}
        counting = 0 < float(values.get("ReconstructionQueuesInitProgress", 0)) < 1  # what is missing, after a start
        return node.decommissioned and self.ready and not counting and values.get("MissingBlocks") == 0


def state(page: str) -> State:
    """What the NameNode says; one that is still starting says little."""
    info = bean(page, "NameNodeInfo")
    try:
        live, dead, leaving = (json.loads(info[key]) for key in ("LiveNodes", "DeadNodes", "DecomNodes"))
    except (KeyError, TypeError, ValueError):
        return State()
    values = bean(page, "FSNamesystem")
    nodes = [*_nodes(live, leaving, ""), *_nodes(dead, {}, DEAD)]
    return State(bool(values), str(info.get("Safemode", "")), str(info.get("ClusterId", "")), tuple(nodes), values)


def _nodes(found: Mapping[str, Mapping[str, Any]], leaving: Mapping[str, Mapping[str, Any]], state: str) -> list[DataNode]:
    nodes = []
    for name, node in sorted(found.items()):
        address, _colon, port = str(node["xferaddr"]).rpartition(":")
        going = leaving.get(name, {})
        nodes.append(
            DataNode(
                address.strip("[]"),
                int(port),
                state or str(node["adminState"]),
                int(node.get("numBlocks", 0)),
                int(node.get("usedSpace", 0)),
                int(node.get("capacity", 0)),
                int(node.get("remaining", 0)),
                int(going.get("underReplicatedBlocks", 0)),
                bool(node.get("decommissioned", False)),
            )
        )
    return nodes


@dataclass(frozen=True)
class Web:
    """Files by WebHDFS.

    Attributes:
        page: a NameNode's, or a DataNode's, which then is the client of the NameNode that `namenode` names.
        user: who is asking.
        namenode: address and port of a NameNode.
    """

    page: str
    user: str
    namenode: str = ""
    seconds: float = 60

    def call(self, path: str, operation: str, method: str = "GET", body: bytes | None = None, **options: Any) -> bytes:
        """One operation.

        Raises:
            RemoteError: HDFS refused it, or does not answer.
        """
        given = {"op": operation, "user.name": self.user, **({"namenoderpcaddress": self.namenode} if self.namenode else {}), **options}
        place = f"{self.page}/webhdfs/v1{urllib.parse.quote(path)}?{urllib.parse.urlencode(given)}"
        request = urllib.request.Request(place, method=method, data=body)  # noqa: S310  # of a page that our own settings name
        if body is not None:
            request.add_header("Content-Type", "application/octet-stream")
        try:
            with _OPENER.open(request, timeout=self.seconds) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise RemoteError(f"{operation} {path}: {_reason(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            raise RemoteError(f"{operation} {path}: {self.page} does not answer ({error})") from error

    def json(self, path: str, operation: str, method: str = "GET", **options: Any) -> dict[str, Any]:
        return dict(json.loads(self.call(path, operation, method, **options) or b"{}"))

    def status(self, path: str) -> dict[str, Any] | None:
        """Of a file or a folder; None where there is none."""
        try:
            return dict(self.json(path, "GETFILESTATUS")["FileStatus"])
        except RemoteError as error:
            if "does not exist" in str(error):
                return None
            raise


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read()
    try:
        return str(json.loads(text)["RemoteException"]["message"]).splitlines()[0]
    except (ValueError, KeyError, TypeError, IndexError):
        return f"HTTP status {error.code}"
