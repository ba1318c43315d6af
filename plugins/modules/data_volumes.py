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
  - Gives a volume a file system only while its device bears no signature of any kind, and the volume's label with it.
  - Mounts it by the UUID of the file system that bears the label, whatever the name of its device, now and at boot (by the unit
    C(sky-volume@<name>.service) of the role P(sky.clusters.node#role)), and lets the file system grow with the volume.
  - Anything else on the device stops the run.
  - Before a node is deleted, all that was mounted so is written out and unmounted. A volume that is in use stays mounted, and the task fails with
    the processes that use it.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  state:
    description:
      - V(mounted) mounts O(volumes).
      - V(unmounted) unmounts every volume that this module mounted on the node, also one that the cluster file no longer has.
      - V(owned) gives the top folders of mounted O(volumes) to their owners, who must exist by then. What is in the folders is left as it is.
    type: str
    choices: [mounted, owned, unmounted]
    default: mounted
  volumes:
    description: The volumes of the node, C(sky_volumes) of the inventory. Needed where they are mounted.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the volume within its node.
        type: str
        required: true
      device:
        description: Path of its block device, or a shell pattern that only its links match. Where it is wrong or empty, the volume is found by its
          label.
        type: str
        default: ""
      label:
        description: Label of its file system, 12 characters at most.
        type: str
        required: true
      fs:
        description: File system to make while it is blank.
        type: str
        choices: [ext4, xfs]
        default: ext4
      mount:
        description: Absolute path of the folder where it is mounted.
        type: path
        required: true
      size:
        description: Its size in GiB, for people.
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
  description: What was, or in check mode would be, done; one line each.
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

MOUNT_VOLUME = "/usr/local/lib/sky/mount-volume"  # of the role node
AT_BOOT = "/etc/sky/volumes"  # a file for each volume, read by sky-volume@.service
PARTITION = re.compile(r"-part\d+$")
MAKE = {"ext4": ["mkfs.ext4", "-q", "-L"], "xfs": ["mkfs.xfs", "-q", "-L"]}


class VolumeFault(Exception):
    """A volume that cannot be used as it is; one sentence."""


@dataclass(frozen=True)
class Signature:
    """What a device bears."""

    type: str = ""
    label: str = ""
    uuid: str = ""
    anything: bool = False  # any signature, partition tables and members of arrays included


class Mounter:
    """Mounts volumes by commands of the node."""

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
        """The device that bears the label; else the one that the cloud names, if it is blank."""
        named = _named(volume["device"])
        found = self._signature(named) if named and os.path.exists(named) else Signature()
        if found.label == volume["label"]:
            return named, found
        elsewhere = self._run(["blkid", "-c", "/dev/null", "-o", "device", "-t", f"LABEL={volume['label']}"], (0, 2)).split()
        if len(elsewhere) > 1:
            raise VolumeFault(f"volume {volume['name']}: {' and '.join(elsewhere)} both bear its label {volume['label']}")
        if elsewhere:
            return elsewhere[0], self._signature(elsewhere[0])
        if not named or not os.path.exists(named):
            raise VolumeFault(
                f"volume {volume['name']}: its device {named or '(none named)'} is not there and no other bears its label {volume['label']}"
            )
        if found.anything:
            what = f"{found.type or 'a signature'} with the label '{found.label}'"
            raise VolumeFault(f"volume {volume['name']}: {named} bears {what}, not its own label {volume['label']}; it is left as it is")
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
        # by what mounts it at boot, so that it is known to do so
        self._run(["env", *(f"{key}={value}" for key, value in values.items()), MOUNT_VOLUME])
        self._run(["systemctl", "start", f"sky-volume@{volume['name']}.service"])

    def _at_boot(self, volume: dict[str, Any], values: dict[str, str]) -> None:
        """A unit of our own and not fstab: systemd leaves fstab's devices out in a container, where no udev says that they are there."""
        os.makedirs(AT_BOOT, mode=0o755, exist_ok=True)
        fresh = os.path.join(self.module.tmpdir, volume["name"])
        with open(fresh, "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in values.items())
        self.module.atomic_move(fresh, os.path.join(AT_BOOT, volume["name"]))
        self._run(["systemctl", "enable", "--quiet", f"sky-volume@{volume['name']}.service"])

    def _grow(self, volume: dict[str, Any], device: str, fs: str) -> None:
        """Let the file system fill its device; both tools do nothing where it does already."""
        if self.module.check_mode or not _mounted_at(volume["mount"]):
            return
        command = ["resize2fs", device] if fs == "ext4" else ["xfs_growfs", volume["mount"]]
        code, out, err = self.module.run_command(command)
        if code != 0:  # a kernel may keep this from a container: nothing is lost, and the unit does it before it mounts
            why = (err or out).strip().splitlines()[-1:]
            self.module.warn(f"volume {volume['name']}: it is in use and cannot grow now ({' '.join(why)}); it grows when its node starts again")
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
        uid = _id(pwd.getpwnam, "owner", volume).pw_uid if volume["owner"] else found.st_uid
        gid = _id(grp.getgrnam, "group", volume).gr_gid if volume["group"] else found.st_gid
        mode = int(volume["mode"], 8) if volume["mode"] else stat.S_IMODE(found.st_mode)
        if (uid, gid, mode) == (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)):
            return
        self.actions.append(f"{folder}: {', '.join(f'{key} {value}' for key, value in wanted.items())}")
        if not self.module.check_mode:
            os.chown(folder, uid, gid)
            os.chmod(folder, mode)


def _id(lookup: Callable[[str], Any], key: str, volume: dict[str, Any]) -> Any:
    try:
        return lookup(volume[key])
    except KeyError:
        raise VolumeFault(f"volumes.{volume['name']}.{key}: {socket.gethostname()} has no {key} named '{volume[key]}'") from None


class Unmounter:
    """Unmounts what was mounted here, by commands of the node."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.actions: list[str] = []

    def all(self) -> None:
        noted = Path(AT_BOOT)
        for path in sorted(noted.iterdir()) if noted.is_dir() else []:
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
        """Never lazily: what a process still wrote would be lost with the node."""
        self.module.run_command(["sync", "--file-system", folder])
        users = list(_users(folder))
        if users:
            raise VolumeFault(f"volume {name}: {folder} is in use by {', '.join(users)}: end what uses it and run again; the node stays until then")
        self.module.run_command(["systemctl", "stop", unit])  # which unmounts it, where the unit mounted it
        if not _mounted_at(folder):
            return
        code, out, err = self.module.run_command(["umount", folder])
        if code != 0:
            raise VolumeFault(f"volume {name}: {(err or out).strip()}; the node stays until it can be unmounted")


def _users(folder: str) -> Iterator[str]:
    """Processes that use the file system, by name and id.

    By the number of its device and not by paths, so that a process which sees it elsewhere, in a sandbox, is found too.
    """
    device = os.stat(folder).st_dev
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            links = [process / "cwd", process / "root", process / "exe", *(process / "fd").iterdir()]
            if any(_on(link, device) for link in links) or _maps(process, device):
                yield f"{(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
        except OSError:  # it has ended meanwhile
            continue


def _on(link: Path, device: int) -> bool:
    try:
        return link.stat().st_dev == device
    except OSError:  # it was closed meanwhile, or a kernel's process has none
        return False


def _maps(process: Path, device: int) -> bool:
    """Whether a file of the device is mapped into its memory."""
    number = f"{os.major(device):02x}:{os.minor(device):02x}"
    return any(line.split()[3] == number for line in (process / "maps").read_text(encoding="utf-8", errors="replace").splitlines())


def _named(device: str) -> str:
    """The device that a path, or a shell pattern, stands for; the pattern itself where not exactly one does."""
    found = {os.path.realpath(path) for path in glob.glob(device) if not PARTITION.search(path)} if "*" in device else set()
    return found.pop() if len(found) == 1 else device


def _mounted_at(path: str) -> str:
    """The source of what is mounted on a folder; empty if nothing is."""
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
