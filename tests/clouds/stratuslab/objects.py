# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What oned keeps, and how it shows it: the XML of OpenNebula 3.2."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum
from xml.etree import ElementTree

from .template import Template

OWNER_ONLY = (1, 1, 0, 0, 0, 0, 0, 0, 0)
FOR_ALL = (1, 1, 0, 1, 0, 0, 1, 0, 0)
RIGHTS = ("OWNER_U", "OWNER_M", "OWNER_A", "GROUP_U", "GROUP_M", "GROUP_A", "OTHER_U", "OTHER_M", "OTHER_A")


class VmState(IntEnum):
    INIT = 0
    PENDING = 1
    HOLD = 2
    ACTIVE = 3
    STOPPED = 4
    SUSPENDED = 5
    DONE = 6
    FAILED = 7


class Lcm(IntEnum):
    INIT = 0
    PROLOG = 1
    BOOT = 2
    RUNNING = 3
    SAVE_STOP = 5
    SAVE_SUSPEND = 6
    PROLOG_RESUME = 9
    EPILOG_STOP = 10
    EPILOG = 11
    SHUTDOWN = 12
    CANCEL = 13
    CLEANUP = 15
    UNKNOWN = 16


class Reason(IntEnum):
    """Why a machine left a host."""

    NONE = 0
    ERROR = 1
    STOP_RESUME = 2
    USER = 3
    CANCEL = 4


def now() -> int:
    return int(time.time())


def well_formed(xml: str) -> bool:
    try:
        ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return False
    return True


def tags(**values: object) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


@dataclass
class User:
    id: int
    gid: int
    group: str
    name: str
    password: str
    template: Template = field(default_factory=Template)
    quota: dict[str, float] = field(default_factory=dict)  # CPU, MEMORY, NUM_VMS

    def xml(self) -> str:
        head = tags(ID=self.id, GID=self.gid, GNAME=self.group, NAME=self.name, PASSWORD=self.password, AUTH_DRIVER="dummy", ENABLED=1)
        return f"<USER>{head}<TEMPLATE>{self.template.xml()}</TEMPLATE></USER>"


@dataclass
class Owned:
    """What every object has."""

    id: int
    uid: int
    gid: int
    uname: str
    gname: str
    name: str
    template: Template
    rights: tuple[int, ...] = OWNER_ONLY

    def head(self) -> str:
        known = tags(ID=self.id, UID=self.uid, GID=self.gid, UNAME=self.uname, GNAME=self.gname, NAME=self.name)
        return f"{known}<PERMISSIONS>{tags(**dict(zip(RIGHTS, self.rights, strict=True)))}</PERMISSIONS>"


@dataclass
class Document(Owned):
    """What OpenNebula calls a virtual machine template."""

    regtime: int = 0
    listed: Template | None = None  # what the pool shows, if it is not the template

    def xml(self, in_pool: bool = False) -> str:
        shown = self.listed if in_pool and self.listed is not None else self.template
        return f"<VMTEMPLATE>{self.head()}{tags(REGTIME=self.regtime)}<TEMPLATE>{shown.xml()}</TEMPLATE></VMTEMPLATE>"


@dataclass
class History:
    host: Host
    seq: int = 0
    stime: int = 0
    etime: int = 0
    pstime: int = 0
    petime: int = 0
    rstime: int = 0
    retime: int = 0
    estime: int = 0
    eetime: int = 0
    reason: Reason = Reason.NONE

    def xml(self) -> str:
        place = tags(SEQ=self.seq, HOSTNAME=self.host.name, VM_DIR="/var/lib/one/", HID=self.host.id, STIME=self.stime, ETIME=self.etime)
        drivers = tags(VMMMAD=self.host.vmm, VNMMAD="dummy", TMMAD=self.host.tm)
        prolog, running = tags(PSTIME=self.pstime, PETIME=self.petime), tags(RSTIME=self.rstime, RETIME=self.retime)
        times = f"{prolog}{running}{tags(ESTIME=self.estime, EETIME=self.eetime, REASON=int(self.reason))}"
        return f"<HISTORY>{place}{drivers}{times}</HISTORY>"


@dataclass
class Vm(Owned):
    state: VmState = VmState.PENDING
    lcm: Lcm = Lcm.INIT
    stime: int = 0
    etime: int = 0
    last_poll: int = 0
    deploy_id: str = ""
    history: list[History] = field(default_factory=list)

    @property
    def living(self) -> bool:
        return self.state is not VmState.DONE

    @property
    def running(self) -> bool:
        return (self.state, self.lcm) == (VmState.ACTIVE, Lcm.RUNNING)

    def xml(self) -> str:
        state = tags(LAST_POLL=self.last_poll, STATE=int(self.state), LCM_STATE=int(self.lcm), STIME=self.stime, ETIME=self.etime)
        use = tags(DEPLOY_ID=self.deploy_id, MEMORY=0, CPU=0, NET_TX=0, NET_RX=0)
        records = "".join(record.xml() for record in self.history)
        past = f"<HISTORY_RECORDS>{records}</HISTORY_RECORDS>" if records else "<HISTORY_RECORDS/>"
        return f"<VM>{self.head()}{state}{use}<TEMPLATE>{self.template.xml()}</TEMPLATE>{past}</VM>"


@dataclass
class Lease:
    ip: str
    vid: int = -1

    @property
    def mac(self) -> str:
        return "0a:0a:" + ":".join(f"{int(part):02x}" for part in self.ip.split("."))

    def xml(self) -> str:
        return f"<LEASE>{tags(IP=self.ip, MAC=self.mac, USED=int(self.vid >= 0), VID=self.vid)}</LEASE>"


@dataclass
class Network(Owned):
    leases: list[Lease] = field(default_factory=list)

    def free(self, wanted: str = "") -> Lease | None:
        return next((lease for lease in self.leases if lease.vid < 0 and wanted in ("", lease.ip)), None)

    def xml(self, leases: bool) -> str:
        used = sum(lease.vid >= 0 for lease in self.leases)
        known = f"{tags(TYPE=1, BRIDGE='br0', VLAN=0)}<PHYDEV/><VLAN_ID/>{tags(TOTAL_LEASES=used)}"
        listed = f"<LEASES>{''.join(lease.xml() for lease in self.leases)}</LEASES>" if leases else ""
        return f"<VNET>{self.head()}{known}<TEMPLATE>{self.template.xml()}</TEMPLATE>{listed}</VNET>"


@dataclass
class Host:
    id: int
    name: str
    vmm: str = "vmm_dummy"
    tm: str = "tm_dummy"
    monitored: int = 0
    cpu: int = 1600
    memory: int = 64 * 2**20  # KiB

    def xml(self, vms: list[Vm]) -> str:
        cpu = int(sum(vm.template.number("CPU") for vm in vms) * 100)
        memory = int(sum(vm.template.number("MEMORY") for vm in vms) * 1024)
        head = tags(
            ID=self.id, NAME=self.name, STATE=2, IM_MAD="im_dummy", VM_MAD=self.vmm, VN_MAD="dummy", TM_MAD=self.tm, LAST_MON_TIME=self.monitored
        )
        share = tags(
            DISK_USAGE=0, MEM_USAGE=memory, CPU_USAGE=cpu, MAX_DISK=0, MAX_MEM=self.memory, MAX_CPU=self.cpu, FREE_DISK=0, FREE_MEM=self.memory,
            FREE_CPU=self.cpu, USED_DISK=0, USED_MEM=0, USED_CPU=0, RUNNING_VMS=len(vms),
        )  # fmt: skip
        known = {
            "CPUSPEED": "2.2GHz", "FREECPU": str(self.cpu), "FREEMEMORY": str(self.memory), "HOSTNAME": self.name, "HYPERVISOR": "dummy",
            "TOTALCPU": str(self.cpu), "TOTALMEMORY": str(self.memory), "USEDCPU": "0", "USEDMEMORY": "0",
        }  # fmt: skip
        return f"<HOST>{head}<HOST_SHARE>{share}</HOST_SHARE><TEMPLATE>{Template(list(known.items())).xml()}</TEMPLATE></HOST>"
