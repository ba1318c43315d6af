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
NONE = "NodeName=sky-none NodeAddr=127.0.0.1 Port=9 CPUs=1024 RealMemory=16777216 State=DOWN\n"  # see slurm.conf.j2
SECONDS = 60  # that the server may take to answer


class ForgetError(Exception):
    """The server does not do what it is asked; the message is one sentence."""


def without(text: str, names: set[str]) -> str:
    """The configuration without these nodes."""
    lines = []
    for line in text.splitlines(keepends=True):
        found = re.match(r"NodeName=(\S+) |# sky member (\S+) ", line)
        if not found or not names & {str(found[1]), str(found[2])}:
            lines.append(line)
    return "".join(lines if any(line.startswith("NodeName=") for line in lines) else [*lines, NONE])


def main(names: set[str]) -> bool:
    old = CONFIGURATION.read_text(encoding="utf-8")
    new = without(old, names)
    pending = CONFIGURATION.with_suffix(".pending")  # a run that ended between two of the steps has left it
    if new == old and not pending.exists():
        return False
    pending.touch()
    CONFIGURATION.write_text(new, encoding="utf-8")
    run("systemctl", "restart", "slurmctld.service")
    end = time.monotonic() + SECONDS
    while "UP" not in subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False).stdout:
        if time.monotonic() > end:
            raise ForgetError(f"the server does not answer {SECONDS} s after its restart; see 'journalctl -u slurmctld' on it")
        time.sleep(0.5)
    run("scontrol", "reconfigure")
    run("/usr/local/lib/sky-pbs/names.py", str(CONFIGURATION))
    pending.unlink()
    return True


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ForgetError(f"'{' '.join(command)}' failed: {' '.join((done.stderr or done.stdout).split())}")


if __name__ == "__main__":
    try:
        sys.stdout.write("changed\n" if main(set(sys.argv[1].split())) else "")
    except (ForgetError, OSError) as error:
        sys.exit(str(error))
