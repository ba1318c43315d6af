# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may say of an image that is added: the option ``properties`` of the image modules, and the format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..._base._schema import Choice, Faults, Integer, Text, hint, option, read
from .._contract import Invalid
from ._metadata import VALID_DAYS

LINE = Text(r"[^\x00-\x1f\x7f]+", "a text of one line")  # control characters cannot be written into a description
RAW, QCOW2, TAR = "raw", "qcow2", "tar"
FORMATS = (RAW, QCOW2, TAR)
QCOW2_MAGIC = b"QFI\xfb"


@dataclass(frozen=True)
class Properties:
    """The properties, most of which become a part of the description of the image."""

    os: str = option(LINE, "Operating system.", default="unknown")
    os_version: str = option(LINE, "Its version.", default="unknown")
    architecture: str = option(LINE, "Architecture, as C(uname -m) says it.", default="x86_64")
    version: str = option(LINE, "Version of the image.", default="1.0")
    title: str = option(LINE, "Title; by default the name of the image.", default="")
    description: str = option(Text(r"[^\x00-\x08\x0b-\x1f\x7f]+", "a text", 10_000), "What the image is for.", default="an image")
    disks_bus: str = option(Choice(("ide", "scsi", "virtio"), "bus"), "Bus of the disks of its machines.", default="virtio")
    valid_days: int = option(Integer(1, 3650), "Days until the description expires.", default=VALID_DAYS)
    visibility: str = option(Choice(("private", "public"), "visibility"), "Who may start machines from it.", default="private")

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Properties:
        """
        Raises:
            Invalid: one is unknown, or its value wrong.
        """
        faults = Faults()
        values = {key: int(value) if key == "valid_days" and re.fullmatch(r"-?[0-9]{1,9}", value) else value for key, value in given.items()}
        found = read(cls, values, "properties", faults)
        if found is None:
            raise Invalid("; ".join(faults.found))
        return found


def judged_format(given: str, content: bytes) -> str:
    """The format of an image.

    Args:
        given: by the user; empty if it is to be detected.
        content: the first bytes of the image.

    Raises:
        Invalid: no cloud of StratusLab has such images, or it is not that of the content.
    """
    looks = QCOW2 if content.startswith(QCOW2_MAGIC) else ""
    found = given or looks or RAW
    if found not in FORMATS:
        raise Invalid(f"unknown format '{found}'{hint(found, list(FORMATS))}")
    if QCOW2 in (found, looks) and found != looks:
        raise Invalid(f"the file {'is' if looks else 'is not'} {QCOW2}: the format {found} is wrong")
    return found
