# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run is a job of AWX, and what its user, who has neither a command line nor its files, can do with it. No I/O."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Mapping
from typing import Any

JOB_IDS = ("awx_job_id", "tower_job_id")  # extra variables of every job
USERS = ("awx_user_name", "tower_user_name")
# Options of the controller alone, which is a container: its files are not on the reader's machine
OWN = ("none", "IdentitiesOnly=", "IdentityFile=")
PROXY = "ProxyCommand="
OPTION = re.compile(r"-e (sky_\w+)(=?)")
COMMANDS = {  # what is said to somebody who typed a command, and to somebody who started a job
    "if you stop this command": "if this job is cancelled",
    "run the same command again": "start the template again",
    "Ctrl-C": "cancel the job",
    "run with -i <file>.sky.yml, a file whose first key is 'plugin: sky.clusters.clouds'": "choose an inventory whose source is a cluster file",
}
OWNER = re.compile(r"put 'owner: ([^']+)' in the cluster file")
ANSWERED = "answer_name"  # a job has it whose cluster file is made from answers


def in_awx(variables: Mapping[str, Any]) -> bool:
    return any(variables.get(name) for name in JOB_IDS)


def user(variables: Mapping[str, Any]) -> str:
    """Who started the job; empty if a schedule did."""
    return str(next(filter(None, (variables.get(name) for name in USERS)), ""))


def worded(text: str, variables: Mapping[str, Any]) -> str:
    """A sentence for its reader: a job has no command line, but variables, which surveys and templates set."""
    if not in_awx(variables):
        return text
    for command, job in COMMANDS.items():
        text = text.replace(command, job)
    text = OPTION.sub(lambda found: f"{found[1]}: " if found[2] else found[1], text)
    return OWNER.sub(r"set answer_owner: \1", text) if ANSWERED in variables else text


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
