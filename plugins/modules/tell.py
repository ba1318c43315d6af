# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tell
short_description: Print plain lines
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Prints lines as they are, where M(ansible.builtin.debug) would print them as data.
  - On a terminal, prose is wrapped at its width, and lines that tell a fault are red. Commands and rows of tables stay whole.
  - Publishes the result of a run, for programs that started it. AWX shows it as artifact, and later jobs of a workflow have it as variable.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  lines:
    description: The lines to print.
    type: list
    elements: str
    default: []
  result:
    description: What to add to the artifact C(sky_result).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what is left
  sky.clusters.tell:
    lines: "{{ result.summary }}"
"""

RETURN = r"""
{}
"""
