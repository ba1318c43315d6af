# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a run for the program that started it: one statistic of Ansible, which AWX keeps as the artifact of a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NAME = "sky_result"  # a later job of a workflow has it as extra variable, so nothing else may have this name


def published(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a task returns to publish a result; results of several tasks are merged."""
    return {"ansible_stats": {"data": {NAME: untemplated(dict(result))}, "per_host": False, "aggregate": True}} if result else {}


def heads(names: Iterable[str], hostvars: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The head of each system among these nodes. A node that the inventory does not have yet is left out."""
    return {
        system: {"node": name, "address": hostvars[name]["sky_address"], "outside": hostvars[name]["ansible_host"]}
        for name in names
        if name in hostvars
        for system in hostvars[name].get("sky_headed", [])
    }
