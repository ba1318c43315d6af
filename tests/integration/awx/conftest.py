# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StratusLab test site, for the jobs that make a cluster there."""

from __future__ import annotations

from ansible_collections.sky.clusters.tests.support.stratuslab_site import lal

__all__ = ["lal"]
