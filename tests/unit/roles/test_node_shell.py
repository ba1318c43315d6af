# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a strict node does with shells: those at a prompt end after an hour, and scripts read for as long as they like."""

from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.sky.clusters.tests.support import tree

FILE = tree.ROOT / "roles/node/files/profile"


@pytest.mark.parametrize(("shell", "said"), [(["bash", "--norc", "-i"], "3600"), (["bash", "--norc"], "none"), (["sh"], "none")])
def test_only_a_shell_at_a_prompt_ends(shell: list[str], said: str) -> None:
    own = {name: value for name, value in os.environ.items() if name != "TMOUT"}
    command = [*shell, "-c", f". {FILE}; echo ${{TMOUT-none}}; bash --norc -c 'echo ${{TMOUT-none}}'"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=own, check=True, start_new_session=True)
    assert done.stdout.split() == [said, "none"]  # and the commands of a shell at a prompt are scripts
