# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How every internal module is documented as such."""

from __future__ import annotations


class ModuleDocFragment:
    """A note in the documentation of the module."""

    DOCUMENTATION = r"""
options: {}
notes:
  - This module is internal. The playbooks and roles of this collection call it. Its options and return values may change in any release.
"""
