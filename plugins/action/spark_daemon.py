# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, restart and stop a Spark daemon, and show what a draining worker still runs."""

from __future__ import annotations

from ansible_collections.sky.clusters.plugins.plugin_utils._drain_action import DrainAction


class ActionModule(DrainAction):
    """See the documentation of the module of this name."""

    module = "sky.clusters.spark_daemon"
    work = "executor"
