# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node is made from, in the words of the contract: of a specification now, and of a node when it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._contract import MarkError, NodeSpec
from ._host import added
from ._host.errors import HostError
from ._host.places import Zone
from ._host.records import NodeRecord
from ._options import LxcOptions

NONE = "none"
FIXED = {"network": "a zone's network can change only while no cluster has a node in it"}


def parts(spec: NodeSpec, options: LxcOptions, zone: Zone) -> dict[str, str]:
    """What a node of a specification would be made from now; the image and the flavor must be known."""
    size = options.all_flavors[spec.flavor]
    return {
        "cores": str(size.cores),
        "memory": str(size.memory),
        "ssh_user": spec.ssh_user,
        "public_ip": _yes(spec.public_ip),
        "extra": _flat(spec.extra),
        "resolvers": ", ".join(options.resolvers) or "the machine's",
        **_image(spec.image, options, zone),
    }


def _image(name: str, options: LxcOptions, zone: Zone) -> dict[str, str]:
    recipe = options.all_images.get(name)
    if recipe is None:
        try:
            image = added.added(zone, name)
        except HostError as error:
            raise MarkError(str(error)) from error
        return {"content of the image": image.checksum} if image else {}
    packages = sorted({*recipe.packages, *options.packages})
    return {"suite of the image": recipe.suite, "packages of the image": _listed(packages)}


def made(record: NodeRecord, network: str) -> dict[str, str]:
    """What a node was made from: what its record has always held, and what was noted beside it, if it was."""
    held = {
        "cores": str(record.cores),
        "memory": str(record.memory),
        "ssh_user": record.user,
        "public_ip": _yes(record.public),
        "extra": _flat(record.extra),
    }
    return record.parts | held | ({"network": network} if network else {})


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NONE


def _flat(extra: Mapping[str, Any]) -> str:
    return _listed(f"{key}: {json.dumps(value, sort_keys=True, default=str)}" for key, value in sorted(extra.items()))
