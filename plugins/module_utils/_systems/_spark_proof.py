# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp on a master that says when and how the last proof of its cluster ended.

Ships with the modules that run on nodes: the standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STAMP = Path("/var/lib/sky/proof/spark.json")
HOME = Path("/opt/spark")
SETTINGS = Path("/etc/spark")
SUCCESS, FAILURE, POSTPONED = "success", "failure", "postponed"


def files() -> str:
    """Digest of what says how this node submits jobs."""
    digest = hashlib.sha256(json.dumps([path.name for path in HOME.glob(".sha256-*")]).encode())
    for path in sorted(SETTINGS.iterdir()) if SETTINGS.is_dir() else []:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def read(stamp: Path) -> dict[str, Any]:
    """How the last proof ended; empty where none was run since a node was changed, or where it cannot be read, as that of version 0.3.0."""
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"subject", "outcome", "ended"} <= found.keys() else {}


def write(stamp: Path, subject: Mapping[str, Any], outcome: str, **more: Any) -> None:
    """Keep how a proof ended.

    Args:
        subject: what it was a proof of.
        more: the result of a success, or why it failed or was put off.
    """
    ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    stamp.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = stamp.with_name(stamp.name + ".new")
    new.write_text(json.dumps({"subject": subject, "outcome": outcome, "ended": ended, **more}) + "\n", encoding="utf-8")
    new.replace(stamp)


def seen(stamp: Path) -> dict[str, Any]:
    """The same for those who look at the cluster: also the nodes that took part, and whether the files of this node are still the same."""
    found = read(stamp)
    if not found:
        return {}
    subject = found.pop("subject")
    return found | {"nodes": subject["settings"].get("nodes", []), "current": subject["files"] == files()}
