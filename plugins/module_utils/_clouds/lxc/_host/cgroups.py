# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups: the limits of a node, and whether anything runs in it. cgroup v1, v2, and hosts that have both."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from .files import peek
from .places import Zone

CONTROLLERS = ("memory", "cpuset", "devices")


@dataclass(frozen=True)
class Layout:
    """Where the machine has its controllers: the mount points of those of version 1, and the one of version 2."""

    first: dict[str, Path]  # controller -> mount point, version 1
    second: Path | None  # version 2

    @classmethod
    def of(cls, mountinfo: str) -> Layout:
        """From the text of ``/proc/self/mountinfo``."""
        first: dict[str, Path] = {}
        second = None
        for line in mountinfo.splitlines():
            before, after = line.split(" - ", 1)
            kind, options = after.split(" ", 1)
            point = Path(before.split()[4])
            if kind == "cgroup2":
                second = second or point
            elif kind == "cgroup":
                words = options.split()[-1].split(",")
                first.update({name: point for name in words if name in CONTROLLERS})
        return cls(first, second)

    @classmethod
    def current(cls) -> Layout:
        return cls.of(peek(Path("/proc/self/mountinfo")))

    def version(self, controller: str) -> int:
        return 1 if controller in self.first else 2

    def limits(self, cpus: list[int], memory: int) -> list[tuple[str, str]]:
        """LXC's configuration of a node's cores and its memory (MiB)."""
        cores = ",".join(str(cpu) for cpu in cpus)
        return [
            ("lxc.cgroup.cpuset.cpus" if self.version("cpuset") == 1 else "lxc.cgroup2.cpuset.cpus", cores),
            ("lxc.cgroup.memory.limit_in_bytes" if self.version("memory") == 1 else "lxc.cgroup2.memory.max", f"{memory}M"),
        ]

    def device(self, rule: str) -> tuple[str, str]:
        """LXC's configuration that lets a node use a device, such as ``b 7:0 rwm``."""
        return ("lxc.cgroup.devices.allow" if self.version("devices") == 1 else "lxc.cgroup2.devices.allow", rule)

    def group(self, zone: Zone, node: str) -> Path:
        """A folder that holds the node's processes. Of version 1 the cpuset, which systemd in the node does not change: all processes are in one."""
        root = self.first.get("cpuset") or self.second or Path("/sys/fs/cgroup")
        return root / zone.cgroup / node

    def device_groups(self, zone: Zone, node: str) -> list[Path]:
        """The node's groups of the devices controller of version 1, outer ones first: an inner one, made by systemd, does not follow its outer."""
        root = self.first.get("devices")
        return [Path(folder) for folder, *_inner in os.walk(root / zone.cgroup / node)] if root else []

    def all_groups(self, zone: Zone) -> list[Path]:
        """The zone's folder in every hierarchy, those of controllers that we do not use included: LXC makes one in each."""
        roots = {line.split()[4] for line in peek(Path("/proc/self/mountinfo")).splitlines() if " - cgroup" in line}
        return [Path(root) / zone.cgroup for root in sorted(roots) if (Path(root) / zone.cgroup).is_dir()]


def processes(group: Path) -> list[int]:
    """All processes in a group and the groups in it."""
    found = []
    for folder, _inner, names in os.walk(group):
        if "cgroup.procs" in names:
            found += [int(word) for word in peek(Path(folder, "cgroup.procs")).split()]
    return sorted(pid for pid in found if pid)


def init_of(group: Path) -> int:
    """The first process of a node; 0 if none runs."""
    for folder in (group / "init.scope", group):  # where systemd puts itself, and where it was born
        pids = sorted(int(word) for word in peek(folder / "cgroup.procs").split())
        if pids:
            return next((pid for pid in pids if _is_init(pid)), pids[0])
    return min(processes(group), default=0)


def _is_init(pid: int) -> bool:
    """Whether a process is number 1 in its own name space."""
    found = [line.split()[-1] for line in peek(Path(f"/proc/{pid}/status")).splitlines() if line.startswith("NSpid:")]
    return found == ["1"]


def remove(group: Path) -> None:
    """Remove an empty group and the groups in it."""
    for folder, *_inner in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
