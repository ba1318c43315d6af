#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount and unmount the data volumes of a node. Runs on the node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data_volumes
short_description: Mount and unmount the data volumes of a node
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Creates a file system on a volume, with the label of the volume, only if the device has no signature of any kind.
  - Mounts the file system with this label by its UUID, whatever the name of its device, now and at boot (by the unit
    C(sky-volume@<name>.service) of the role P(sky.clusters.node#role)), and grows the file system to the size of the volume.
  - Fails if there is anything else on the device.
  - Before a node is deleted, its volumes are synced and unmounted. A volume that is in use stays mounted, and the task fails and names the processes
    that use it.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  state:
    description:
      - V(mounted) mounts O(volumes).
      - V(unmounted) unmounts every volume that this module mounted on the node, even if the cluster file no longer has it.
      - V(owned) gives the top folders of mounted O(volumes) to their owners, who must exist by then. What is in the folders is left as it is.
    type: str
    choices: [mounted, owned, unmounted]
    default: mounted
  volumes:
    description: The volumes of the node, C(sky_volumes) of the inventory. Required with O(state=mounted).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the volume within its node.
        type: str
        required: true
      device:
        description: Path of the block device, or a shell pattern that matches only links to it. If it is wrong or empty, the volume is found by its
          label.
        type: str
        default: ""
      label:
        description: Label of the file system, at most 12 characters.
        type: str
        required: true
      fs:
        description: File system to create on a blank volume.
        type: str
        choices: [ext4, xfs]
        default: ext4
      mount:
        description: Absolute path of the mount point.
        type: path
        required: true
      size:
        description: Size in GiB, for information only.
        type: int
        default: 0
      owner:
        description: User that owns its top folder. Nobody changes it if it is empty.
        type: str
        default: ""
      group:
        description: Group of its top folder. Nobody changes it if it is empty.
        type: str
        default: ""
      mode:
        description: Permission of its top folder in octal digits. Nobody changes it if it is empty.
        type: str
        default: ""
      if_unused:
        description: Whether O(volumes[].owner), O(volumes[].group) and O(volumes[].mode) are defaults. They apply only to a top folder that is as it
          was created, which belongs to root, with permission V(0755), and holds nothing.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Mount the data volumes
  sky.clusters.data_volumes:
    volumes:
      - {name: spark, device: /dev/sky/spark, label: sky1a2b3c4d5, fs: ext4, mount: /data/spark}

- name: Unmount the data volumes
  sky.clusters.data_volumes:
    state: unmounted
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode; one line each.
  returned: always
  type: list
  elements: str
  sample: [made ext4 on /dev/sky/spark, mounted /dev/sky/spark on /data/spark]
"""

import glob
import grp
import os
import pwd
import re
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

MOUNT_VOLUME = "/usr/local/lib/sky/mount-volume"  # installed by the role node
AT_BOOT = "/etc/sky/volumes"  # one file per volume, read by sky-volume@.service
PARTITION = re.compile(r"-part\d+$")
ROOT = (0, 0)
NEW_MODE = 0o755  # of the top folder of a new file system
NEW_CONTENT = {"lost+found"}  # of ext4
MAKE = {"ext4": ["mkfs.ext4", "-q", "-L"], "xfs": ["mkfs.xfs", "-q", "-L"]}


class VolumeFault(Exception):
    """A volume cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Signature:
    """What blkid finds on a device."""

    type: str = ""
    label: str = ""
    uuid: str = ""
    anything: bool = False  # any signature, including partition tables and array members


class Mounter:
    """Mounts volumes with commands of the node."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.actions: list[str] = []

    def all(self) -> None:
        for volume in self.module.params["volumes"]:
            self._ensure(volume)

    def _ensure(self, volume: dict[str, Any]) -> None:
        device, found = self._find(volume)
        if not found.anything:
            found = self._make(volume, device)
        mounted = _mounted_at(volume["mount"])
        if mounted and not self.module.check_mode and os.path.realpath(mounted) != os.path.realpath(device):
            raise VolumeFault(f"volume {volume['name']}: {mounted} is mounted on {volume['mount']}, where {device} should be")
        if not mounted:
            self._mount(volume, device, found)
        self._grow(volume, device, found.type or volume["fs"])

    def _find(self, volume: dict[str, Any]) -> tuple[str, Signature]:
        """The device with the label; if there is none, the device that the cloud names, if it is blank."""
        named = _named(volume["device"])
        found = self._signature(named) if named and os.path.exists(named) else Signature()
        if found.label == volume["label"]:
            return named, found
        elsewhere = self._run(["blkid", "-c", "/dev/null", "-o", "device", "-t", f"LABEL={volume['label']}"], (0, 2)).split()
        if len(elsewhere) > 1:
            raise VolumeFault(f"volume {volume['name']}: {' and '.join(elsewhere)} both have its label {volume['label']}")
        if elsewhere:
            return elsewhere[0], self._signature(elsewhere[0])
        if not named or not os.path.exists(named):
            raise VolumeFault(
                f"volume {volume['name']}: its device {named or '(not specified)'} does not exist, and no device has its label {volume['label']}"
            )
        if found.anything:
            what = f"{found.type or 'a signature'} with the label '{found.label}'"
            raise VolumeFault(f"volume {volume['name']}: {named} has {what} instead of the label {volume['label']}; it was not changed")
        return named, found

    def _signature(self, device: str) -> Signature:
        text = self._run(["blkid", "-p", "-o", "export", device], (0, 2))
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return Signature(values.get("TYPE", ""), values.get("LABEL", ""), values.get("UUID", ""), bool(values))

    def _make(self, volume: dict[str, Any], device: str) -> Signature:
        self.actions.append(f"made {volume['fs']} on {device}")
        if self.module.check_mode:
            return Signature()
        self._run([*MAKE[volume["fs"]], volume["label"], device])
        return self._signature(device)

    def _mount(self, volume: dict[str, Any], device: str, found: Signature) -> None:
        self.actions.append(f"mounted {device} on {volume['mount']}")
        if self.module.check_mode:
            return
        os.makedirs(volume["mount"], mode=0o755, exist_ok=True)
        values = {"UUID": found.uuid, "DEVICE": device, "FS": found.type, "MOUNT": volume["mount"]}
        self._at_boot(volume, values)
        # with the program that mounts it at boot, so that this is known to work
        self._run(["env", *(f"{key}={value}" for key, value in values.items()), MOUNT_VOLUME])
        self._run(["systemctl", "start", f"sky-volume@{volume['name']}.service"])

    def _at_boot(self, volume: dict[str, Any], values: dict[str, str]) -> None:
        """A unit instead of fstab: in a container, which has no udev, systemd ignores the devices in fstab."""
        os.makedirs(AT_BOOT, mode=0o755, exist_ok=True)
        fresh = os.path.join(self.module.tmpdir, volume["name"])
        with open(fresh, "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in values.items())
        self.module.atomic_move(fresh, os.path.join(AT_BOOT, volume["name"]))
        self._run(["systemctl", "enable", "--quiet", f"sky-volume@{volume['name']}.service"])

    def _grow(self, volume: dict[str, Any], device: str, fs: str) -> None:
        """Grow the file system to the size of its device; both tools do nothing if it has that size."""
        if self.module.check_mode or not _mounted_at(volume["mount"]):
            return
        command = ["resize2fs", device] if fs == "ext4" else ["xfs_growfs", volume["mount"]]
        code, out, err = self.module.run_command(command)
        if code != 0:  # the kernel may deny this to a container: nothing is lost, and the unit does it before the next mount
            why = (err or out).strip().splitlines()[-1:]
            self.module.warn(f"volume {volume['name']}: it cannot grow while it is in use ({' '.join(why)}); it grows at the next start of its node")
        elif "Nothing to do" not in out + err and ("resize2fs" in command[0] or "data blocks changed" in out):
            self.actions.append(f"grew {volume['mount']}")

    def _run(self, command: list[str], good: tuple[int, ...] = (0,)) -> str:
        code, out, err = self.module.run_command(command)
        if code not in good:
            raise VolumeFault(f"{' '.join(command)}: {(err or out).strip() or f'exit code {code}'}")
        return str(out) + str(err)


class Owner:
    """Gives the top folders of volumes to their owners."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.actions: list[str] = []

    def all(self) -> None:
        for volume in self.module.params["volumes"]:
            self._give(volume, volume["mount"])

    def _give(self, volume: dict[str, Any], folder: str) -> None:
        wanted = {key: volume[key] for key in ("owner", "group", "mode") if volume[key]}
        if not wanted:
            return
        if not _mounted_at(folder):
            raise VolumeFault(f"volume {volume['name']}: it is not mounted on {folder}, so its owner cannot be set")
        found = os.stat(folder)
        if volume["if_unused"] and not _as_created(folder, found):
            return
        uid = _id(pwd.getpwnam, "owner", volume).pw_uid if volume["owner"] else found.st_uid
        gid = _id(grp.getgrnam, "group", volume).gr_gid if volume["group"] else found.st_gid
        mode = int(volume["mode"], 8) if volume["mode"] else stat.S_IMODE(found.st_mode)
        if (uid, gid, mode) == (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)):
            return
        self.actions.append(f"{folder}: {', '.join(f'{key} {value}' for key, value in wanted.items())}")
        if not self.module.check_mode:
            os.chown(folder, uid, gid)
            os.chmod(folder, mode)


def _as_created(folder: str, found: os.stat_result) -> bool:
    """Whether the top folder of a file system is as mkfs made it: nobody uses it yet."""
    return (found.st_uid, found.st_gid) == ROOT and stat.S_IMODE(found.st_mode) == NEW_MODE and {*os.listdir(folder)} <= NEW_CONTENT


def _id(lookup: Callable[[str], Any], key: str, volume: dict[str, Any]) -> Any:
    try:
        return lookup(volume[key])
    except KeyError:
        raise VolumeFault(f"volumes.{volume['name']}.{key}: {socket.gethostname()} has no {key} named '{volume[key]}'") from None


class Unmounter:
    """Unmounts the volumes that were mounted by this module, with commands of the node."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.actions: list[str] = []

    def all(self) -> None:
        recorded = Path(AT_BOOT)
        for path in sorted(recorded.iterdir()) if recorded.is_dir() else []:
            values = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
            self._unmount(path.name, values["MOUNT"])

    def _unmount(self, name: str, folder: str) -> None:
        unit = f"sky-volume@{name}.service"
        mounted = _mounted_at(folder)
        if mounted:
            self.actions.append(f"unmounted {mounted} from {folder}")
        code, _out, _err = self.module.run_command(["systemctl", "is-enabled", "--quiet", unit])
        if self.module.check_mode:
            return
        if mounted:
            self._leave(name, folder, unit)
        if code == 0:
            self.module.run_command(["systemctl", "disable", "--quiet", unit])

    def _leave(self, name: str, folder: str, unit: str) -> None:
        """Never a lazy unmount: what a process still writes would be lost with the node."""
        self.module.run_command(["sync", "--file-system", folder])
        users = list(_users(folder))
        if users:
            raise VolumeFault(f"volume {name}: {folder} is in use by {', '.join(users)}: end them and run again; the node is kept until then")
        self.module.run_command(["systemctl", "stop", unit])  # unmounts it, if the unit mounted it
        if not _mounted_at(folder):
            return
        code, out, err = self.module.run_command(["umount", folder])
        if code != 0:
            raise VolumeFault(f"volume {name}: {(err or out).strip()}; the node is kept until the volume can be unmounted")


def _users(folder: str) -> Iterator[str]:
    """Processes that use the file system, by name and id.

    They are found by the number of the device instead of paths, which differ for a process in a sandbox.
    """
    device = os.stat(folder).st_dev
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            links = [process / "cwd", process / "root", process / "exe", *(process / "fd").iterdir()]
            if any(_on(link, device) for link in links) or _maps(process, device):
                yield f"{(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
        except OSError:  # the process has ended meanwhile
            continue


def _on(link: Path, device: int) -> bool:
    try:
        return link.stat().st_dev == device
    except OSError:  # it was closed meanwhile, or belongs to a kernel thread
        return False


def _maps(process: Path, device: int) -> bool:
    """Whether a file of the device is mapped into the memory of a process."""
    number = f"{os.major(device):02x}:{os.minor(device):02x}"
    return any(line.split()[3] == number for line in (process / "maps").read_text(encoding="utf-8", errors="replace").splitlines())


def _named(device: str) -> str:
    """The device that a path or a shell pattern names; the pattern itself unless it matches exactly one device."""
    found = {os.path.realpath(path) for path in glob.glob(device) if not PARTITION.search(path)} if "*" in device else set()
    return found.pop() if len(found) == 1 else device


def _mounted_at(path: str) -> str:
    """The device that is mounted on a folder; empty if there is none."""
    found = ""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            source, target = line.split()[:2]
            if target == path:
                found = source
    return found


STATES: Mapping[str, type[Mounter | Owner | Unmounter]] = {"mounted": Mounter, "owned": Owner, "unmounted": Unmounter}


def main() -> None:
    volume = {
        "name": {"type": "str", "required": True},
        "device": {"type": "str", "default": ""},
        "label": {"type": "str", "required": True},
        "fs": {"type": "str", "choices": ["ext4", "xfs"], "default": "ext4"},
        "mount": {"type": "path", "required": True},
        "size": {"type": "int", "default": 0},
        "owner": {"type": "str", "default": ""},
        "group": {"type": "str", "default": ""},
        "mode": {"type": "str", "default": ""},
        "if_unused": {"type": "bool", "default": False},
    }
    spec = {
        "state": {"type": "str", "choices": sorted(STATES), "default": "mounted"},
        "volumes": {"type": "list", "elements": "dict", "options": volume},
    }
    needed = [("state", state, ["volumes"]) for state in ("mounted", "owned")]
    module = AnsibleModule(argument_spec=spec, required_if=needed, supports_check_mode=True)
    worker = STATES[module.params["state"]](module)
    try:
        worker.all()
    except VolumeFault as fault:
        module.fail_json(msg=str(fault), actions=worker.actions)
    module.exit_json(changed=bool(worker.actions), actions=worker.actions)


if __name__ == "__main__":
    main()
