# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LXC's configuration of a node. Pure text."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .cgroups import Layout
from .condition import monitor
from .places import NodePlace
from .records import NodeRecord

COMMON = "/usr/share/lxc/config/common.conf"
CHARACTER_DEVICES = {"net/tun": (10, 200), "fuse": (10, 229)}  # what any machine has and a container has not


def config(place: NodePlace, record: NodeRecord, image: Path, layout: Layout, loops: Mapping[str, str]) -> str:
    """The text.

    Args:
        image: root folder of the node's image.
        loops: loop devices of the node's volumes on the machine, by the volumes' short names.
    """
    zone = place.zone
    lines: list[tuple[str, str]] = [
        ("lxc.include", COMMON),
        ("lxc.uts.name", place.name),
        ("lxc.rootfs.path", f"overlay:{image}:{place.root}"),
        ("lxc.apparmor.profile", "unconfined"),  # a node mounts its volumes and runs its services as a machine does
        ("lxc.signal.halt", "SIGRTMIN+4"),  # systemd's word for: power off
        ("lxc.console.logfile", str(place.console)),
        ("lxc.cgroup.dir.container", f"{zone.cgroup}/{place.name}"),
        ("lxc.cgroup.dir.monitor", f"{zone.cgroup}/{monitor(place.name)}"),
        *layout.limits(record.cpus, record.memory),
        ("lxc.net.0.type", "veth"),
        ("lxc.net.0.link", zone.bridge),
        ("lxc.net.0.flags", "up"),
        ("lxc.net.0.name", "eth0"),
        ("lxc.net.0.veth.pair", zone.veth(place.name)),
        ("lxc.net.0.hwaddr", record.mac),
        ("lxc.net.0.ipv4.address", f"{record.address}/{zone.network.prefixlen}"),
        ("lxc.net.0.ipv4.gateway", str(zone.gateway)),
        ("lxc.hook.autodev", str(place.folder / "devices")),
        *(layout.device(f"c {major}:{minor} rwm") for major, minor in CHARACTER_DEVICES.values()),
        *(layout.device(f"b {_number(loop)} rwm") for loop in loops.values()),
        *_extra(record.extra),
    ]
    return "".join(f"{key} = {value}\n" for key, value in lines)


def devices(loops: Mapping[str, str]) -> str:
    """The script that LXC runs when the node's /dev has been made, before its init starts: its device nodes."""
    made = [("c", name, f"{major} {minor}", "0666") for name, (major, minor) in CHARACTER_DEVICES.items()]
    made += [("b", f"sky/{name}", _number(loop).replace(":", " "), "0660") for name, loop in loops.items()]
    lines = ["#!/bin/sh -e", 'cd "$LXC_ROOTFS_MOUNT/dev"', "mkdir -p net sky"]
    lines += [f"[ -e {name} ] || mknod -m {mode} {name} {kind} {number}" for kind, name, number, mode in made]
    return "\n".join(lines) + "\n"


def _number(device: str) -> str:
    found = os.stat(device).st_rdev
    return f"{os.major(found)}:{os.minor(found)}"


def _extra(extra: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Lines of the site's own: ``extra: {lxc.mount.entry: [...]}``."""
    return [(key, str(item)) for key, value in extra.items() for item in (value if isinstance(value, list) else [value])]
