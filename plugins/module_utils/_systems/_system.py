# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system is: its roles, how its head is asked, and how its nodes are judged. Pure: no I/O.

A system runs on nodes of a cluster: one head, and the members that it knows. All that generic code needs of a system is declared here, so that it
names none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Disposable = Callable[[Collection[str]], bool]  # whether a new node does all that one with volumes of these names did


def always(_volumes: Collection[str]) -> bool:
    """What a node held is elsewhere, or is made again."""
    return True


def never(_volumes: Collection[str]) -> bool:
    return False


@dataclass(frozen=True)
class Role:
    """One role of a node, which is also its inventory group."""

    steps: tuple[str, ...]  # Ansible roles that are applied in this order; the last one is the role's own, with `leave` tasks if it drains
    variables: tuple[str, ...]  # prefixes of the variables that its outcome depends on
    not_variables: tuple[str, ...] = ()  # prefixes among them that belong to other roles
    drains: bool = False  # its own Ansible role has `leave` tasks, which drain a node
    restart_drains: bool = False  # a visit drains a node before it restarts the daemon
    disposable: Disposable = never
    services: tuple[str, ...] = ()  # systemd units that run on a healthy node
    shares: tuple[str, ...] = ()  # variables that hold where a folder of a store outside of the cluster is mounted on its nodes
    stores: tuple[str, ...] = ()  # schemes of the URLs of file systems that the commands of its nodes know
    volume: str = ""  # name of the data volume that each of its nodes must have
    limits: Mapping[str, str] = field(default_factory=dict)  # numbers among its variables, each with the host variable that holds the most it may be
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by variable with Python packages: those that it cannot name, and why
    files: tuple[str, ...] = ()  # variables with the path of a file of the controller, whose content counts
    required: tuple[str, ...] = ()  # variables without a usable default
    excludes: tuple[str, ...] = ()  # variables that are for clusters without it
    source: str = ""  # variable that says where the values of the required ones come from; who sets it sets none of them
    ports: Mapping[str, int] = field(default_factory=dict)  # TCP ports that are open on its nodes at rest beside ssh: default by variable

    @property
    def own(self) -> str:
        """The Ansible role that is its own."""
        return self.steps[-1]


@dataclass(frozen=True)
class Member:
    """A node as the head of a system knows it."""

    address: str
    state: str  # in the system's own word
    at_work: bool  # the head counts on it
    busy: bool
    detail: str = ""


@dataclass(frozen=True)
class View:
    """What the head of a system says, in the shape that every system shares."""

    asked: bool = False
    answers: bool = False
    page: str = ""
    members: tuple[Member, ...] = ()
    work: tuple[Mapping[str, Any], ...] = ()  # id, name, user, state, size, since
    facts: Mapping[str, Any] = field(default_factory=dict)  # what status shows beside

    def member(self, address: str) -> Member | None:
        """The member with this address; of several, the one that the head counts on."""
        found = [member for member in self.members if member.address == address]
        return next((member for member in found if member.at_work), found[-1] if found else None)


# What a head's module returns; a proof only where it keeps a stamp of it
SHAPE = ("answers", "page", "members", "work", "facts", "proof")


def view_of(found: Mapping[str, Any]) -> View:
    """A view from what a head's module returned, of which nothing is sure to be there."""
    return View(
        asked=True,
        answers=bool(found.get("answers")),
        page=str(found.get("page", "")),
        members=tuple(Member(**member) for member in found.get("members", ())),
        work=tuple(found.get("work", ())),
        facts=dict(found.get("facts", {})),
    )


@dataclass(frozen=True)
class Seen:
    """One node as it was found."""

    name: str
    address: str
    roles: tuple[str, ...]
    health: Mapping[str, Any]  # as M(sky.clusters.node_health) returned it; empty if nobody looked
    volumes: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        return bool(self.health.get("reachable"))

    def runs(self, unit: str) -> bool:
        """Whether a unit runs without a fault."""
        return any(found["name"] == unit and not found["fault"] for found in self.health.get("units", []))


@dataclass(frozen=True)
class Opinion:
    """What a system knows of one of its nodes."""

    at_work: bool = False  # its head counts on the node
    lost: bool = False  # its head answers, and has lost the node
    idle: bool = False  # its head answers, and the node does nothing now
    faults: tuple[tuple[str, str], ...] = ()  # a word for a table and a sentence, each
    repair: bool = False  # a visit fixes it


NO_OPINION = Opinion()
Check = Callable[[Any], str]  # why a value is invalid; empty if it is valid
Judge = Callable[[Iterable[Seen], View], Mapping[str, Opinion]]
# text, lists and mappings may hold secrets; a file is one that a run writes on the controller
ExtraKind = Literal["file", "text", "list", "mapping", "name", "seconds", "switch"]


def no_judge(_nodes: Iterable[Seen], _view: View) -> Mapping[str, Opinion]:
    """Of a system whose head knows nothing of its nodes."""
    return {}


@dataclass(frozen=True)
class Question:
    """How the head of a system is asked: a module that runs on its node and answers in the shape of :class:`View`."""

    module: str  # full name
    arguments: Mapping[str, tuple[str, Any]]  # by argument, the variable of the node that it is taken from, and the value without one


@dataclass(frozen=True)
class System:
    """Software that runs on several nodes of a cluster."""

    name: str
    title: str  # as people write it
    roles: Mapping[str, Role]
    head: str  # the role of the one node that the others join, which keeps the system's secrets; empty if none is a role of the file
    keeps_identities: bool = False  # its head keeps what another node of the same name and address does not have, such as a host key
    every_node: Role | None = None  # what every node of a cluster with a network of its own gets; the node that serves the list is asked
    question: Question | None = None
    judge: Judge = no_judge
    proof: str = ""  # Ansible role that proves the system by real work, on its head
    users: tuple[str, ...] = ()  # system users that its roles create
    job_group: str = ""  # of the processes of its jobs and of the cluster's user, where jobs do not run as their user alone
    extras: Mapping[str, ExtraKind] = field(default_factory=dict)  # extra variables of its own playbooks
    usage: str = ""  # module that says, on its head, what users have used by month; empty if it keeps no accounts
    checks: Mapping[str, Check] = field(default_factory=dict)  # by variable of its roles: what its type and its choices do not say
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by variable: others that must be set with it
    archives: Mapping[str, str] = field(default_factory=dict)  # by name in /opt: the Python package whose source archive is unpacked there

    @property
    def members(self) -> tuple[str, ...]:
        """The roles whose nodes need a head."""
        return tuple(role for role in self.roles if role != self.head)
