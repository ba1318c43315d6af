# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this scenario share."""

from __future__ import annotations

from testinfra.host import Host


def refused_by_ssh(host: Host, command: str) -> bool:
    """Whether the node's own ssh ended with 255, which testinfra would take for a failure of its own ssh."""
    done = host.run(f"{command} < /dev/null; echo code $?")
    return bool(done.stdout.endswith("code 255\n"))
