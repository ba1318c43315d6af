# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles need of the ansible-core that runs them."""

from __future__ import annotations

from ansible import constants
from ansible.release import __version__

ALWAYS_NATIVE = (2, 19)  # the first core that always has native templates


def unfit() -> str:
    """Why the roles cannot be run, in one sentence; empty if they can."""
    core = tuple(int(word) for word in __version__.split(".")[:2])
    if core >= ALWAYS_NATIVE or getattr(constants, "DEFAULT_JINJA2_NATIVE", False):
        return ""
    return (
        f"jinja2_native: must be true in the section [defaults] of ansible.cfg with ansible-core {__version__}: numbers in the roles become text "
        "without it (newer ones need no setting)"
    )
