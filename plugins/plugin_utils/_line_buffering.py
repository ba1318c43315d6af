# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible writes, seen when it is written."""

from __future__ import annotations

import io
import sys


def use_line_buffering() -> None:
    """Let lines out one by one, also into a pipe or a file.

    Ansible leaves it to the system when they are seen, which is by the block of 8 KiB where nobody sits at a terminal: a run that is followed through
    a pipe, as in CI, would be silent for minutes. Called in Ansible's main process, which alone writes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
