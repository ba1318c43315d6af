# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers and volumes of the APIs -> nodes, volumes and strays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._contract import Address, Mark, MarkError, Node, State, Stray, Volume
from . import _definitions, _marks

STATES = {
    "ACTIVE": State.RUNNING,
    "BUILD": State.BUILDING,
    "REBUILD": State.BUILDING,
    "REBOOT": State.RUNNING,
    "HARD_REBOOT": State.RUNNING,
    "PASSWORD": State.RUNNING,
    "MIGRATING": State.RUNNING,
    "RESIZE": State.STOPPED,
    "VERIFY_RESIZE": State.RUNNING,
    "REVERT_RESIZE": State.STOPPED,
    "ERROR": State.FAILED,
    "UNKNOWN": State.FAILED,
    "DELETED": State.DELETING,
    "SOFT_DELETED": State.DELETING,
}  # others (SHUTOFF, PAUSED, SUSPENDED, SHELVED, ...) are stopped


# Faults of servers that failed because several were requested at once, while each alone would have fitted.
FULL = re.compile(r"quota|limit ?exceeded|maximum number of .* exceeded", re.IGNORECASE)
HELD = ("attaching", "reserved", "detaching", "in-use")  # states of a volume that some server has


def node_or_stray(server: Mapping[str, Any], cluster: str) -> Node | Stray:
    """What a listed server is to a cluster whose name or tag it has.

    Raises:
        MarkError: its mark cannot be understood.
    """
    name, text = str(server["name"]), str(server.get("metadata", {}).get(_marks.MARK, ""))
    try:
        mark = Mark.parse(text)
    except MarkError as error:
        raise MarkError(f"the mark of server {name} ({server['id']}) cannot be understood: {error}") from error
    if mark is None:
        return Stray("node", name, str(server["id"]), "it has no mark")
    if mark.cluster != cluster or mark.node_name != name:
        return Stray("node", name, str(server["id"]), f"it has the mark '{text}'")
    return _node(server, mark)


def _node(server: Mapping[str, Any], mark: Mark) -> Node:
    metadata, flavor = server["metadata"], server.get("flavor", {})
    key = metadata.get(_marks.HOST_KEY, "")
    return Node(
        name=mark.node_name,
        id=str(server["id"]),
        mark=mark,
        state=_state(server),
        addresses=tuple(_addresses(server.get("addresses", {}))),
        flavor=str(metadata.get(_marks.FLAVOR) or flavor.get("original_name", "")),
        image=str(metadata.get(_marks.IMAGE, "")),
        cores=int(flavor.get("vcpus", 0)),
        memory=int(flavor.get("ram", 0)),
        created=str(server.get("created", "")),
        ready=str(metadata.get(_marks.READY, "")),
        clouds=_marks.read_clouds(metadata),
        host_keys=(key,) if key else (),
        fault=_fault(server),
        hopeless=FULL.search(_fault(server)) is not None,
        made=_definitions.made(server),
        number=_marks.read_number(metadata),
    )


def _state(server: Mapping[str, Any]) -> State:
    if server.get("OS-EXT-STS:task_state") == "deleting":
        return State.DELETING
    return STATES.get(str(server.get("status", "")), State.STOPPED)


def _fault(server: Mapping[str, Any]) -> str:
    fault = server.get("fault") or {}
    return str(fault.get("message", "")) if server.get("status") in ("ERROR", "UNKNOWN") else ""


def without_reason(servers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Identifiers of servers that failed and do not say why: lists are silent about those that no host was found for."""
    return [identifier for identifier, server in servers.items() if server.get("status") == "ERROR" and not server.get("fault")]


def _addresses(networks: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterable[Address]:
    for network, addresses in sorted(networks.items()):
        for item in addresses:
            yield Address(str(item["addr"]), int(item.get("version", 4)), network, item.get("OS-EXT-IPS:type") == "floating")


def volume_or_stray(volume: Mapping[str, Any], cluster: str, servers: Mapping[str, Mapping[str, Any]]) -> Volume | Stray:
    """What a listed volume is to a cluster.

    Args:
        servers: the cluster's servers, by identifier: they list attached volumes before the volume service does.
    """
    name, text = str(volume.get("name") or ""), str(volume.get("metadata", {}).get(_marks.MARK, ""))
    try:
        mark = Mark.parse(text)
    except MarkError as error:
        raise MarkError(f"the mark of volume {name} ({volume['id']}) cannot be understood: {error}") from error
    if mark is None or mark.cluster != cluster or not mark.is_of_volume(name):
        return Stray("volume", name, str(volume["id"]), f"it has the mark '{text}'" if text else "it has no mark")
    holder = _holder(volume, mark, servers)
    return Volume(
        name=name,
        id=str(volume["id"]),
        mark=mark,
        size=int(volume.get("size", 0)),
        type=str(volume.get("volume_type") or ""),
        attached=holder,
        device=device(str(volume["id"])) if holder else "",
        created=str(volume.get("created_at") or ""),
    )


def _holder(volume: Mapping[str, Any], mark: Mark, servers: Mapping[str, Mapping[str, Any]]) -> str:
    """Name of the node that has a volume; a server that was just requested does not list its volumes yet, but they are taken."""
    holders = [str(server["name"]) for server in servers.values() if str(volume["id"]) in attached_to(server)]
    awaited = [mark.node_name for server in servers.values() if server["name"] == mark.node_name and volume.get("status") in HELD]
    return next(iter([*holders, *awaited]), "")


def attached_to(server: Mapping[str, Any]) -> set[str]:
    """Identifiers of the volumes of a server."""
    return {str(item["id"]) for item in server.get("os-extended-volumes:volumes_attached", [])}


def device(volume: str) -> str:
    """Where a node's udev shows a volume (a shell pattern): by its serial number, because /dev/vdb may be any volume."""
    return f"/dev/disk/by-id/*{volume[:20]}*"
