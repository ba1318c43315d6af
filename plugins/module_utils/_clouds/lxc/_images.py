# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of this machine: those of the cluster file's recipes, and those that were added. Reads only what everybody may read."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Any, BinaryIO

from ..._base._schema import Faults
from .._contract import Image, ImageSpec, Invalid, MarkError
from ._host import added
from ._host.errors import HostError
from ._host.places import Zone
from ._options import NAME


def listed(zone: Zone, recipes: Iterable[str], mark: str) -> list[Image]:
    """All of them.

    Args:
        recipes: names of those that are made when the first node needs them.
        mark: of those that are ours.
    """
    machine = platform.machine()
    return [Image(name, name, format="recipe", architecture=machine) for name in recipes] + [
        Image(image.name, image.base, "active", image.mark == mark, image.size, image.checksum, "tar", image.architecture) for image in _added(zone)
    ]


def _added(zone: Zone) -> list[added.Added]:
    try:
        found = [added.added(zone, name) for name in added.names(zone)]
    except HostError as error:
        raise MarkError(str(error)) from error
    return [image for image in found if image]


def request(spec: ImageSpec, recipes: Iterable[str], mark: str, file: BinaryIO) -> dict[str, Any]:
    """What the host program is asked for.

    Raises:
        Invalid: this cloud has no such images.
    """
    faults = Faults()
    NAME.parse(spec.name, "name", faults)
    if faults.found:
        raise Invalid(faults.found[0])
    if spec.name in recipes:
        raise Invalid(f"the name {spec.name} is that of a recipe in the cloud's options, or of a built-in one")
    if spec.format not in ("", "tar"):
        raise Invalid(
            f"image {spec.name}: the local cloud accepts archives of root file systems, compressed or not, and no file of format '{spec.format}': "
            "if it is an archive, set format: tar"
        )
    if spec.properties or spec.min_disk or spec.min_memory:
        raise Invalid(f"image {spec.name}: the local cloud's images have no min_disk, min_memory or properties")
    return {"image": {"name": spec.name, "mark": mark, "checksum": spec.checksum}, "file": open_file(file)}


def open_file(file: BinaryIO) -> str:
    """The path of a file of this process, by its number: it may have no name, so that nothing of it is left however we end."""
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"
