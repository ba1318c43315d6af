# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents the creation of nodes: all that can be seen before the first is asked for.

Quotas are not included: no call of OpenNebula 3.2 returns them. The machine that exceeds one is refused, and the others are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .._contract import CloudError, Node, NodeSpec, Unavailable, VolumeSpec
from . import _vms
from ._definitions import Templates
from ._machines import refusal
from ._names import UUID, Extra, Names, free_addresses, nics
from ._notes import marks
from ._one import One
from ._options import StratusLabOptions
from ._pdisk import LARGEST


class Shortages:
    """Looks at names, images, templates and addresses."""

    def __init__(self, options: StratusLabOptions, one: One, names: Names, templates: Templates, going: Sequence[Node] = ()) -> None:
        self._options = options
        self._one = one
        self._names = names
        self._templates = templates
        self._going = {node.id for node in going if not node.lent}
        self._freed = {address.address for node in going if not node.lent for address in node.addresses}  # they are deleted first

    def of(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec]) -> list[str]:
        lent = {spec.name: number for spec in specs if (number := _extra(spec).machine(spec.mark.index)) is not None}
        found = self._of_machines([spec for spec in specs if spec.name in lent], lent)
        specs = [spec for spec in specs if spec.name not in lent]
        found += [sentence for spec in specs for sentence in self._names.unknown(spec)]
        found += [
            f"volume {volume.name}: a disk has at most {LARGEST} GiB, {volume.size} are asked for" for volume in volumes if volume.size > LARGEST
        ]
        if not found:
            found += [sentence for spec in specs for sentence in self._of_template(spec)]
        if specs:
            found += self._of_networks(specs)
        if not found:
            found += self._of_boot_disks([spec for spec in specs if UUID.fullmatch(spec.image)])
        return list(dict.fromkeys(found))

    def _of_machines(self, specs: Sequence[NodeSpec], numbers: Mapping[str, int]) -> list[str]:
        """Of machines that exist already, and are to be used as nodes."""
        if not specs:
            return []
        vms, known = [_vms.read(element) for element in self._one.vms()], marks(self._one.documents())
        found = [refusal(numbers[spec.name], spec, vms, known) for spec in specs]
        twice = [number for number, count in Counter(numbers.values()).items() if count > 1]
        found += [f"extra.machines: machine {number} is named for more than one node" for number in twice]
        return [sentence for sentence in found if sentence]

    def _of_boot_disks(self, specs: Sequence[NodeSpec]) -> Iterator[str]:
        """A bootable disk starts one machine at a time."""
        by_disk: dict[str, list[NodeSpec]] = {}
        for spec in specs:
            by_disk.setdefault(spec.image, []).append(spec)
        for uuid, wanted in by_disk.items():
            if len(wanted) > 1:
                yield f"image '{uuid}': a bootable disk starts one node, not {', '.join(spec.name for spec in wanted)}"
                continue
            others = [number for number in self._names.holders(uuid) if number not in self._going and not self._is_of(wanted[0], number)]
            if others:
                yield f"node {wanted[0].name}: image '{uuid}' is in use: machine {others[0]} has this disk"

    def _is_of(self, spec: NodeSpec, number: str) -> bool:
        """Whether a machine is that of a node."""
        vms = [_vms.read(element) for element in self._one.vms()]
        return any(str(vm.id) == number and vm.mark_text == str(spec.mark) for vm in vms)

    def _of_template(self, spec: NodeSpec) -> Iterator[str]:
        try:
            self._templates.text(self._templates.draft(spec))
        except Unavailable:
            raise
        except CloudError as error:
            yield str(error)

    def _of_networks(self, specs: Sequence[NodeSpec]) -> list[str]:
        wanted: Counter[str] = Counter()
        requested: dict[str, list[tuple[str, str]]] = {}
        for spec in specs:
            for nic in nics(spec, self._options.network, _extra(spec).address(spec.mark.index)):
                wanted[nic["network"]] += 1
                if "IP" in nic:
                    requested.setdefault(nic["network"], []).append((spec.name, nic["IP"]))
        known = self._names.networks()
        found = [f"unknown network '{name}': the cloud has {', '.join(sorted(known)) or 'none'}" for name in wanted if name not in known]
        for name in wanted.keys() & known.keys():
            found += self._of_network(name, int(known[name].findtext("ID", "0")), wanted[name], requested.get(name, []))
        return found

    def _of_network(self, name: str, number: int, needed: int, requested: Sequence[tuple[str, str]]) -> Iterator[str]:
        network = self._one.network(number)
        unused = free_addresses(network)
        if unused is None:
            return
        known = {lease.findtext("IP", "") for lease in network.iterfind("LEASES/LEASE")}
        free = {*unused, *(known & self._freed)}
        for node, address in requested:
            if address not in known:
                yield f"node {node}: network '{name}' has no address {address}"
            elif address not in free:
                yield f"node {node}: address {address} of network '{name}' is in use"
        if needed > len(free):
            yield f"network '{name}' has {len(free)} free address(es), {needed} needed"


def _extra(spec: NodeSpec) -> Extra:
    return Extra.known(spec.extra)
