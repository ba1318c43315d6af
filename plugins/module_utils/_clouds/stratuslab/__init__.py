# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StratusLab clouds: OpenNebula 3.2 behind an authenticating proxy, persistent disks, and the Marketplace of images."""

from __future__ import annotations

from ._options import StratusLabOptions
from ._provider import StratusLabCloud

__all__ = ["StratusLabCloud", "StratusLabOptions"]
