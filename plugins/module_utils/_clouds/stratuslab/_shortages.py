# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents the creation of nodes: all that can be seen before the first is asked for.

Quotas are not included: no call of OpenNebula 3.2 returns them. The machine that exceeds one is refused, and the others are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from .._contract import CloudError, NodeSpec, Unavailable, VolumeSpec
from . import _vms
from ._definitions import Templates
from ._machines import refusal
from ._names import Extra, Names, free_addresses, nics
from ._notes import marks
from ._one import One
from ._options import StratusLabOptions
from ._pdisk import LARGEST


class Shortages:
    """Looks at names, images, templates and addresses."""

    def __init__(self, options: StratusLabOptions, one: One, names: Names, templates: Templates) -> None:
        self._options = options
        self._one = one
        self._names = names
        self._templates = templates

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
        free = free_addresses(network)
        if free is None:
            return
        known = {lease.findtext("IP", "") for lease in network.iterfind("LEASES/LEASE")}
        for node, address in requested:
            if address not in known:
                yield f"node {node}: network '{name}' has no address {address}"
            elif address not in free:
                yield f"node {node}: address {address} of network '{name}' is in use"
        if needed > len(free):
            yield f"network '{name}' has {len(free)} free address(es), {needed} needed"


def _extra(spec: NodeSpec) -> Extra:
    return Extra.known(spec.extra)
