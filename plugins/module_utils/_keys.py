# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public ssh keys that nodes let in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ._cluster import ClusterFileError, Settings

NONE = "ssh_keys: none in the file, none in the ssh agent and no ~/.ssh/*.pub; make one with ssh-keygen, or name them in the file"


def authorised_keys(settings: Settings, home: Path) -> tuple[str, ...]:
    """The file's keys, else the agent's, else those under ``~/.ssh``.

    Raises:
        ClusterFileError: there is none: nobody could log in.
    """
    found = settings.ssh_keys or _of_agent() or _of_home(home)
    if not found:
        raise ClusterFileError([NONE])
    return found


def _of_agent() -> tuple[str, ...]:
    try:
        answer = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(answer.stdout.splitlines()) if answer.returncode == 0 else ()


def _of_home(home: Path) -> tuple[str, ...]:
    keys = sorted((home / ".ssh").glob("*.pub"))
    return tuple(text for key in keys if (text := key.read_text(encoding="utf-8").strip()) and "-cert-v01@" not in text)
