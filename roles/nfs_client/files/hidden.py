# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if a folder of this node holds files that a shared folder, mounted there for the first time, would hide.

Arguments: the users whose homes are shared. Files whose names begin with a dot may be hidden: every new home has some.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

UNITS = Path("/etc/systemd/system")
HOMES = Path("/home")
SOFTWARE = Path("/software")
SHOWN = 3  # files that the sentence names


def hidden(users: Sequence[str]) -> Iterator[str]:
    """One sentence for each folder that is not shared yet and holds files."""
    for share, folder in [*((f"home-{user}", HOMES / user) for user in users), ("software", SOFTWARE)]:
        if (UNITS / f"sky-share-{share}.service").exists() or not folder.is_dir():
            continue
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        if names:
            more = ", ..." if len(names) > SHOWN else ""
            yield f"{folder} of this node is not empty, and the shared folder would hide {', '.join(names[:SHOWN])}{more}: move them away"


if __name__ == "__main__":
    if found := list(hidden(sys.argv[1:])):
        sys.exit("; ".join(found))
