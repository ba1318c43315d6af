# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run is a job of AWX, and what its user, who has neither a command line nor its files, can do with it. No I/O."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping
from typing import Any

JOB_IDS = ("awx_job_id", "tower_job_id")  # extra variables of every job
# Options of the controller alone, which is a container: its files are not on the reader's machine
OWN = ("none", "IdentitiesOnly=", "IdentityFile=")
PROXY = "ProxyCommand="


def in_awx(variables: Mapping[str, Any]) -> bool:
    return any(variables.get(name) for name in JOB_IDS)


def portable(options: str) -> str:
    """The options of ssh without those that name files of the controller, also for the node in between."""
    words = shlex.split(options)
    kept: list[str] = []
    for flag, value in itertools.zip_longest(words, words[1:], fillvalue=""):
        if kept and kept[-1] == "-o" and flag.startswith(PROXY):
            command = shlex.split(flag.removeprefix(PROXY))
            kept.append(f"{PROXY}ssh {portable(shlex.join(command[1:]))}")
        elif not (flag in ("-o", "-F") and value.startswith(OWN)) and not flag.startswith(OWN):
            kept.append(flag)
    return shlex.join(kept)
