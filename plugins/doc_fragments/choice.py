# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that choose the nodes to replace and to remove."""

from __future__ import annotations


class ModuleDocFragment:
    """What is known of the nodes, and which of them are to be replaced."""

    DOCUMENTATION = r"""
options:
  replace:
    description:
      - Nodes to replace, by name. V(drift) stands for all nodes that differ from the file.
      - A run replaces a quarter of the nodes of a pool, at least one. The head of a system is replaced alone, after all others.
      - With V(drift), a node that may hold data which a new node would lack is not replaced, and a note says so. This is a node without a data
        volume, and without a role or with a role that cannot be moved to another node.
    type: list
    elements: str
    default: []
  sick:
    description:
      - Nodes that run but do not work, each with the reason, as M(sky.clusters.findings) returns them. Nodes that do not exist or do not run are
        ignored.
      - A sick node whose roles a new node can take over is deleted without a drain and replaced, with its name and volumes. Such nodes are the first
        to go if a pool shrinks. Other sick nodes are kept, and a note says so.
    type: dict
    default: {}
  idle:
    description: Nodes that are known to do nothing now. If a pool shrinks, they are removed before nodes that work.
    type: list
    elements: str
    default: []
"""
