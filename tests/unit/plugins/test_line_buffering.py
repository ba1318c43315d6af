# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines are flushed at once, also through a pipe."""

from __future__ import annotations

import os
import select
import subprocess
import sys

WRITES_AND_WAITS = """
import sys
from ansible_collections.sky.clusters.plugins.plugin_utils._line_buffering import use_line_buffering
use_line_buffering()
print("seen")
sys.stdin.read()
"""


def test_a_line_is_readable_through_a_pipe_while_the_writer_runs() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", WRITES_AND_WAITS]
    with subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        readable = select.select([writer.stdout], [], [], 20)[0]
        assert writer.poll() is None
        said, _none = writer.communicate(timeout=20)
    assert (len(readable), said) == (1, "seen\n")
