# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp on the head of a system that says when and how its last proof ended.

Sent to the nodes: it uses only the standard library.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUCCESS, FAILURE, POSTPONED = "success", "failure", "postponed"


@dataclass(frozen=True)
class ProofStamp:
    """The stamp of one system.

    Attributes:
        path: where it is kept.
        settings: the file with the settings of the head, which it was a proof of.
    """

    path: Path
    settings: Path

    def read(self) -> dict[str, Any]:
        """How the last proof ended; empty if none was run since a node was changed."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and {"nodes", "settings", "outcome", "ended"} <= found.keys() else {}

    def write(self, nodes: Iterable[str], outcome: str, **more: Any) -> None:
        """Keep how a proof ended.

        Args:
            nodes: the ids of the nodes that it was a proof of.
            more: the result of a success, or why it failed or was postponed.
        """
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = self.path.with_name(self.path.name + ".new")
        kept = {"nodes": sorted(nodes), "settings": self._digest(), "outcome": outcome, "ended": ended, **more}
        new.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        new.replace(self.path)

    def seen(self) -> dict[str, Any]:
        """The same for those who look at the cluster: also whether the settings are still the same."""
        found = self.read()
        return found | {"current": found.pop("settings") == self._digest()} if found else {}

    def holds(self, nodes: Iterable[str]) -> bool:
        """Whether the last proof was a success, with these nodes and the present settings."""
        last = self.seen()
        return last.get("outcome") == SUCCESS and last["current"] and last["nodes"] == sorted(nodes)

    def _digest(self) -> str:
        return hashlib.sha256(self.settings.read_bytes() if self.settings.is_file() else b"").hexdigest()
