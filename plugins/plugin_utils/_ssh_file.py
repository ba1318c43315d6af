# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the OpenSSH configuration of a cluster is, and whether it knows a node."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import private_folder
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import in_awx
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import STDOUT
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_config import names


def to_write(asked: str, cluster: str, run: Mapping[str, Any]) -> str:
    """The file that a run writes: what the user asks for, or a file in this user's own folder; empty where there is no such folder."""
    if asked or in_awx(run):  # a file in the container of a job is nobody's
        return os.path.expanduser(asked)  # the shell leaves it as it is after "sky_ssh_config="
    folder = private_folder()
    return f"{folder}/{cluster}.conf" if folder else ""


def to_use(asked: str, cluster: str, run: Mapping[str, Any]) -> str:
    """The file that ssh can be given by who reads the output of a run; empty if there is none."""
    file = to_write(asked, cluster, run)
    return "" if in_awx(run) or file == STDOUT else file


def knows(file: str, name: str, address: str) -> bool:
    """Whether the file leads to a node, as of this run or an earlier one."""
    try:
        return names(Path(file).read_text(encoding="utf-8"), name, address)
    except (OSError, ValueError):
        return False
