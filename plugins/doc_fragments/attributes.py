# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module supports beside its work."""

from __future__ import annotations


class ModuleDocFragment:
    """Check mode and diff mode."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what would be done.
    support: full
  diff_mode:
    description: Reports in diff mode what was, or would be, done.
    support: none
"""
