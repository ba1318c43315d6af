# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud ``lxc``: nodes are system containers on the machine that Ansible runs on.

LXC 5 with overlay clones of an image; no daemon of ours. All state is files under one folder, which everybody may read: only what changes something
goes through the host program, as root. Nodes share the machine's kernel, and root in a node is nearly root on the machine: they are for people who
trust one another.
"""

from __future__ import annotations

from ._options import LxcOptions
from ._provider import LxcCloud

__all__ = ["LxcCloud", "LxcOptions"]
