# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller that variables of roles name. A relative path begins where the run was started."""

from __future__ import annotations

import hashlib
from pathlib import Path


def check(value: str) -> str:
    """Why a value names no file; empty if it names one, or nothing."""
    return "" if not value or Path(value).expanduser().is_file() else f"no such file on the controller: {value}"


def digest(value: str) -> str:
    """A hash of the file, whatever its name; empty if there is none."""
    path = Path(value).expanduser()
    return hashlib.sha256(path.read_bytes()).hexdigest() if value and path.is_file() else ""
