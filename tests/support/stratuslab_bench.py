# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract's suite on the StratusLab test server: all of its services, machines without an operating system."""

from __future__ import annotations

import gzip
import io
import time
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node, Scope, image_mark
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import _pdisk as pdisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import PLAIN, Site

from .bench import Bench


def options_of(site: Site, user: str = "alice", **more: Any) -> StratusLabOptions:
    """What a cluster file says of a site, for a user with a certificate."""
    file = site.folder / f"{user}.cfg"
    if not file.exists():
        site.user_file(file, user, pem_certificate=str(site.jane.certificate), pem_key=str(site.jane.key))
    known = {"image": next(iter(site.marketplace.entries)).identifier, "flavor": "t1.micro"} if site.marketplace.entries else {"flavor": "t1.micro"}
    return StratusLabOptions(**(known | {"user_file": str(file), "ca_file": str(site.authority.file)} | more))


class StratusLabBench(Bench):
    provider = StratusLabCloud
    patience = 20.0
    poll = 0.1
    extends_volumes = False

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        self.site.start()
        self.site.publish(PLAIN)
        self.options = options_of(self.site)
        self._half = ""

    def close(self) -> None:
        self.site.stop()

    def clear(self) -> None:
        """A clearing costs a hundred calls; what the server holds is seen at once."""
        oned, disks = self.site.oned, self.site.pdisk.disks.values()
        if oned.documents or any(vm.living for vm in oned.vms.values()) or any(disk.tag.startswith("sky/") for disk in disks):
            super().clear()

    def image_file(self, folder: Path, content: str = "one", *, starts: bool = False) -> Path:  # noqa: ARG002
        path = folder / f"{content}.raw"
        path.write_text(content * 1024)
        return path

    def half_image(self, name: str) -> None:
        cloud = StratusLabCloud("contract", self.options, Scope("a"))
        uuid = cloud.pdisk.upload(io.BytesIO(gzip.compress(b"half of an image")))
        self._half = f"sky-image {image_mark(cloud.owner).removeprefix('sky/1 ')} {name}"
        cloud.pdisk.change(uuid, tag=self._half, type=pdisk.ORIGIN)

    def halves(self, name: str) -> int:
        used = {location.rpartition("/")[2] for entry in self.site.marketplace.entries for location in [entry.values.get("slterms:location", "")]}
        return sum(disk.tag.endswith(f" {name}") and disk.uuid not in used for disk in self.site.pdisk.disks.values())

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def strip_mark(self, node: Node) -> None:
        """No client can: the attributes of a machine never change. So the server drops it."""
        template = self.site.oned.vms[int(node.id)].template
        template.items = [item for item in template.items if item[0] != "SKY_MARK"]

    def stop(self, node: Node) -> None:
        self.site.nodes.halted.add(int(node.id))
        while self.site.oned.vms[int(node.id)].running:
            self.pass_time(self.poll)

    def discard(self, name: str) -> None:
        cloud = StratusLabCloud("contract", self.options, Scope("a"))
        for vm in list(self.site.oned.vms.values()):
            if vm.name == name and vm.living:
                cloud.one.act("finalize", vm.id)
