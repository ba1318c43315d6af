# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of the node: its sets are filled as the list says, and it is loaded again where somebody else has changed it."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import _host, _paths
from ._known import Known
from ._list import write

LOG = logging.getLogger("sky-network")
AGAIN = 5.0  # s between two looks at what is loaded
TIMER = "sky-firewall-back"  # takes rules back that are not confirmed


def shown() -> str:
    """Our table as nftables shows it, elements of sets included, counts left out; empty if there is none."""
    return _host.run("nft", "-s", "list", "table", *_host.FIREWALL.split(), check=False)


def record(file: Path, rules: str) -> None:
    """Note that these rules are loaded, and how nftables shows them."""
    write(file, json.dumps({"rules": _digest(rules), "table": shown()}), 0o600)


def stands(file: Path, rules: str) -> bool:
    """Whether these rules are loaded, and nobody has changed them since they were recorded."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found["table"]) and found == {"rules": _digest(rules), "table": shown()}


def pending() -> bool:
    """Whether rules are loaded that are yet to be confirmed."""
    return subprocess.run(["systemctl", "is-active", "--quiet", f"{TIMER}.timer"], capture_output=True, check=False, timeout=20).returncode == 0


def _digest(rules: str) -> str:
    return hashlib.sha256(rules.encode()).hexdigest()


@dataclass
class Firewall:
    """Keeps the firewall as its file and the list say."""

    known: Known
    ruleset: str  # file; empty if there is no firewall
    sets: str
    _stamp: tuple[float, int] = (0.0, 0)
    _looked: float = -AGAIN

    @property
    def recorded(self) -> Path:
        return Path(self.sets).with_name("firewall.json")

    def keep(self) -> None:
        """Load the rules where others are loaded, and fill the sets where the list has changed."""
        file = Path(self.ruleset)
        if not self.ruleset or not file.exists():
            return
        stamp, now = (_host.changed_at(file), self.known.nodes.serial), time.monotonic()
        if stamp == self._stamp and now - self._looked < AGAIN:
            return
        self._looked = now
        rules = file.read_text(encoding="utf-8")
        whole = stands(self.recorded, rules)
        if not whole and pending():
            return
        if whole and stamp == self._stamp:
            return
        elements = _host.set_elements(_paths.sets(self.known.nodes, self.known.me), _host.known_sets(rules))
        write(Path(self.sets), elements)
        if not whole:
            LOG.error("the firewall is not as it was loaded: loading it again")
        _host.run("nft", "-f", "-", stdin=elements if whole else rules + elements)
        record(self.recorded, rules)
        self._stamp = stamp
