# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print every line of Ansible at once."""

from __future__ import annotations

import io
import sys


def use_line_buffering() -> None:
    """Flush the output after every line, also into a pipe or a file.

    Without a terminal, Ansible's output is buffered in blocks of 8 KiB: a run that is followed through a pipe, as in CI, would show nothing for
    minutes. Called in the main process of Ansible, which writes all output.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
