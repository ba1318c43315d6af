# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates nodes: first their volumes, then their machine, which has its mark from the start. A creating call is never repeated without a look."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .._common._undo import Undo
from .._contract import CloudError, Event, Invalid, NodeSpec, Stage, State, Stray, Unavailable
from . import _vms
from ._definitions import Templates
from ._errors import Conflict
from ._machines import refusal
from ._names import UUID, Extra
from ._notes import Notes, marks
from ._one import One
from ._pdisk import Disk, Pdisk
from ._vms import HOLD, STOPPED, SUSPENDED, Vm
from ._volumes import Volumes

LOOKS = (0.5, 2.0, 5.0)  # s after a lost answer, at which the machine is looked for


@dataclass(frozen=True)
class Existing:
    """What existed before a batch of nodes is created."""

    vms: Sequence[Vm]
    ticket: str = ""  # of the run's lock
    marks: Mapping[int, Collection[str]] = field(default_factory=dict)  # of machines that clusters of the account use and did not create

    def named(self, name: str) -> list[Vm]:
        return [vm for vm in self.vms if vm.name == name]


class Creation:
    """Creates the nodes of one batch; its method is called in parallel."""

    def __init__(self, one: One, pdisk: Pdisk, templates: Templates, volumes: Volumes, notes: Notes, existing: Existing) -> None:
        self._one = one
        self._pdisk = pdisk
        self._templates = templates
        self._volumes = volumes
        self._notes = notes
        self._existing = existing
        self._attaching = threading.Lock()  # the order of attached disks is that of their names in the machine

    def node(self, spec: NodeSpec) -> Event:
        """Create a node, or find it created: ``MADE`` or ``FAILED``.

        Raises:
            Unavailable: the cloud did not answer; the next call looks first.
        """
        undo = Undo()
        try:
            foreign = [volume.name for volume in spec.volumes if not volume.name.startswith(f"{spec.name}-")]
            if foreign:
                raise Invalid(f"volume '{foreign[0]}' is not one of node {spec.name}")
            known = self._known(spec)
            number = self._again(spec, known, undo) if known else self._first(spec, undo)
        except Unavailable:
            raise
        except CloudError as error:
            undo.run()
            return Event.failure(spec.name, error)
        return Event(spec.name, Stage.MADE, str(number))

    def _known(self, spec: NodeSpec) -> Vm | None:
        """The machine of a node.

        Raises:
            Invalid: its name is taken.
            CloudError: it is still being deleted.
        """
        found = self._existing.named(spec.name)
        for vm in found:
            node = _vms.node_or_stray(vm, spec.mark.cluster, {})
            if not isinstance(node, Stray) and node is not None and node.mark == spec.mark:
                continue
            reason = node.reason if isinstance(node, Stray) else f"its mark is '{vm.mark_text}'"
            raise Invalid(f"the name {spec.name} is taken by machine {vm.id}: {reason}")
        if not found:
            return None
        vm = _vms.chosen(found)
        if vm.contract_state is State.DELETING:
            raise CloudError(f"machine {vm.id} of this name is still being deleted")
        return vm

    # a machine that exists

    def _again(self, spec: NodeSpec, vm: Vm, undo: Undo) -> int:
        lacking = [disk for disk in self._disks(spec, undo, vm) if not vm.has(disk.uuid)]
        self._start(vm, lacking)
        if lacking and vm.contract_state is not State.RUNNING:
            raise Unavailable(f"machine {vm.id} does not run yet, and lacks disk {lacking[0].uuid}")
        with self._attaching:
            for disk in lacking:
                if str(vm.id) not in self._pdisk.mounts(disk.uuid):
                    self._volumes.free(disk)
                    self._pdisk.attach(disk.uuid, vm.host, vm.id)
        return vm.id

    def _start(self, vm: Vm, attached: Sequence[Disk]) -> None:
        """Start a machine that does not run.

        Args:
            attached: disks that were attached while it ran: it starts without them, whatever the disk service has noted.
        """
        actions = {STOPPED: "resume", SUSPENDED: "resume", HOLD: "release"}
        action = "restart" if vm.is_unknown else actions.get(vm.state, "")
        if action == "restart":
            for disk in attached:
                self._pdisk.detach(disk.uuid, str(vm.id), metadata_only=True)
        if action:
            with contextlib.suppress(Conflict):  # it started meanwhile
                self._one.act(action, vm.id)

    # a machine that somebody else created

    def _first(self, spec: NodeSpec, undo: Undo) -> int:
        number = Extra.of(spec.extra).machine(spec.mark.index)
        return self._anew(spec, undo) if number is None else self._lent(spec, number, undo)

    def _lent(self, spec: NodeSpec, number: int, undo: Undo) -> int:
        self._check_lent(spec, number, self._existing.marks)
        self._notes.write({number: {"mark": str(spec.mark), "number": spec.number, "clouds": spec.clouds}})
        undo.add(lambda: self._notes.forget({number}))
        self._check_lent(spec, number, marks(self._one.documents()))  # another cluster may have been as quick
        return self._again(spec, next(vm for vm in self._existing.vms if vm.id == number), undo)

    def _check_lent(self, spec: NodeSpec, number: int, known: Mapping[int, Collection[str]]) -> None:
        reason = refusal(number, spec, self._existing.vms, known)
        if reason:
            raise Invalid(reason)

    # a new machine

    def _anew(self, spec: NodeSpec, undo: Undo) -> int:
        draft = self._templates.draft(spec)  # before anything is created
        self._templates.text(draft)
        disks = self._disks(spec, undo)
        boot = [Disk(draft.source.id, "image")] if UUID.fullmatch(draft.source.id) else []
        for disk in [*boot, *disks]:
            self._volumes.free(disk)
        nonce = secrets.token_hex(8)
        template = self._templates.text(self._templates.draft(spec, disks), self._existing.ticket, nonce)
        try:
            return self._one.allocate(template)
        except Unavailable as error:
            return self._looked_for(spec, nonce, error)

    def _looked_for(self, spec: NodeSpec, nonce: str, error: Unavailable) -> int:
        """The machine of a creating call whose answer was lost.

        Raises:
            Unavailable: it is not there (yet), or the service asked for a pause instead of carrying the call out.
        """
        if error.retry_after is not None:
            raise error
        for pause in LOOKS:
            time.sleep(pause)
            with contextlib.suppress(Unavailable):
                for element in self._one.vms():
                    vm = _vms.read(element)
                    if vm.attributes.get(_vms.NONCE) == nonce and vm.mark_text == str(spec.mark):
                        return vm.id
        raise error

    def _disks(self, spec: NodeSpec, undo: Undo, vm: Vm | None = None) -> list[Disk]:
        """The node's volumes; those that do not exist are created.

        Args:
            vm: the machine of the node, if it exists.
        """
        found = []
        for wanted in spec.volumes:
            disk, new = self._volumes.ensure(wanted, spec.mark, vm.pdisks if vm else ())
            if new:
                undo.add(lambda uuid=disk.uuid: self._pdisk.delete(uuid))  # type: ignore[misc]
            found.append(disk)
        return found
