# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template of a node, and what it is made from in the words of the contract."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._contract import NodeSpec
from . import _host_keys, _vms
from ._context import context
from ._credentials import Access
from ._names import PREFIXES, Extra, Names, Source, nics
from ._options import InstanceType, StratusLabOptions
from ._pdisk import Disk
from ._template import Attribute, text

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VIRTIO = PREFIXES["virtio"]
SHOWN = 60  # characters of the names of further options


@dataclass(frozen=True)
class Draft:
    """A node before its machine is asked for."""

    spec: NodeSpec
    type: InstanceType
    source: Source
    extra: Extra
    disks: Sequence[Disk] = ()  # its volumes


class Templates:
    """Writes the templates of one cloud."""

    def __init__(self, options: StratusLabOptions, names: Names, access: Access) -> None:
        self._options = options
        self._names = names
        self._method = access.context_method
        self._disk_base = access.disks.rpartition("/")[0]  # without the kind of login

    def draft(self, spec: NodeSpec, disks: Sequence[Disk] = (), trusted: bool = True) -> Draft:
        """
        Args:
            trusted: whether the image must be one that may be used now.

        Raises:
            Invalid: something of it is unknown.
        """
        return Draft(spec, self._names.type(spec.flavor), self._names.image(spec.image, trusted), Extra.of(spec.extra), disks)

    def text(self, draft: Draft, ticket: str = "", nonce: str = "") -> str:
        """The template, with the mark in it.

        Args:
            ticket: of the run's lock.
            nonce: of this attempt: what finds the machine if the answer is lost.
        """
        spec, what = draft.spec, f"node {draft.spec.name}"
        token = _host_keys.new_token()
        attributes: list[Attribute] = [
            ("CPU", draft.extra.cpu or str(draft.type.cores)),
            ("VCPU", str(draft.type.cores)),
            ("MEMORY", str(draft.type.memory)),
            ("RANK", "- RUNNING_VMS"),
            *([("REQUIREMENTS", draft.extra.requirements)] if draft.extra.requirements else []),
            ("NAME", spec.name),
            *(("DISK", disk) for disk in self._disks(draft)),
            *(("NIC", nic) for nic in nics(spec, self._options.network, draft.extra.address(spec.mark.index))),
            ("GRAPHICS", {"port": "-1", "type": "vnc"}),
            ("CONTEXT", context(spec, self._method, token)),
            *([("INBOUND_PORTS", ",".join(draft.source.ports))] if draft.source.ports else []),
            (_vms.MARK, str(spec.mark)),
            (_vms.NONCE, nonce or secrets.token_hex(8)),
            (_vms.TOKEN, token),
            (_vms.IMAGE, spec.image),
            (_vms.FLAVOR, self._names.flavor(spec.flavor)),
            (_vms.MADE, _vms.parts_text(self.parts(draft))),
            *([(_vms.NUMBER, str(spec.number))] if spec.number else []),
            *([(_vms.CLOUDS, " ".join(spec.clouds))] if spec.clouds else []),
            *([(_vms.LOCK, ticket)] if ticket else []),
        ]
        return text(attributes, what)

    def _disks(self, draft: Draft) -> list[dict[str, str]]:
        """The root, the swap disk if there is one, then the volumes, each with a different device name.

        Volumes are virtio disks whatever the bus of the image is, as those that are attached later are: IDE has four places, one of which the context
        disk has, and Linux gives an IDE disk another name than that of its target.
        """
        names = _targets(draft.source.prefix)
        of_volumes = names if draft.source.prefix == VIRTIO else _targets(VIRTIO)
        root = {"source": draft.source.url, "target": next(names), "save": "no", "readonly": "no"}
        found = [root | ({"driver": draft.source.driver} if draft.source.driver else {})]
        if draft.type.swap:
            found.append({"type": "swap", "size": str(draft.type.swap), "target": next(names), "readonly": "no"})
        volumes = [{"SOURCE": f"pdisk:{self._disk_base}/{disk.uuid}", "TARGET": next(of_volumes), "TYPE": "block"} for disk in draft.disks]
        return [*found, *volumes]

    def parts(self, draft: Draft) -> dict[str, str]:
        """What is fixed when a node is created."""
        spec = draft.spec
        known = {
            "flavor": self._names.flavor(spec.flavor),
            "cores": str(draft.type.cores),
            "memory": str(draft.type.memory),
            "swap": str(draft.type.swap),
            "id of the image": draft.source.id,
            "architecture": draft.source.architecture,
            "network": self._options.network,
            "public_ip": "yes" if spec.public_ip else "no",
            "ssh_user": spec.ssh_user,
            "context_method": self._method,
            "extra": _digest(spec),
        }
        return {key: value for key, value in known.items() if value}


def _targets(prefix: str) -> Iterator[str]:
    return (f"{prefix}{letter}" for letter in LETTERS)


def _digest(spec: NodeSpec) -> str:
    """Further options in few characters: their names, and something that differs where their values do."""
    fixed = {key: value for key, value in spec.extra.items() if key not in ("addresses", "machines")}  # which differ from node to node
    if not fixed:
        return "none"
    words = json.dumps(fixed, sort_keys=True, default=str)
    return f"{', '.join(sorted(fixed))[:SHOWN]} ({hashlib.sha256(words.encode()).hexdigest()[:8]})"
