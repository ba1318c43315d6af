# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines as OpenNebula lists them -> nodes and strays; and what is written of a node in its own template."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .._contract import Address, Mark, MarkError, Node, State, Stray
from ._notes import Note
from ._one import Element

# Attributes of our own in a machine's template; they never change.
MARK, LOCK, NONCE, NUMBER, CLOUDS, IMAGE, FLAVOR, MADE, TOKEN = (
    f"SKY_{name}" for name in ("MARK", "LOCK", "NONCE", "NUMBER", "CLOUDS", "IMAGE", "FLAVOR", "MADE", "TOKEN")
)  # fmt: skip

INIT, PENDING, HOLD, ACTIVE, STOPPED, SUSPENDED, DONE, FAILED = range(8)
STATES = {
    INIT: State.BUILDING,
    PENDING: State.BUILDING,
    HOLD: State.BUILDING,
    STOPPED: State.STOPPED,
    SUSPENDED: State.STOPPED,
    DONE: State.DELETING,
    FAILED: State.FAILED,
}
UNKNOWN = 16
ACTIVE_STATES = {
    0: State.BUILDING,  # LCM_INIT
    1: State.BUILDING,  # PROLOG: the image is fetched and checked
    2: State.BUILDING,  # BOOT
    3: State.RUNNING,
    4: State.RUNNING,  # MIGRATE
    5: State.STOPPED,  # SAVE_STOP
    6: State.STOPPED,  # SAVE_SUSPEND
    7: State.RUNNING,  # SAVE_MIGRATE
    8: State.RUNNING,  # PROLOG_MIGRATE
    9: State.BUILDING,  # PROLOG_RESUME
    10: State.STOPPED,  # EPILOG_STOP
    11: State.DELETING,  # EPILOG
    12: State.DELETING,  # SHUTDOWN
    13: State.DELETING,  # CANCEL
    14: State.FAILED,  # FAILURE
    15: State.DELETING,  # CLEANUP
    UNKNOWN: State.STOPPED,  # it was halted from inside, or its host does not answer
}
PUBLIC = "public"
FULL = re.compile(r"quota exceeded|not enough", re.IGNORECASE)


@dataclass(frozen=True)
class Vm:
    """One machine."""

    id: int
    name: str
    state: int
    lcm: int
    attributes: Mapping[str, str]  # of its template, those with a text
    nics: Sequence[Mapping[str, str]] = ()
    disks: Sequence[Mapping[str, str]] = ()
    host: str = ""  # that it runs on
    started: int = 0
    fault: str = ""
    lent: bool = False  # somebody else created it: it is never deleted

    @property
    def contract_state(self) -> State:
        return ACTIVE_STATES.get(self.lcm, State.STOPPED) if self.state == ACTIVE else STATES.get(self.state, State.STOPPED)

    @property
    def is_unknown(self) -> bool:
        """Whether it was halted from inside, or its host does not answer."""
        return (self.state, self.lcm) == (ACTIVE, UNKNOWN)

    @property
    def mark_text(self) -> str:
        return self.attributes.get(MARK, "")

    def has(self, disk: str) -> bool:
        return disk in self.pdisks

    def target(self, disk: str) -> str:
        return next((each.get("TARGET", "") for each in self.disks if each.get("SOURCE", "").endswith(disk)), "")

    @property
    def pdisks(self) -> Sequence[str]:
        """Identifiers of the persistent disks of its start."""
        sources = [each.get("SOURCE", "") for each in self.disks]
        return [re.split("[/:]", source)[-1] for source in sources if source.startswith("pdisk:")]

    @property
    def targets(self) -> Sequence[str]:
        """Names of the disks of its start, as far as they are known."""
        return [each["TARGET"] for each in self.disks if each.get("TARGET")]


def read(element: Element) -> Vm:
    """A machine of a list."""
    template = element.find("TEMPLATE")
    children = [] if template is None else list(template)
    return Vm(
        id=_int(element, "ID"),
        name=element.findtext("NAME", ""),
        state=_int(element, "STATE"),
        lcm=_int(element, "LCM_STATE"),
        attributes={child.tag: child.text or "" for child in children if not len(child)},
        nics=[_vector(child) for child in children if child.tag == "NIC"],
        disks=[_vector(child) for child in children if child.tag == "DISK"],
        host=([history.findtext("HOSTNAME", "") for history in element.iterfind("HISTORY_RECORDS/HISTORY")] or [""])[-1],
        started=_int(element, "STIME"),
        fault=element.findtext("TEMPLATE/ERROR/MESSAGE", ""),
    )


def _int(element: Element, tag: str) -> int:
    text = element.findtext(tag, "")
    return int(text) if re.fullmatch(r"-?\d+", text) else 0


def _vector(element: Element) -> dict[str, str]:
    return {child.tag: child.text or "" for child in element}


def node_or_stray(vm: Vm, cluster: str, notes: Mapping[int, Note], outside: Mapping[int, Address] | None = None) -> Node | Stray | None:
    """What a machine is to a cluster; None where it has nothing to do with it.

    Args:
        outside: where machines without an address outside are reached, by their identifiers.

    Raises:
        MarkError: its mark cannot be understood, and it may be one of the cluster's.
    """
    named = re.fullmatch(rf"{re.escape(cluster)}-[a-z][a-z0-9]*-\d+", vm.name) is not None
    try:
        mark = Mark.parse(vm.mark_text)
    except MarkError as error:
        if named or f" {cluster} " in vm.mark_text:
            raise MarkError(f"the mark of machine {vm.name} ({vm.id}) cannot be understood: {error}") from error
        return None
    if mark is None:
        return Stray("node", vm.name, str(vm.id), "it has no mark") if named else None
    if mark.cluster != cluster:
        return Stray("node", vm.name, str(vm.id), f"its mark is '{vm.mark_text}'") if named else None
    if vm.name != mark.node_name:
        return Stray("node", vm.name, str(vm.id), f"its mark is '{vm.mark_text}'")
    return _node(vm, mark, notes.get(vm.id, Note()), (outside or {}).get(vm.id))


def _node(vm: Vm, mark: Mark, note: Note, outside: Address | None) -> Node:
    made = written_parts(vm.attributes.get(MADE, ""))
    state = vm.contract_state
    fault = "its state is UNKNOWN: it was halted, or its host does not answer" if vm.is_unknown else vm.fault
    return Node(
        name=mark.node_name,
        id=str(vm.id),
        mark=mark,
        state=state,
        addresses=(*_addresses(vm.nics), *([outside] if outside else ())),
        flavor=vm.attributes.get(FLAVOR, ""),
        image=vm.attributes.get(IMAGE, ""),
        architecture=made.get("architecture", ""),
        cores=_whole(vm.attributes.get("VCPU", "")),
        memory=_whole(vm.attributes.get("MEMORY", "")),
        created=datetime.fromtimestamp(vm.started, UTC).isoformat(timespec="seconds") if vm.started else "",
        ready=note.ready,
        clouds=tuple(vm.attributes.get(CLOUDS, "").split()) if note.clouds is None else note.clouds,
        host_keys=note.host_keys,
        fault=fault if state is State.FAILED or vm.is_unknown else "",
        hopeless=state is State.FAILED and FULL.search(fault) is not None,
        made=made,
        number=_whole(vm.attributes.get(NUMBER, "")),
        lent=vm.lent,
    )


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _addresses(nics: Iterable[Mapping[str, str]]) -> Iterable[Address]:
    """The first network that is not public is the one inside; an address of the public network is one outside, and the one inside if it is all."""
    known = [(nic["IP"], nic.get("NETWORK", "")) for nic in nics if nic.get("IP")]
    inside = sorted(known, key=lambda each: each[1] == PUBLIC)[:1]
    yield from (Address(address, 4, network) for address, network in inside)
    yield from (Address(address, 4, network, public=True) for address, network in known if network == PUBLIC)


def parts_text(parts: Mapping[str, str]) -> str:
    """What a node is made from, for its template."""
    return base64.b64encode(json.dumps(dict(parts), separators=(",", ":")).encode()).decode()


def written_parts(text: str) -> dict[str, str]:
    """The same, read; what somebody else wrote says nothing."""
    try:
        found = json.loads(base64.b64decode(text, validate=True) or b"{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def chosen(vms: Sequence[Vm]) -> Vm:
    """Of several machines with one mark the node; others are doubles, which a lost answer can make."""
    rank = {State.RUNNING: 0, State.BUILDING: 0, State.STOPPED: 1, State.FAILED: 2, State.DELETING: 3}
    return min(vms, key=lambda vm: (rank[vm.contract_state], vm.id))
