# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server forgets nodes that have left: they go from its configuration, and from what the other nodes know.

Argument: their names.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")


def without(text: str, names: set[str]) -> str:
    """The configuration without these nodes."""
    lines = []
    for line in text.splitlines(keepends=True):
        found = re.match(r"NodeName=(\S+) |# sky member (\S+) ", line)
        if not found or not names & {str(found[1]), str(found[2])}:
            lines.append(line)
    return "".join(lines)


def main(names: set[str]) -> bool:
    old = CONFIGURATION.read_text(encoding="utf-8")
    new = without(old, names)
    if new == old:
        return False
    CONFIGURATION.write_text(new, encoding="utf-8")
    subprocess.run(["systemctl", "restart", "slurmctld.service"], check=True)
    for _ in range(60):
        if "UP" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False).stdout:
            break
        time.sleep(0.5)
    subprocess.run(["scontrol", "reconfigure"], check=True, capture_output=True)
    subprocess.run(["/usr/local/lib/sky-pbs/names.py", str(CONFIGURATION)], check=True, capture_output=True)
    return True


if __name__ == "__main__":
    sys.stdout.write("changed\n" if main(set(sys.argv[1].split())) else "")
