# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp on a NameNode's node that says when and how the last proof of its HDFS ended. Ships with modules: the standard library alone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ._spark_proof import read

STAMP = Path("/var/lib/sky/proof/hdfs.json")
SETTINGS = Path("/etc/hadoop/namenode")
HOME = Path("/opt/hadoop")


def files() -> str:
    """Digest of what this node's NameNode runs with."""
    digest = hashlib.sha256(" ".join(path.name for path in sorted(HOME.glob(".sha256-*"))).encode())
    for path in sorted(SETTINGS.iterdir()) if SETTINGS.is_dir() else []:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def seen(stamp: Path) -> dict[str, Any]:
    """How the last proof ended, for those who look at the cluster; empty where there is none since a node was changed."""
    found = read(stamp)
    if not found:
        return {}
    subject = found.pop("subject")
    result = found.get("result", {})
    words = {"words": f"{result['mib']} MiB were written, read and compared on each of {len(result['datanodes'])} DataNode(s)"} if result else {}
    return found | words | {"nodes": subject["nodes"], "current": subject["files"] == files()}
