# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh says of a node that does not answer."""

from __future__ import annotations


def own_words(message: str) -> str:
    """Ssh's own words, without what Ansible puts before them."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1].rpartition("ssh: ")[2] if lines else "no reason was given"
