# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable the callback that writes the time of a run, for this run."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.utils.vars import load_extra_vars

NAME = "sky.clusters.timeline"
VARIABLE = "sky_timeline"


def use_timeline(loader: Any) -> None:
    """Enable it if the run asks for it. Ansible reads inventories before it loads callbacks, and has no option that enables one."""
    enabled: list[str] = vars(constants)["CALLBACKS_ENABLED"]
    if load_extra_vars(loader).get(VARIABLE) and NAME not in enabled:
        enabled.append(NAME)
