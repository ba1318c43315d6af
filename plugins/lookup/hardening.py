# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that keep a service of a system in a sandbox."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hardening
short_description: Return the lines of a systemd unit that sandbox a service
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the lines for the section C([Service]) of a unit. All services of all systems have the same ones. A service can write only to the folders
    that are named here, and to a private C(/tmp).
  - The lines are a file of the role P(sky.clusters.node#role), so that a change of them leads to a visit of every node.
options:
  _terms:
    description: Folders that the service can write to.
    required: true
"""

EXAMPLES = r"""
- name: Write the unit
  sky.clusters.files:
    files:
      - path: /etc/systemd/system/example.service
        content: |
          [Service]
          ExecStart=/opt/example/bin/server
          User=example
          {{ lookup('sky.clusters.hardening', '/data/example') }}
"""

RETURN = r"""
_raw:
  description: The lines.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

LINES = Path(__file__).parents[2] / "roles/node/files/hardening.conf"


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:  # noqa: ARG002
        lines = [line for line in LINES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return ["\n".join([*lines, f"ReadWritePaths={' '.join(terms)}"])]
