# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that somebody else created, and that a cluster uses as its nodes. They are never deleted.

A template cannot be changed, so the mark and the number of such a node are noted of it (`_notes`), instead of being in its template.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from .._contract import Mark, NodeSpec, State
from ._notes import Note
from ._vms import MARK, NUMBER, PUBLIC, Vm


def as_node(vm: Vm, note: Note | None) -> Vm:
    """A machine with the name and the mark of the node that it is used as, if it is used as one."""
    mark = Mark.parse(note.mark) if note else None
    if note is None or mark is None:
        return vm
    return replace(vm, name=mark.node_name, attributes={**vm.attributes, MARK: note.mark, NUMBER: str(note.number)}, lent=True)


def refusal(number: int, spec: NodeSpec, vms: Sequence[Vm], marks: Mapping[int, Collection[str]]) -> str:
    """Why a machine cannot be used as a node; empty if it can.

    Args:
        marks: of the machines that clusters of the account use.
    """
    vm = next((vm for vm in vms if vm.id == number), None)
    if vm is None:
        return f"node {spec.name}: extra.machines: the account has no machine {number}"
    others = sorted({vm.mark_text, *marks.get(number, ())} - {"", str(spec.mark)})
    reasons = (
        (others, f"its mark is '{others[0] if others else ''}'"),
        (vm.contract_state is not State.RUNNING, f"it is {vm.contract_state.value}, not running"),
        (spec.public_ip and all(nic.get("NETWORK") != PUBLIC for nic in vm.nics), f"it has no address of the network '{PUBLIC}' (public_ip)"),
    )
    return next((f"node {spec.name}: extra.machines: machine {number} cannot be used: {reason}" for found, reason in reasons if found), "")
