# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nova driver of the real hosts: libvirt's, whose LXC hosts can have volumes and tunnels, and see as many processors as their flavor has.

It needs `disk_prefix = vd`: nova names the bus of LXC disks 'lxc', which libvirt does not know.
"""

from __future__ import annotations

import os
from typing import Any

from lxml import etree
from nova.virt.libvirt import config, driver  # type: ignore[import-not-found]

_format_disk = config.LibvirtConfigGuestDisk.format_dom


def _format(self: Any) -> Any:
    if self.target_bus == "lxc":
        self.target_bus = "virtio"
    return _format_disk(self)


config.LibvirtConfigGuestDisk.format_dom = _format


class CharacterDevice(config.LibvirtConfigGuestDevice):  # type: ignore[misc]
    """A character device that every virtual machine has and no container."""

    def __init__(self, path: str) -> None:
        super().__init__(root_name="hostdev")
        self._path = path

    def format_dom(self) -> Any:
        device = super().format_dom()
        device.set("mode", "capabilities")
        device.set("type", "misc")
        etree.SubElement(etree.SubElement(device, "source"), "char").text = self._path
        return device


class LibvirtDriver(driver.LibvirtDriver):  # type: ignore[misc]
    """LXC hosts may use every processor of the machine, whatever their flavor says: they are bound to some."""

    def _get_guest_config(self, instance: Any, *args: Any, **options: Any) -> Any:
        guest = super()._get_guest_config(instance, *args, **options)
        there = sorted(os.sched_getaffinity(0))
        if instance.flavor.vcpus < len(there):
            first = instance.id % len(there)
            guest.cpuset = {there[(first + step) % len(there)] for step in range(instance.flavor.vcpus)}
        guest.add_device(CharacterDevice("/dev/net/tun"))
        return guest
