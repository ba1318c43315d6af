# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools that look for weaknesses say of a node. The guide has the figures."""

from __future__ import annotations

import re
from pathlib import Path

from testinfra.host import Host

EXPOSURE = 2.5  # the most that a unit may have, of 10, as systemd-analyze counts
# Units, by the begin of their names, that cannot be kept in a sandbox
OPEN = (
    *("sky-volume@", "sky-share-", "sky-nfs-", "sky-cephfs"),  # mount something that the whole node sees
    "slurmd",  # runs each job as its user
)
EXCEPTIONS = Path(__file__).with_name("lynis.prf")
EVERY_TEST, WITHOUT_EXCEPTIONS = 62, 80  # the least points of 100 that lynis may give a strict node
INSTALL = "apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends lynis >/dev/null"


def exposure(host: Host, unit: str) -> float:
    """What systemd-analyze makes of a unit. Asked for by name, since the list has only the units that systemd has loaded."""
    said = host.check_output(f"systemd-analyze security --no-pager {unit}")
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    return float(found[1])


def exposures(host: Host) -> dict[str, float]:
    """What it makes of the units that the roles have installed."""
    own = host.check_output("find /etc/systemd/system -maxdepth 1 -type f -name '*.service' -printf '%f\\n'").split()
    return {unit: exposure(host, unit) for unit in sorted(own)}


def exposed(host: Host) -> list[str]:
    """The units that should be kept in a sandbox and are not. The figures of all are shown."""
    found, name = exposures(host), host.check_output("hostname")
    print(f"systemd-analyze security, {name}: {', '.join(f'{unit} {value}' for unit, value in found.items())}")
    return [f"{name}: {unit} {value}" for unit, value in found.items() if value > EXPOSURE and not unit.startswith(OPEN)]


def lynis(host: Host) -> tuple[int, int]:
    """The points of a node with all tests, and without those that a node of a cluster fails on purpose. Installs lynis: ask this last."""
    host.check_output(f"export DEBIAN_FRONTEND=noninteractive; {INSTALL}")
    every = _points(host)
    host.check_output("printf %s %s > /etc/lynis/custom.prf", "%s", EXCEPTIONS.read_text(encoding="utf-8"))
    rest = _points(host)
    print(f"lynis, {host.check_output('hostname')}: {every} of 100, and {rest} of 100 without the exceptions")
    return every, rest


def _points(host: Host) -> int:
    host.run("lynis audit system --quick --no-colors --quiet")  # its exit code says whether it has warnings
    report = host.check_output("grep hardening_index= /var/log/lynis-report.dat")
    return int(report.partition("=")[2])
