# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """The cluster, in the form in which the inventory plugin provides it."""

    DOCUMENTATION = r"""
options:
  cluster:
    description: Name of the cluster, C(sky_cluster) of the inventory plugin P(sky.clusters.clouds#inventory).
    type: str
    required: true
  clouds:
    description: Clouds of the cluster, C(sky_clouds) of the inventory plugin.
    type: dict
    required: true
  pools:
    description: Pools of the cluster, C(sky_pools) of the inventory plugin.
    type: dict
    required: true
  settings:
    description: The other keys of the cluster file, C(sky_settings) of the inventory plugin.
    type: dict
    default: {}
"""
