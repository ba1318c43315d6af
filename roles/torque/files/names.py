#!/usr/bin/env python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let this node know the others: their names, and the keys of their hosts, from the configuration that the server of the batch system hands out.

Argument: that configuration, in which the server wrote a line ``# sky member NAME ADDRESS TYPE KEY`` for each node.
"""

import re
import sys
from pathlib import Path

MEMBER = re.compile(r"^# sky member (\S+) (\S+) (\S+) (\S+)$", re.MULTILINE)
HOSTS = Path("/etc/hosts")
KNOWN = Path("/etc/ssh/ssh_known_hosts2")  # the other one is the site's
TRUSTED = Path("/etc/ssh/shosts.equiv")
OWN = "# Written by sky.clusters\n"
ADDED = "# Names that other roles have added\n"  # the role `node` keeps what is below this line


def put(path: Path, text: str) -> bool:
    """Write a file as a whole; whether that changed it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(path)
    return True


def hosts(text: str, addresses: dict[str, str], own: str, before: set[str]) -> str:
    """The hosts file with these names, and without those that were members before; what others wrote stays, above and below the line.

    Args:
        own: name of this node, whose line the role `node` writes.
    """
    wanted = {f"{address} {name}" for name, address in addresses.items() if name != own}
    ours = (before | set(addresses)) - {own}
    above, _line, below = text.partition(ADDED)
    others = [line for line in above.splitlines() if line in wanted or not set(line.split()[1:]) & ours]
    added = [line for line in below.splitlines() if not set(line.split()[1:]) & ours]
    added += sorted(wanted - set(others), key=lambda line: line.split()[1])
    return "".join(f"{line}\n" for line in others) + (ADDED + "".join(f"{line}\n" for line in added) if added else "")


def main(configuration: Path, own: str) -> bool:
    found = MEMBER.findall(configuration.read_text(encoding="utf-8"))
    if not found:
        return False
    addresses = {name: address for name, address, _kind, _key in found}
    known = "".join(f"{name},{address} {kind} {key}\n" for name, address, kind, key in sorted(found))
    trusted = "".join(f"{name}\n" for name in sorted(addresses))
    before = set(TRUSTED.read_text(encoding="utf-8").splitlines()[1:]) if TRUSTED.is_file() else set()
    changed = [
        put(HOSTS, hosts(HOSTS.read_text(encoding="utf-8"), addresses, own, before)),
        put(KNOWN, OWN + known),
        put(TRUSTED, OWN + trusted),
    ]
    return any(changed)


if __name__ == "__main__":
    sys.stdout.write("changed\n" if main(Path(sys.argv[1]), Path("/etc/hostname").read_text(encoding="utf-8").strip()) else "")
