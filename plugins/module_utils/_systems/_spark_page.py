# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that Spark's daemons serve, as data. Ships with the modules that run on nodes: the standard library alone."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Mapping
from typing import Any

SECONDS = 10  # that a page may take


def read(page: str, path: str = "/json/") -> Mapping[str, Any] | None:
    """A page, without any proxy; None where nothing serves it.

    Args:
        page: where the daemon listens, such as ``http://10.0.0.4:8080``.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(page.rstrip("/") + path, timeout=SECONDS) as answer:
            found = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return found if isinstance(found, dict) else None


def alive(page: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The workers that a master counts on, by address."""
    return {worker["host"]: worker for worker in page.get("workers", []) if worker["state"] == "ALIVE"}
