# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a node that Ansible keeps its modules in while they run: its C(remote_tmp)."""

from __future__ import annotations

import os
from pathlib import Path


def create(place: str) -> None:
    """Create it if it is missing. It and the folder that it is in belong to whose home they are in.

    Args:
        place: its path, such as ``~/.ansible/tmp``.
    """
    folder = Path(place).expanduser()
    owner = folder.parent.parent.stat()
    for each, mode in ((folder.parent, 0o755), (folder, 0o700)):
        if not each.exists():
            each.mkdir(mode)
            os.chown(each, owner.st_uid, owner.st_gid)
