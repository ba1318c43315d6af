# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent keeps true on its node beside the overlay: the sets and rules of the firewall, and the hosts file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import _host, _paths
from ._known import Known
from ._list import write

LOG = logging.getLogger("sky-network")
ADDED = "# Names that other roles have added\n"  # the role `node` keeps what is below this line, too
AGAIN = 5.0  # s between two looks at the firewall's rules


@dataclass
class Firewall:
    """The firewall of the node."""

    known: Known
    ruleset: str  # file; empty if there is no firewall
    sets: str
    set_forwarding: Callable[[], None]
    _stamp: tuple[float, str] = (0.0, "")
    _seen: float = 0.0

    def fill(self) -> None:
        """Fill the sets where the list or the rules have changed."""
        ruleset = Path(self.ruleset)
        if not self.ruleset or not ruleset.exists():
            return
        self._keep()
        stamp = (ruleset.stat().st_mtime, str(self.known.nodes.serial))
        if stamp == self._stamp:
            return
        known = _host.known_sets(ruleset.read_text(encoding="utf-8"))
        text = _host.set_elements(_paths.sets(self.known.nodes, self.known.me), known)
        write(Path(self.sets), text)
        if f"table {_host.FIREWALL}" in _host.run("nft", "list", "tables", check=False):
            _host.run("nft", "-f", "-", stdin=text)
        self._stamp = stamp

    def _keep(self) -> None:
        """Load the rules again where somebody has flushed them."""
        now = time.monotonic()
        if now - self._seen < AGAIN:
            return
        self._seen = now
        tables = _host.run("nft", "list", "tables").splitlines()
        if self.known.nodes.overlay and _paths.forwards(self.known.nodes, self.known.me) and f"table ip {_host.TABLE}" not in tables:
            self.set_forwarding()
        if f"table {_host.FIREWALL}" not in tables:
            LOG.error("the firewall's rules are gone: loading them again")
            _host.run("systemctl", "restart", "sky-firewall.service")


@dataclass
class Hosts:
    """The hosts file of the node."""

    known: Known
    file: Path
    _stamp: tuple[int, float] = (0, 0.0)

    def write(self) -> None:
        """Write it where the list has changed, or where somebody else has written the file. What others have added below a line stays."""
        if self._stamp != (self.known.nodes.serial, _host.changed_at(self.file)):
            _host.write_changed(self.file, _paths.hosts(self.known.nodes, self.known.me) + _added(self.file))
            self._stamp = (self.known.nodes.serial, _host.changed_at(self.file))


def _added(file: Path) -> str:
    """What a hosts file has from the line on below which others add names."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    head, line, below = text.partition(ADDED)
    return line + below if head.endswith("\n") or not head else ""
