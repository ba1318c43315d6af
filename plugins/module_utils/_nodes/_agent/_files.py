# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts file of the node, as the list says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import _host, _paths
from ._known import Known

ADDED = "# Names that other roles have added\n"  # the role `node` keeps what is below this line, too


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
