# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster's access to one share of a cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._clouds._contract import Access, Cloud, CloudError, Share
from ._resource import asked

PLAIN = re.compile(r"""[^\s"'\\%]+""")  # as it is in the settings of a mount, where other characters have a meaning


def given(cloud: Cloud, name: str, protocol: str, check: bool) -> tuple[bool, Mapping[str, Any]]:
    """Whether access was given just now, and what the share is mounted with.

    Args:
        check: find the share, and leave it at that: then nothing is known of the client.

    Raises:
        CloudError: there is no such share, or no access to it; the sentence says why.
    """
    try:
        share = asked(lambda: cloud.share(name, protocol), f"share {name}")
        _check(share)
        known = {"name": share.name, "id": share.id, "cloud": cloud.name, "export": share.export, "file_system": share.file_system}
        if check:
            return False, known | {"client": "", "key": ""}
        # it looks for what it has created before it creates it, so it may be asked again
        access = asked(lambda: cloud.share_access(share), f"access to share {name}")
        _check_access(share, access)
    except CloudError as error:
        raise type(error)(f"cloud {cloud.name}: {error}") from error
    return access.made, known | {"client": access.client, "key": access.key}


def _check(share: Share) -> None:
    """What a cloud says ends up in files of root's on the nodes."""
    if not PLAIN.fullmatch(share.export):
        raise CloudError(f"share '{share.name}' has an export location that cannot be mounted: {share.export!r}")


def _check_access(share: Share, access: Access) -> None:
    """The key is not shown."""
    if not PLAIN.fullmatch(access.client) or not PLAIN.fullmatch(access.key):
        raise CloudError(f"share '{share.name}': the cloud's answer has no usable key of the client {access.client!r}")
