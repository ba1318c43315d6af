# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp on the server of a batch system that says when and how its last proof ended.

Sent to the nodes: it uses only the standard library.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

STAMP = Path("/var/lib/sky/proof/torque.json")
SETTINGS = Path("/etc/slurm/slurm.conf")
SUCCESS, FAILURE, POSTPONED = "success", "failure", "postponed"


def digest() -> str:
    """Of the configuration of this server."""
    return hashlib.sha256(SETTINGS.read_bytes() if SETTINGS.is_file() else b"").hexdigest()


def read(stamp: Path) -> dict[str, Any]:
    """How the last proof ended; empty if none was run since a node was changed."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"nodes", "settings", "outcome", "ended"} <= found.keys() else {}


def write(stamp: Path, nodes: Iterable[str], outcome: str, **more: Any) -> None:
    """Keep how a proof ended.

    Args:
        nodes: the ids of the nodes that it was a proof of.
        more: the result of a success, or why it failed or was postponed.
    """
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    stamp.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = stamp.with_name(stamp.name + ".new")
    kept = {"nodes": sorted(nodes), "settings": digest(), "outcome": outcome, "ended": ended, **more}
    new.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    new.replace(stamp)


def seen(stamp: Path) -> dict[str, Any]:
    """The same for those who look at the cluster: also whether the configuration is still the same."""
    found = read(stamp)
    return found | {"current": found.pop("settings") == digest()} if found else {}
