#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the health of a node. Runs on the node; an action plugin of this name runs on the controller and supplies what the node should have."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_health
short_description: Check the health of a node
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Checks the services, the disks and the memory of a node. Changes nothing. Faults and an unreachable node are reported and do not fail the task.
  - What the node should have is taken from C(sky_roles) and C(sky_volumes) of the inventory, unless the task specifies it.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: An address that the node has. The task fails on a machine without it. By default C(sky_address).
    type: str
    default: ""
  units:
    description: Systemd units that should run. By default the units of the node's roles.
    type: list
    elements: str
    default: []
  others:
    description: Units that should not be installed, by role. By default the units of the roles that the node does not have.
    type: dict
    default: {}
  volumes:
    description: Data volumes that should be mounted. By default the volumes of the node.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the volume within its node.
        type: str
        required: true
      mount:
        description: Absolute path of the mount point.
        type: path
        required: true
      attached:
        description: Whether the cloud reports it as attached. A volume that was never attached or mounted is new, and not a fault.
        type: bool
        default: true
      fs:
        description: The expected file system. By default any is accepted.
        type: str
        default: ""
  shares:
    description: Where folders of stores outside of the cluster are mounted. By default those of the roles of the node.
    type: list
    elements: path
    default: []
  user:
    description: The user that the node should have. If the node cannot have it, RV(refusals) says why.
    type: dict
    suboptions:
      name:
        description: Name of the user and of its group.
        type: str
        required: true
      uid:
        description: User id and group id.
        type: int
        required: true
  full_percent:
    description: A disk is full if at least this percentage of its space or of its inodes is used.
    type: int
    default: 98
  full_mib:
    description: A disk is full if less than this is free, in MiB.
    type: int
    default: 64
  memory_mib:
    description: Memory is short if less than this is available, in MiB.
    type: int
    default: 64
"""

EXAMPLES = r"""
- name: Check the health of the node
  sky.clusters.node_health:
  register: health

- name: Check another service
  sky.clusters.node_health:
    units: [nginx]
"""

RETURN = r"""
reachable:
  description: Whether ssh answered.
  returned: always
  type: bool
  sample: true
why:
  description: Why ssh did not answer.
  returned: when ssh did not answer
  type: str
  sample: "connect to host 10.88.0.3 port 22: Connection refused"
units:
  description: The services that should run, with their states and faults, such as a folder that a service cannot write to.
  returned: when the node was reached
  type: list
  elements: dict
  sample: [{name: spark-worker, state: active, detail: running, fault: ""}]
disks:
  description: The root disk, with an empty C(volume), and the data volumes. Sizes are in MiB.
  returned: when the node was reached
  type: list
  elements: dict
  sample: [{volume: "", mount: /, mounted: true, size: 10240, free: 7168, used_percent: 30, inodes_percent: 4, fault: ""}]
shares:
  description: Folders of stores outside of the cluster that are mounted, and how full they are. Sizes are in MiB.
  returned: when the node was reached
  type: list
  elements: dict
  sample: [{mount: /shared, size: 102400, free: 71680, used_percent: 30, fault: ""}]
memory:
  description: The memory of the node in MiB, and its fault.
  returned: when the node was reached
  type: dict
  sample: {total: 2048, available: 1500, fault: ""}
former_roles:
  description: Roles of O(others) of which a unit is installed, for example because the role was removed from the pool.
  returned: when the node was reached
  type: list
  elements: str
  sample: [spark_worker]
failed_units:
  description: Other systemd units that have failed.
  returned: when the node was reached
  type: list
  elements: str
  sample: [backup.service]
refusals:
  description: Why a visit would fail before changing anything, one sentence each.
  returned: when the node was reached
  type: list
  elements: str
  sample: ["node_user: user 'sky' with id 1500 exists on this node, so 'ada' with id 1500 cannot be created"]
differs:
  description: Data volumes with another file system than expected, one sentence each.
  returned: when the node was reached
  type: list
  elements: str
  sample: ["volume data has ext4, the file says xfs; a file system is created only on a blank volume"]
faults:
  description: All faults, one sentence each.
  returned: when the node was reached
  type: list
  elements: str
  sample: ["spark-worker is failed (exit-code); see 'journalctl -u spark-worker' on the node"]
"""

import grp
import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import folders
from ansible_collections.sky.clusters.plugins.module_utils._nodes._here import elsewhere
from ansible_collections.sky.clusters.plugins.module_utils._nodes._share import look_at_shares, share
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import query

AT_BOOT = "/etc/sky/volumes"  # one file per volume that M(sky.clusters.data_volumes) has mounted
MIB = 1024 * 1024
MEMORY = Path("/proc/meminfo")
MOUNTS = Path("/proc/mounts")
UNITS = Path("/etc/systemd/system")  # where the roles install theirs
PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,FragmentPath"


@dataclass(frozen=True)
class Limits:
    """Thresholds of faults."""

    full_percent: int
    full_mib: int
    memory_mib: int


@dataclass(frozen=True)
class Unit:
    """A service that should run."""

    name: str
    state: str
    detail: str
    fault: str


@dataclass(frozen=True)
class Disk:
    """The root disk, or a data volume; MiB."""

    volume: str
    mount: str
    mounted: bool
    size: int = 0
    free: int = 0
    used_percent: int = 0
    inodes_percent: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Memory:
    """MiB."""

    total: int
    available: int
    fault: str


def paragraphs(output: str) -> dict[str, dict[str, str]]:
    """The properties of services by their names, from the output of `systemctl show`."""
    shown = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in output.split("\n\n")]
    return {found.get("Id", "").removesuffix(".service"): found for found in shown}


def look_at_units(names: Iterable[str], known: Mapping[str, Mapping[str, str]]) -> list[Unit]:
    """The units of these names, from what :func:`paragraphs` found."""
    return [_unit(name, known.get(name, {})) for name in names]


def former_roles(others: Mapping[str, Iterable[str]], known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Roles with a unit that this collection installed. A unit of the distribution, in another folder, may have the same name."""
    ours = {name for name, found in known.items() if Path(found.get("FragmentPath", "")).parent == UNITS}
    return sorted(role for role, units in others.items() if ours.intersection(units))


def _unit(name: str, found: Mapping[str, str]) -> Unit:
    state, detail = found.get("ActiveState", "unknown"), found.get("SubState", "")
    if state == "active":
        faults = [fault for folder in folders(Path(found.get("FragmentPath", ""))) if (fault := folder.fault())]
        return Unit(name, state, detail, f"{name} cannot work: {'; '.join(faults)}" if faults else "")
    result = found.get("Result", "success")
    why = "systemd does not respond" if not found else "it is not installed" if found.get("LoadState") == "not-found" else result
    sentence = f"{name} is {state}" + ("" if why == "success" else f" ({why})")
    return Unit(name, state, detail, f"{sentence}; see 'journalctl -u {name}' on the node")


def look_at_disk(mount: str, volume: str, limits: Limits) -> Disk:
    """A disk by its mount; `volume` is empty for the root disk."""
    if volume and not os.path.ismount(mount):
        return Disk(volume, mount, mounted=False, fault=f"volume {volume} is not mounted on {mount}")
    found = os.statvfs(mount)
    size, free, used = (blocks * found.f_frsize // MIB for blocks in (found.f_blocks, found.f_bavail, found.f_blocks - found.f_bfree))
    percent = share(used, used + free)
    inodes = share(found.f_files - found.f_ffree, found.f_files)
    fault = ""
    what = f"volume {volume} ({mount})" if volume else "its root disk"
    if percent >= limits.full_percent or free < limits.full_mib:
        fault = f"{what} is full: {free} of {size} MiB are free"
    elif inodes >= limits.full_percent:
        fault = f"{what} is full: {inodes} % of its inodes are in use"
    return Disk(volume, mount, mounted=True, size=size, free=free, used_percent=percent, inodes_percent=inodes, fault=fault)


def is_new(volume: Mapping[str, Any]) -> bool:
    """Whether a volume is new in the file: it is not attached to the node and was never mounted there."""
    return not (volume["attached"] or Path(AT_BOOT, volume["name"]).exists() or os.path.ismount(volume["mount"]))


def taken(user: Mapping[str, Any]) -> Iterator[str]:
    """Users and groups of the node that have either the name or the id of the user."""
    wanted = (user["name"], user["uid"])
    known = {
        "user": {(entry.pw_name, entry.pw_uid) for entry in pwd.getpwall()},
        "group": {(entry.gr_name, entry.gr_gid) for entry in grp.getgrall()},
    }
    for kind, entries in known.items():
        for name, number in sorted(entries - {wanted}):
            if name == wanted[0] or number == wanted[1]:
                yield f"node_user: {kind} '{name}' with id {number} exists on this node, so '{wanted[0]}' with id {wanted[1]} cannot be created"


def other_file_systems(volumes: Iterable[Mapping[str, Any]], mounts: str) -> Iterator[str]:
    """Mounted volumes with another file system than expected, from the text of /proc/mounts."""
    there = {words[1]: words[2] for line in mounts.splitlines() if len(words := line.split()) > 2}
    for volume in volumes:
        found, wanted = there.get(volume["mount"], ""), volume["fs"]
        if found and wanted and found != wanted:
            yield f"volume {volume['name']} has {found}, the file says {wanted}; a file system is created only on a blank volume"


def look_at_memory(text: str, limits: Limits) -> Memory:
    """From the text of /proc/meminfo."""
    values = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in text.splitlines() if line.endswith(" kB")}
    total, available = values["MemTotal"], values["MemAvailable"]
    fault = f"it is short of memory: {available} of {total} MiB are available" if available < limits.memory_mib else ""
    return Memory(total, available, fault)


def other_failures(output: str, but: Iterable[str]) -> list[str]:
    """Names from the output of `systemctl list-units --failed`, without services that are reported already."""
    own = {f"{name}.service" for name in but}
    return sorted(words[0] for line in output.splitlines() if (words := line.split()) and words[0] not in own)


def look(given: Mapping[str, Any]) -> dict[str, Any]:
    """All checks."""
    limits = Limits(given["full_percent"], given["full_mib"], given["memory_mib"])
    names = given["units"]
    others = given["others"]
    asked = [f"{name}.service" for name in (*names, *(unit for units in others.values() for unit in units))]
    known = paragraphs(query("show", f"--property={PROPERTIES}", *asked)) if asked else {}
    units = look_at_units(names, known)
    volumes = [volume for volume in given["volumes"] if not is_new(volume)]
    disks = [look_at_disk("/", "", limits), *(look_at_disk(volume["mount"], volume["name"], limits) for volume in volumes)]
    mounts = MOUNTS.read_text(encoding="utf-8")
    shares = look_at_shares(given["shares"], mounts)
    memory = look_at_memory(MEMORY.read_text(encoding="ascii"), limits)
    shared = [seen.fault for seen in shares]
    return {
        "units": [asdict(unit) for unit in units],
        "disks": [asdict(disk) for disk in disks],
        "shares": [asdict(seen) for seen in shares],
        "memory": asdict(memory),
        "refusals": list(taken(given["user"])) if given["user"] else [],
        "differs": list(other_file_systems(volumes, mounts)),
        "former_roles": former_roles(others, known),
        "failed_units": other_failures(query("list-units", "--failed", "--plain", "--no-legend"), [unit.removesuffix(".service") for unit in asked]),
        "faults": [fault for fault in (*(unit.fault for unit in units), *(disk.fault for disk in disks), *shared, memory.fault) if fault],
    }


def main() -> None:
    volume = {"name": {"type": "str", "required": True}, "mount": {"type": "path", "required": True}, "attached": {"type": "bool", "default": True}}
    volume["fs"] = {"type": "str", "default": ""}
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "default": ""},
            "units": {"type": "list", "elements": "str", "default": []},
            "others": {"type": "dict", "default": {}},
            "volumes": {"type": "list", "elements": "dict", "default": [], "options": volume},
            "shares": {"type": "list", "elements": "path", "default": []},
            "user": {"type": "dict", "options": {"name": {"type": "str", "required": True}, "uid": {"type": "int", "required": True}}},
            "full_percent": {"type": "int", "default": 98},
            "full_mib": {"type": "int", "default": 64},
            "memory_mib": {"type": "int", "default": 64},
        },
        supports_check_mode=True,
    )
    other = elsewhere(module.params["address"]) if module.params["address"] else ""
    if other:
        module.fail_json(msg=other, elsewhere=True)
    module.exit_json(changed=False, reachable=True, **look(module.params))


if __name__ == "__main__":
    main()
