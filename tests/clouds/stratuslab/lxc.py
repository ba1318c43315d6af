# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with an operating system: LXC containers of the local cloud's images, configured as images of StratusLab are.

The context is that of 14.06. Method ``one``: the files of the ISO that the image mounts on /mnt/stratuslab, whose ``init.sh`` its start-up runs.
Method ``cloud-init``: the files of the VFAT disk, which cloud-init reads as the first version of ConfigDrive; here from the folder where it looks
for them too.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from email import message_from_bytes
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import containers, disk, loops, network, nodes, processes, records
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.cgroups import Layout
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import run
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.condition import Inspector
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.config import config, devices
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.disk import Disk
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import folders, locked, remove_tree, write
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.images import Images, Recipe
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import NodePlace, Zone
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.records import NodeRecord

from .objects import Vm
from .oned import DeployError

# What roles would install at run time is in the image: for Spark and HDFS, a batch system, and a network of the nodes' own.
PACKAGES = (
    "cloud-init", "netbase", "rsync", "openjdk-17-jre-headless",
    "slurmctld", "slurmd", "slurm-client", "munge", "openssl", "openssh-client", "openmpi-bin", "libopenmpi-dev", "gcc", "libc6-dev", "sshfs",
    "wireguard-tools", "wireguard-go", "nftables",
)  # fmt: skip
RECIPES = {"stratus-12": Recipe("stratus-12", "bookworm", PACKAGES)}
CLOUD_INIT = """\
datasource_list: [ConfigDrive, None]
apt: {preserve_sources_list: true}
package_update: false
locale: false
manage_etc_hosts: false
resize_rootfs: false
growpart: {mode: "off"}
network: {config: disabled}
"""
INIT = """\
#!/bin/sh
# What an image of StratusLab runs from its context disk.
mkdir -p /root/.ssh && chmod 700 /root/.ssh
. "$(dirname "$0")/context.sh"
[ -z "$PUBLIC_KEY" ] || { echo "$PUBLIC_KEY" >> /root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys; }
if [ -n "$SCRIPT_EXEC" ]; then
  set -a
  . "$(dirname "$0")/context.sh"
  sh -c "$SCRIPT_EXEC"
fi
"""
# Nothing runs these two: they are on the disk for images that do so by themselves.
PROLOG = """\
#!/bin/sh -e
. ./context.sh
"""
EPILOG = """\
#!/bin/sh -e
. ./context.sh
mkdir -p /root/.ssh
echo "$PUBLIC_KEY" > /root/.ssh/authorized_keys
chmod 700 /root/.ssh
chmod 600 /root/.ssh/authorized_keys
[ -z "$SCRIPT_EXEC" ] || sh -c "$SCRIPT_EXEC"
"""
START = """\
[Unit]
Description=Context of StratusLab
Before=ssh.service
After=local-fs.target
DefaultDependencies=no

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1 || ssh-keygen -A; exec sh /mnt/stratuslab/init.sh'

[Install]
WantedBy=multi-user.target
"""
WANTS = "etc/systemd/system/multi-user.target.wants"


class Lxc:
    """The containers of one zone of the local cloud, each a machine of the site."""

    def __init__(self, zone: Zone, public: Sequence[str] = ()) -> None:
        """
        Args:
            public: addresses that can be reached from outside, whichever network card of a machine has them.
        """
        self.zone = zone
        self._public = public
        self._layout = Layout.current()

    def prepare(self) -> dict[str, str]:
        """The zone's network, and the images; returns the folder of each image by name."""
        with locked(self.zone.folder, make=True):
            network.ensure(self.zone)
            run("nft", "-f", "-", stdin=network.rules(self.zone, self._public))
        return {name: Images(self.zone).ensure(recipe, lambda _text: None, lambda: False) for name, recipe in RECIPES.items()}

    def remove(self, disks: Path) -> None:
        """All that is left of the zone, whoever left it.

        Args:
            disks: the folder of the persistent disks.
        """
        for folder in folders(self.zone.nodes):
            place = NodePlace(self.zone, folder.name, folder)
            containers.stop(place, cleanly=False)
            remove_tree(folder)
        for file in loops.attached(disks):
            loops.detach(Path(file))
        network.remove(self.zone)
        if self.zone.folder.is_dir():
            remove_tree(self.zone.folder)

    def _place(self, vm: Vm) -> NodePlace:
        return NodePlace(self.zone, f"one-{vm.id}")

    def start(self, vm: Vm, image: str, volumes: Mapping[str, Path]) -> None:
        try:
            self._start(vm, image, volumes)
        except HostError as error:
            raise DeployError(f"Error deploying virtual machine: {error}") from error

    def _start(self, vm: Vm, image: str, volumes: Mapping[str, Path]) -> None:
        place = self._place(vm)
        base = Images(self.zone).ensure(RECIPES[image], lambda _text: None, lambda: False)
        root = Images(self.zone).root(base)
        record = self._record(vm, base)
        place.disk.mkdir(parents=True, mode=0o700)
        records.save(place.record, record)
        own = Disk(place.root, root)
        own.folder("")
        own.write("etc/hostname", f"{place.name}\n")
        own.write("etc/machine-id", "")
        own.write("etc/hosts", disk.hosts(place.name, record.address))
        disk.resolve(own, disk.resolvers([]))
        _contextualise(own, vm.template.vectors("CONTEXT"))
        attached = {name: loops.attach(file) for name, file in volumes.items()}
        write(place.folder / "devices", _devices(attached), 0o755)
        write(place.config, config(place, record, root, self._layout, attached), 0o644)
        containers.start(place)

    def _record(self, vm: Vm, base: str) -> NodeRecord:
        nics = vm.template.vectors("NIC")
        first = nics[0] if nics else {"IP": str(self.zone.network.broadcast_address - 1), "MAC": self.zone.mac(vm.name)}
        extra: dict[str, str] = {}
        for place, nic in enumerate(nics[1:], 1):
            key = f"lxc.net.{place}"
            extra |= {f"{key}.type": "veth", f"{key}.link": self.zone.bridge, f"{key}.flags": "up", f"{key}.name": f"eth{place}"}
            extra |= {f"{key}.hwaddr": nic["MAC"], f"{key}.ipv4.address": f"{nic['IP']}/{self.zone.network.prefixlen}"}
            extra |= {f"{key}.veth.pair": self.zone.veth(f"{vm.id}-{place}")}
        return NodeRecord(
            mark="", id=uuid.uuid4().hex[:12], created=nodes.now(), flavor="", image="", base=base,
            cores=int(vm.template.number("VCPU") or 1), memory=int(vm.template.number("MEMORY") or 512),
            address=first["IP"], mac=first["MAC"], cpus=list(range(os.cpu_count() or 1)), user="root",
            public=any(nic.get("NETWORK") == "public" for nic in nics), extra=extra, boot=processes.boot_id(),
        )  # fmt: skip

    def again(self, vm: Vm) -> None:
        place = self._place(vm)
        containers.stop(place, cleanly=False)
        containers.start(place)

    def stop(self, vm: Vm, files: Sequence[Path]) -> None:
        place = self._place(vm)
        if not place.folder.is_dir():
            return
        containers.stop(place, cleanly=False)
        for file in files:
            loops.detach(file)
        remove_tree(place.folder)

    def runs(self, vm: Vm) -> bool:
        return Inspector(self.zone).init(self._place(vm).name) != 0

    def halt(self, vm: Vm) -> None:
        """Switch it off, as its own root might."""
        containers.stop(self._place(vm), cleanly=False)

    def attach(self, vm: Vm, device: str, file: Path) -> None:
        containers.add_device(self._place(vm), loops.attach(file), f"/dev/{device}")

    def detach(self, vm: Vm, device: str, file: Path) -> None:
        Path(f"/proc/{Inspector(self.zone).init(self._place(vm).name)}/root/dev/{device}").unlink(missing_ok=True)
        loops.detach(file)


def _devices(attached: Mapping[str, str]) -> str:
    """The script that makes the guest's device nodes: disks under the names that their targets have."""
    lines = [devices({}).rstrip()]
    for name, loop in attached.items():
        number = os.stat(loop).st_rdev
        lines.append(f"[ -e {name} ] || mknod -m 0660 {name} b {os.major(number)} {os.minor(number)}")
    return "\n".join(lines) + "\n"


def _contextualise(own: Disk, contexts: list[dict[str, str]]) -> None:
    """Write the context of a machine."""
    context = contexts[-1] if contexts else {}
    own.folder("etc/ssh")
    if context.get("CONTEXT_METHOD") == "cloud-init":
        _cloud_init(own, context)
        return
    own.write("etc/cloud/cloud-init.disabled", "")
    lines = [f'{key}="{value}"' for key, value in sorted(context.items())]  # nothing is escaped
    own.write("mnt/stratuslab/context.sh", "\n".join([*lines, ""]))
    for name, text in (("init.sh", INIT), ("prolog.sh", PROLOG), ("epilog.sh", EPILOG)):
        own.write(f"mnt/stratuslab/{name}", text, 0o755)
    own.write("etc/systemd/system/stratuslab-context.service", START)
    link = own.folder(WANTS) / "stratuslab-context.service"
    link.symlink_to("/etc/systemd/system/stratuslab-context.service")


def _cloud_init(own: Disk, context: Mapping[str, str]) -> None:
    own.write("etc/cloud/cloud.cfg.d/90-sky.cfg", CLOUD_INIT)
    own.write("etc/cloud/ds-identify.cfg", "policy: enabled\n")
    seed = "var/lib/cloud/seed/config_drive"
    keys = base64.b64decode(context.get("CLOUD_INIT_AUTHORIZED_KEYS", "")).decode()
    own.write(f"{seed}/root/.ssh/authorized_keys", keys, 0o600)
    meta = {"dsmode": "local"}
    if context.get("CLOUD_INIT_USER_DATA"):
        data = gzip.decompress(base64.b64decode(context["CLOUD_INIT_USER_DATA"]))
        message_from_bytes(data)
        meta["user-data"] = data.decode()
    own.write(f"{seed}/meta.js", json.dumps(meta), 0o600)
