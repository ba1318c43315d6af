# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which a test cloud has its state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import locked


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Who starts or stops the cloud holds the folder; an empty one is not left."""
    with locked(folder, make=True):
        try:
            yield
        finally:
            if not any(folder.iterdir()):
                folder.rmdir()
