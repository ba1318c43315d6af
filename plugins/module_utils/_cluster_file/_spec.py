# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module about a cluster has: the cluster itself, as the inventory plugin shows it."""

from __future__ import annotations

from typing import Any

CLUSTER_SPEC: dict[str, Any] = {
    "cluster": {"type": "str", "required": True},
    "clouds": {"type": "dict", "required": True},
    "pools": {"type": "dict", "required": True},
    "settings": {"type": "dict", "default": {}},
}
# What a run may ask for beside the cluster file
REQUEST_SPEC: dict[str, Any] = {
    "counts": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "str", "default": []},
    "confirm": {"type": "str", "default": ""},
    "identity_file": {"type": "str", "default": ""},
}
# What decides which nodes a run replaces or removes
CHOICE_SPEC: dict[str, Any] = {
    "replace": {"type": "list", "elements": "str", "default": []},
    "sick": {"type": "dict", "default": {}},
    "idle": {"type": "list", "elements": "str", "default": []},
}
