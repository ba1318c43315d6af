# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""oned of OpenNebula 3.2 with StratusLab's patches, as far as clients see it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from .objects import Document, History, Host, Lcm, Lease, Network, Owned, Reason, User, Vm, VmState, now, tags, well_formed
from .template import Template, TemplateError, Value, parse

AUTHENTICATION, AUTHORIZATION, NO_EXISTS, ACTION, API, INTERNAL = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000
WRONG_TYPE, NO_METHOD, BAD_XML = -501, -506, -503
CONNECTIONS = 15  # that oned serves at once, those of its helpers too
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\U00010000-\U0010ffff]|]]>")
SUBSTITUTED = re.compile(r"\$([A-Za-z0-9_]+)")
REFUSED = re.compile(r"\$[({]|\$$")
DEVICE_PREFIX = "hd"  # of oned.conf
HELD = 0.02  # s between two looks whether a machine still hangs
GROUPS = ("oneadmin", "users")  # by number
LONGEST_NAME = 128  # bytes, though the refusal says characters
LONGEST_ASKED = 98_000  # bytes of a template that the helper can be asked about


class Refused(Exception):
    """[false, message, code]."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Fault(Exception):
    """A fault of XML-RPC."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class DeployError(Exception):
    """A machine that could not be started, in the words of ERROR/MESSAGE."""


class Machines(Protocol):
    """What carries virtual machines."""

    def prolog(self, vm: Vm) -> None:
        """Fetch, verify and clone what the machine starts from."""

    def boot(self, vm: Vm) -> None: ...

    def restart(self, vm: Vm) -> None: ...

    def destroy(self, vm: Vm) -> None: ...

    def alive(self, vm: Vm) -> bool: ...


@dataclass
class Settings:
    helper: float = 0.0  # s that the program takes which oned starts at every call but pool listings
    helper_patience: float = 30.0  # s that it waits for a connection
    helper_timeout: float = 0.0  # s until it is given up for a text that is too long; 70 there
    longest: int = 65_535  # bytes of an object in MySQL, which cuts what is longer without a word
    tick: float = 0.05  # s between two looks of the scheduler


@dataclass
class Injection:
    """What a test wants to go wrong inside."""

    deploys: list[str] = field(default_factory=list)  # messages of the next deployments, which fail
    hanging: set[str] = field(default_factory=set)  # names of machines that do not end to boot
    undying: set[str] = field(default_factory=set)  # names of machines that do not end to be deleted


class Oned:
    """One front end. Every public method is an XML-RPC method or a tool of the operator."""

    def __init__(self, machines: Machines, networks: Mapping[str, Sequence[str]], hosts: Sequence[Host], settings: Settings | None = None) -> None:
        """
        Args:
            networks: addresses by the networks' names.
        """
        self.settings = settings or Settings()
        self.machines = machines
        self.injected = Injection()
        self.users = {"oneadmin": User(0, 0, "oneadmin", "oneadmin", "password")}
        self.vms: dict[int, Vm] = {}
        self.documents: dict[int, Document] = {}
        self.networks = [_network(number, name, addresses) for number, (name, addresses) in enumerate(networks.items())]
        self.hosts = list(hosts)
        self._ids = {"vm": 0, "template": 0, "user": 2, "acl": 0, "group": 100, "host": len(self.hosts)}
        self._mutex = threading.RLock()
        self._work: dict[int, threading.Lock] = {}
        self._connections = threading.BoundedSemaphore(CONNECTIONS)
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="vm")
        self._ended = threading.Event()
        self._scheduler = threading.Thread(target=self._schedule, daemon=True)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._ended.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # the protocol

    def call(self, method: str, params: Sequence[Any]) -> list[Any]:
        """The array that answers a call.

        Raises:
            Fault: of XML-RPC.
        """
        known = METHODS.get(method)
        if known is None:
            raise Fault(NO_METHOD, f"Method '{method}' not defined")
        self._check(params, known.types)
        with self._connections:
            try:
                user = self._user(str(params[0]))
                if known.helped:
                    self._help(known, user, params)
                return [True, known.work(self, user, *params[1 : len(known.types) + 1]), 0]
            except Refused as error:
                return [False, f"[{known.prefix}] {error}", error.code]

    @staticmethod
    def _check(params: Sequence[Any], types: Sequence[type]) -> None:
        for place, wanted in enumerate((str, *types)):
            if place >= len(params):
                raise Fault(WRONG_TYPE, "Not enough parameters")
            if not isinstance(params[place], wanted) or isinstance(params[place], bool):
                words = {str: "string", int: "integer"}
                raise Fault(WRONG_TYPE, f"Parameter that is supposed to be {words[wanted]} is not")
            if wanted is str and CONTROL.search(params[place]):
                raise Fault(BAD_XML, "Call XML not a proper XML-RPC call.  Call is not valid XML.  not well-formed (invalid token)")

    def _help(self, method: Method, user: User, params: Sequence[Any]) -> None:
        """The program that decides about rights and quotas connects to oned itself; without a connection for it the call fails."""
        if any(isinstance(each, str) and _size(each) > LONGEST_ASKED for each in params[1:]):
            time.sleep(self.settings.helper_timeout)
            raise Refused(AUTHORIZATION, f"User [{user.id}] : Auth request timeout.")
        if not self.settings.helper:
            return
        if not self._connections.acquire(timeout=self.settings.helper_patience):
            raise Refused(AUTHORIZATION, f"User [{user.id}] not authorized to perform action on {method.thing}.")
        try:
            time.sleep(self.settings.helper)
        finally:
            self._connections.release()

    def _user(self, session: str) -> User:
        name, colon, password = session.partition(":")
        with self._mutex:
            user = self.users.get(name)
            if user is None and colon and name and password:
                user = self.users[name] = User(self._next("user"), 1, "users", name, password)
            if user is None or user.password != password:
                raise Refused(AUTHENTICATION, "User couldn't be authenticated, aborting call.")
            return user

    def _next(self, kind: str) -> int:
        self._ids[kind] += 1
        return self._ids[kind] - 1

    # rights

    def _may(self, user: User, thing: Owned, kind: str, manage: bool = False) -> None:
        if user.id in (0, thing.uid):
            return
        group, other = thing.rights[3:6], thing.rights[6:9]
        place = int(manage)
        if other[place] or (user.gid == thing.gid and group[place]):
            return
        raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform {'MANAGE' if manage else 'USE'} {kind} [{thing.id}].")

    def _known(self, things: Mapping[int, Any] | Sequence[Any], number: int, what: str) -> Any:
        try:
            if number < 0:
                raise IndexError
            found = things[number]
        except (KeyError, IndexError):
            raise Refused(NO_EXISTS, f"Error getting {what} [{number}].") from None
        if isinstance(found, (Vm, Document, User)) and _size(found.xml()) > self.settings.longest:
            raise Refused(NO_EXISTS, f"Error getting {what} [{number}].")  # what was cut cannot be read any more
        return found

    def _visible(self, user: User, things: Iterable[Any], which: int) -> list[Any]:
        def shown(thing: Owned) -> bool:
            own, of_group = thing.uid == user.id, thing.gid == user.gid and bool(thing.rights[3])
            if which == -3:
                return own
            if which == -1:
                return own or of_group
            usable = own or of_group or bool(thing.rights[6]) or 0 in (user.id, user.gid)
            return usable and which in (-2, thing.uid)

        if which < -3:
            raise Refused(API, "Incorrect filter_flag")
        return [thing for thing in things if shown(thing)]

    # virtual machines

    def vm_allocate(self, user: User, text: str) -> int:
        try:
            template = parse(text)
        except TemplateError as error:
            raise Refused(INTERNAL, f"Error allocating a new virtual machine. {error}") from None
        with self._mutex:
            self._within_quota(user, template)
            self._check_restricted(user, template)
            vm = self._new_vm(user, template)
            try:
                self._lease(vm)
                self._check_images(vm)
                _contextualise(vm)
                _check_xml(vm, "virtual machine", "VM")
            except Refused:
                self._release(vm)
                raise
            self.vms[vm.id] = vm
            self._work[vm.id] = threading.Lock()
            return vm.id

    def _new_vm(self, user: User, template: Template) -> Vm:
        number = self._next("vm")
        name = _name(template, f"one-{number}", "virtual machine")
        for place, disk in enumerate(template.vectors("DISK")):
            disk["DISK_ID"] = str(place)
        for graphics in template.vectors("GRAPHICS"):
            graphics.setdefault("PORT", str(5900 + number))
        template.set("NAME", name)
        template.set("VMID", str(number))
        return Vm(number, user.id, user.gid, user.name, user.group, name, template, stime=now())

    @staticmethod
    def _check_restricted(user: User, template: Template) -> None:
        if user.id and any("VLAN_ID" in nic for nic in template.vectors("NIC")):
            raise Refused(INTERNAL, "Error allocating a new virtual machine. VM Template includes a restricted attribute NIC/VLAN_ID.")

    @staticmethod
    def _check_images(vm: Vm) -> None:
        """StratusLab has no images of OpenNebula."""
        if any({"IMAGE", "IMAGE_ID"} & disk.keys() for disk in vm.template.vectors("DISK")):
            raise Refused(INTERNAL, "Error allocating a new virtual machine. Could not get disk image for VM.")

    def _lease(self, vm: Vm) -> None:
        for nic in vm.template.vectors("NIC"):
            if not nic.get("NETWORK") and not nic.get("NETWORK_ID"):
                continue  # it is of no network that oned knows
            network = self._network_of(nic, vm)
            lease = network.free(nic.get("IP", "")) if network else None
            if network is None or lease is None:
                raise Refused(INTERNAL, "Error allocating a new virtual machine. Could not get virtual network for VM.")
            lease.vid = vm.id
            nic |= {"BRIDGE": "br0", "IP": lease.ip, "MAC": lease.mac, "NETWORK": network.name, "NETWORK_ID": str(network.id)}
            nic |= {"NETWORK_UNAME": network.uname, "VLAN": "NO"}

    def _network_of(self, nic: Mapping[str, str], vm: Vm) -> Network | None:
        """By its name and its owner, who is that of the machine unless another is named; without a name by its number."""
        if not nic.get("NETWORK"):
            return next((net for net in self.networks if nic["NETWORK_ID"] == str(net.id)), None)
        owned = [net for net in self.networks if net.name == nic["NETWORK"]]
        if nic.get("NETWORK_UID"):
            return next((net for net in owned if str(net.uid) == nic["NETWORK_UID"]), None)
        return next((net for net in owned if net.uname == (nic.get("NETWORK_UNAME") or vm.uname)), None)

    def _within_quota(self, user: User, template: Template) -> None:
        used = [vm for vm in self.vms.values() if vm.uid == user.id and vm.living]
        asked = {"CPU": template.number("CPU"), "MEMORY": int(template.number("MEMORY")), "NUM_VMS": 1}
        now_used = {"CPU": sum((vm.template.number("CPU") for vm in used), 0.0), "NUM_VMS": len(used)}
        now_used["MEMORY"] = int(sum(vm.template.number("MEMORY") for vm in used))
        over = [
            f"{name} quota exceeded (Quota: {_shown(name, user.quota[name])}, Used: {now_used[name]}, Requested: {asked[name]})"
            for name in ("CPU", "MEMORY", "NUM_VMS")
            if name in user.quota and now_used[name] + asked[name] > user.quota[name]
        ]
        if over:
            raise Refused(AUTHORIZATION, f"User [{user.id}] : {'; '.join(over)}.")

    def vm_info(self, user: User, number: int) -> str:
        with self._mutex:
            vm = self._known(self.vms, number, "virtual machine")
            self._may(user, vm, "VM")
            return str(vm.xml())

    def vm_pool(self, user: User, which: int, start: int, end: int, state: int) -> str:
        if not -2 <= state <= 7:
            raise Refused(API, "Incorrect filter_flag, state")
        with self._mutex:
            vms = _within(self._visible(user, self.vms.values(), which), start, end)
            shown = [vm for vm in vms if state == -2 or (vm.living if state == -1 else vm.state == state)]
            return f"<VM_POOL>{''.join(self._stored(vm.xml()) for vm in shown)}</VM_POOL>"

    def _stored(self, xml: str) -> str:
        """What the database has of an object, and the listing of a pool shows."""
        return xml.encode()[: self.settings.longest].decode(errors="ignore")

    def vm_chmod(self, user: User, number: int, *rights: int) -> int:
        return self._chmod(user, self._known(self.vms, number, "virtual machine"), "VM", rights)

    def vm_chown(self, user: User, number: int, owner: int, group: int) -> int:
        return self._chown(user, self._known(self.vms, number, "virtual machine"), "VM", owner, group)

    def _chown(self, user: User, thing: Owned, kind: str, owner: int, group: int) -> int:
        """Give a thing away, which only who manages its new owner may do; -1 keeps what it has."""
        self._may(user, thing, kind, manage=True)
        if owner >= 0:
            new = self._known({each.id: each for each in self.users.values()}, owner, "user")
            if user.id not in (0, new.id):
                raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform MANAGE USER [{owner}].")
            thing.uid, thing.uname = new.id, new.name
        if group >= 0:
            if group not in range(len(GROUPS)):
                raise Refused(NO_EXISTS, f"Error getting group [{group}].")
            if user.id and group != user.gid:
                raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform USE GROUP [{group}].")
            thing.gid, thing.gname = group, GROUPS[group]
        return thing.id

    def _chmod(self, user: User, thing: Owned, kind: str, rights: Sequence[int]) -> int:
        self._may(user, thing, kind, manage=True)
        thing.rights = tuple(old if new < 0 else new for old, new in zip(thing.rights, rights, strict=True))
        return thing.id

    def vm_action(self, user: User, action: str, number: int) -> int:
        with self._mutex:
            vm: Vm = self._known(self.vms, number, "virtual machine")
            self._may(user, vm, "VM", manage=True)
            act = ACTIONS.get(action)
            if act is None:
                raise Refused(INTERNAL, "Internal error. Action result not defined")
            if not act(self, vm):
                raise Refused(ACTION, "Wrong state to perform action")
            return vm.id

    def _finalize(self, vm: Vm) -> bool:
        if vm.state in (VmState.INIT, VmState.PENDING, VmState.HOLD, VmState.STOPPED):
            self._done(vm)
        elif vm.state is VmState.ACTIVE:
            if vm.lcm is not Lcm.CLEANUP:
                _clean(vm)
                self._pool.submit(self._tear_down, vm)
        elif vm.state is not VmState.DONE:
            self._pool.submit(self._tear_down, vm)
        return True

    def _shutdown(self, vm: Vm) -> bool:
        return vm.running and self._ends(vm, Lcm.SHUTDOWN)

    def _ends(self, vm: Vm, lcm: Lcm) -> bool:
        vm.lcm = lcm
        self._pool.submit(self._tear_down, vm)
        return True

    def _restart(self, vm: Vm) -> bool:
        if vm.state is not VmState.ACTIVE or vm.lcm not in (Lcm.UNKNOWN, Lcm.BOOT):
            return False
        vm.lcm = Lcm.BOOT
        self._pool.submit(self._boot_again, vm)
        return True

    def _moved(self, vm: Vm, old: VmState, new: VmState) -> bool:
        if vm.state is not old:
            return False
        vm.state = new
        return True

    def _saved(self, vm: Vm, lcm: Lcm) -> bool:
        """Stop a machine, or suspend it."""
        if not vm.running:
            return False
        vm.lcm = lcm
        self._pool.submit(self._save, vm)
        return True

    def _resume(self, vm: Vm) -> bool:
        """One that was stopped is placed again, on whatever host; one that was suspended goes on where it is."""
        if vm.state is VmState.STOPPED:
            vm.state = VmState.PENDING
            return True
        if vm.state is not VmState.SUSPENDED:
            return False
        at = now()
        vm.history.append(History(vm.history[-1].host, len(vm.history), at, rstime=at))
        vm.state, vm.lcm = VmState.ACTIVE, Lcm.BOOT
        self._pool.submit(self._restored, vm)
        return True

    def _resubmit(self, vm: Vm) -> bool:
        """Place a machine again, from its image."""
        if vm.state in (VmState.SUSPENDED, VmState.DONE):
            return False
        if vm.state is VmState.ACTIVE:
            if vm.lcm is not Lcm.CLEANUP:
                _clean(vm)
                self._pool.submit(self._cleaned, vm)
        elif vm.state is VmState.FAILED:
            self._pool.submit(self._cleaned, vm)
        else:
            vm.state = VmState.PENDING
        return True

    # their life

    def _schedule(self) -> None:
        while not self._ended.wait(self.settings.tick):
            with self._mutex:
                for host in self.hosts:
                    host.monitored = now()
                waiting = [vm for vm in self.vms.values() if vm.state is VmState.PENDING]
                running = [vm for vm in self.vms.values() if vm.running]
            for vm in waiting:
                self._place(vm)
            for vm in running:
                if not self.machines.alive(vm):
                    with self._mutex:
                        vm.lcm = Lcm.UNKNOWN if vm.running else vm.lcm

    def _place(self, vm: Vm) -> None:
        with self._mutex:
            if vm.state is not VmState.PENDING:
                return
            load = {
                host.id: sum(bool(other.history) and other.history[-1].host is host and other.living for other in self.vms.values())
                for host in self.hosts
            }
            host = min(self.hosts, key=lambda each: load[each.id])
            at = now()
            resumed = bool(vm.history) and vm.history[-1].reason is Reason.STOP_RESUME
            vm.history.append(History(host, len(vm.history), at, pstime=at))
            vm.state, vm.lcm = VmState.ACTIVE, Lcm.PROLOG_RESUME if resumed else Lcm.PROLOG
        self._pool.submit(self._bring_up, vm)

    def _bring_up(self, vm: Vm) -> None:
        with self._work[vm.id]:
            try:
                self._deploy(vm)
            except DeployError as error:
                self._failed(vm, str(error))
            except Exception as error:  # noqa: BLE001  whatever it is, the machine has failed
                self._failed(vm, f"Error deploying virtual machine: {type(error).__name__}: {error}")

    def _deploy(self, vm: Vm) -> None:
        resumed = self._is_in(vm, Lcm.PROLOG_RESUME)
        if not resumed:
            if not self._is_in(vm, Lcm.PROLOG):
                return
            self.machines.prolog(vm)
        record = vm.history[-1]
        with self._mutex:
            if not self._is_in(vm, Lcm.PROLOG_RESUME if resumed else Lcm.PROLOG):
                return
            vm.lcm = Lcm.BOOT
            record.petime = record.rstime = now()
            injected = self.injected.deploys.pop(0) if self.injected.deploys else ""
        if injected:
            raise DeployError(f"Error deploying virtual machine: {injected} on {record.host.name}")
        while vm.name in self.injected.hanging and self._is_in(vm, Lcm.BOOT) and not self._ended.wait(HELD):
            pass
        if not resumed:
            self.machines.boot(vm)
        with self._mutex:
            vm.deploy_id = f"{record.host.name}:{vm.name}:dummy".split(" ", maxsplit=1)[0]
            vm.last_poll = now()
            if self._is_in(vm, Lcm.BOOT):
                vm.lcm = Lcm.RUNNING

    def _is_in(self, vm: Vm, lcm: Lcm) -> bool:
        return (vm.state, vm.lcm) == (VmState.ACTIVE, lcm)

    def _boot_again(self, vm: Vm) -> None:
        with self._work[vm.id]:
            self.machines.restart(vm)
            with self._mutex:
                if self._is_in(vm, Lcm.BOOT):
                    vm.lcm = Lcm.RUNNING

    def _save(self, vm: Vm) -> None:
        with self._work[vm.id], self._mutex:
            if vm.lcm not in (Lcm.SAVE_STOP, Lcm.SAVE_SUSPEND):
                return
            at, record, stopped = now(), vm.history[-1], vm.lcm is Lcm.SAVE_STOP
            record.retime, record.reason = at, Reason.STOP_RESUME
            if stopped:
                vm.lcm, record.estime, record.eetime = Lcm.EPILOG_STOP, at, at  # its files are brought to the front end
            record.etime = at
            vm.state, vm.lcm = VmState.STOPPED if stopped else VmState.SUSPENDED, Lcm.INIT

    def _restored(self, vm: Vm) -> None:
        with self._work[vm.id], self._mutex:
            if self._is_in(vm, Lcm.BOOT):
                vm.lcm = Lcm.RUNNING

    def _cleaned(self, vm: Vm) -> None:
        """Nothing is left of it on its host, and it is placed again."""
        with self._work[vm.id]:
            self.machines.destroy(vm)
            with self._mutex:
                if vm.state is VmState.FAILED or self._is_in(vm, Lcm.CLEANUP):
                    vm.state, vm.lcm = VmState.PENDING, Lcm.INIT

    def _failed(self, vm: Vm, message: str) -> None:
        with self._mutex:
            if vm.state is not VmState.ACTIVE or vm.lcm not in (Lcm.PROLOG, Lcm.PROLOG_RESUME, Lcm.BOOT):
                return  # it is being deleted
            at, record = now(), vm.history[-1]
            if vm.lcm is Lcm.BOOT:
                record.retime = at
            else:
                record.petime = at
            record.etime, record.reason = at, Reason.ERROR
            vm.state, vm.lcm, vm.etime = VmState.FAILED, Lcm.INIT, at
            vm.template.set("ERROR", {"MESSAGE": message, "TIMESTAMP": time.ctime(at)})

    def _tear_down(self, vm: Vm) -> None:
        with self._work[vm.id]:
            if vm.state is VmState.DONE:
                return
            with self._mutex:
                if vm.lcm in (Lcm.SHUTDOWN, Lcm.CANCEL):
                    record = vm.history[-1]
                    record.retime = record.estime = now()
                    record.reason = Reason.CANCEL if vm.lcm is Lcm.CANCEL else record.reason
                    vm.lcm = Lcm.EPILOG
            while vm.name in self.injected.undying and not self._ended.wait(HELD):
                pass
            self.machines.destroy(vm)
            with self._mutex:
                if vm.lcm is Lcm.EPILOG:
                    vm.history[-1].eetime = vm.history[-1].etime = now()
                self._done(vm)

    def _done(self, vm: Vm) -> None:
        vm.state, vm.lcm, vm.etime = VmState.DONE, Lcm.INIT, now()
        self._release(vm)

    def _release(self, vm: Vm) -> None:
        for network in self.networks:
            for lease in network.leases:
                lease.vid = -1 if lease.vid == vm.id else lease.vid

    # templates

    def template_allocate(self, user: User, text: str) -> int:
        what = "Error allocating a new virtual machine template."
        try:
            template = parse(text)
        except TemplateError as error:
            raise Refused(INTERNAL, f"{what} {error}") from None
        name = _name(template, "", "virtual machine template")
        taken = next((each.id for each in list(self.documents.values()) if each.uid == user.id and name and each.name == name), None)
        if taken is not None:  # looked up before the lock is held, as there: two at once may both be made
            raise Refused(INTERNAL, f"{what} NAME is already taken by TEMPLATE {taken}.")
        with self._mutex:
            number = self._next("template")
            template.set("NAME", name or f"template-{number}")
            template.set("TEMPLATE_ID", str(number))
            known = (user.id, user.gid, user.name, user.group, name or f"template-{number}", template)
            made = Document(number, *known, regtime=now())
            _check_xml(made, "virtual machine template", "Template")
            self.documents[number] = made
            return number

    def template_info(self, user: User, number: int) -> str:
        with self._mutex:
            found = self._known(self.documents, number, "virtual machine template")
            self._may(user, found, "TEMPLATE")
            return str(found.xml())

    def template_update(self, user: User, number: int, text: str) -> int:
        try:
            template = parse(text)
        except TemplateError as error:
            raise Refused(INTERNAL, f"Cannot update template. {error}") from None
        with self._mutex:
            found = self._known(self.documents, number, "virtual machine template")
            self._may(user, found, "TEMPLATE", manage=True)
            before, found.template = found.listed or found.template, template
            found.listed = None if well_formed(found.xml()) else before
            return number

    def template_delete(self, user: User, number: int) -> int:
        with self._mutex:
            found = self._known(self.documents, number, "virtual machine template")
            self._may(user, found, "TEMPLATE", manage=True)
            del self.documents[number]
            return number

    def template_chmod(self, user: User, number: int, *rights: int) -> int:
        return self._chmod(user, self._known(self.documents, number, "virtual machine template"), "TEMPLATE", rights)

    def template_chown(self, user: User, number: int, owner: int, group: int) -> int:
        return self._chown(user, self._known(self.documents, number, "virtual machine template"), "TEMPLATE", owner, group)

    def template_instantiate(self, user: User, number: int, name: str) -> int:
        with self._mutex:
            found = self._known(self.documents, number, "virtual machine template")
            self._may(user, found, "TEMPLATE")
            lines = [f'{key} = "{value}"' if isinstance(value, str) else _vector(key, value) for key, value in found.template.items]
        kept = [line for line in lines if not line.startswith(("NAME =", "TEMPLATE_ID ="))]
        return self.vm_allocate(user, "\n".join([*kept, *([f'NAME = "{name}"'] if name else [])]))

    def template_pool(self, user: User, which: int, start: int, end: int) -> str:
        with self._mutex:
            shown = _within(self._visible(user, self.documents.values(), which), start, end)
            return f"<VMTEMPLATE_POOL>{''.join(self._stored(each.xml(in_pool=True)) for each in shown)}</VMTEMPLATE_POOL>"

    # networks, hosts, users

    def vn_info(self, user: User, number: int) -> str:
        with self._mutex:
            found = self._known(self.networks, number, "virtual network")
            self._may(user, found, "NET")
            return str(found.xml(leases=True))

    def vn_pool(self, user: User, which: int, start: int, end: int) -> str:
        with self._mutex:
            shown = _within(self._visible(user, self.networks, which), start, end)
            return f"<VNET_POOL>{''.join(each.xml(leases=False) for each in shown)}</VNET_POOL>"

    def _host(self, number: int) -> Host:
        found: Host = self._known({host.id: host for host in self.hosts}, number, "host")
        return found

    def host_info(self, _user: User, number: int) -> str:
        return self._host(number).xml(self._on(number))

    def host_delete(self, user: User, number: int) -> int:
        with self._mutex:
            found = self._host(number)
            if user.id != 0:
                raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform MANAGE HOST [{number}].")
            if self._on(number):
                raise Refused(INTERNAL, "Cannot delete host. Can not remove a host with running VMs")
            self.hosts.remove(found)
            return number

    def host_pool(self, _user: User) -> str:
        return f"<HOST_POOL>{''.join(host.xml(self._on(host.id)) for host in self.hosts)}</HOST_POOL>"

    def _on(self, host: int) -> list[Vm]:
        with self._mutex:
            return [vm for vm in self.vms.values() if vm.state is VmState.ACTIVE and vm.history and vm.history[-1].host.id == host]

    def host_allocate(self, user: User, name: str, _im: str, vmm: str, _vnm: str, tm: str) -> int:
        self._only_admin(user, "HOST")
        with self._mutex:
            number = self._next("host")
            self.hosts.append(Host(number, name, vmm, tm))
            return number

    def vn_allocate(self, user: User, text: str) -> int:
        try:
            template = parse(text)
        except TemplateError as error:
            raise Refused(INTERNAL, f"Error allocating a new virtual network. {error}") from None
        lacking = [name for name in ("NAME", "TYPE", "BRIDGE") if not template.text(name)]
        if lacking:
            raise Refused(INTERNAL, f"Error allocating a new virtual network. No {lacking[0]} in template for Virtual Network.")
        with self._mutex:
            if any(each.name == template.text("NAME") and each.uid == user.id for each in self.networks):
                taken = next(each.id for each in self.networks if each.name == template.text("NAME"))
                raise Refused(INTERNAL, f"Error allocating a new virtual network. NAME is already taken by NET {taken}.")
            leases = [Lease(each["IP"]) for each in template.vectors("LEASES") if each.get("IP")]
            known = (user.id, user.gid, user.name, user.group, template.text("NAME"), template)
            self.networks.append(Network(len(self.networks), *known, leases=leases))
            return len(self.networks) - 1

    def acl_addrule(self, user: User, _whose: str, _what: str, _rights: str) -> int:
        self._only_admin(user, "ACL")
        return self._next("acl")

    @staticmethod
    def _only_admin(user: User, kind: str) -> None:
        if user.id != 0:
            raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform CREATE {kind} [-1].")

    def user_info(self, user: User, number: int) -> str:
        found = user if number < 0 else self._known({each.id: each for each in self.users.values()}, number, "user")
        if user.id not in (0, found.id):
            raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform USE USER [{number}].")
        return str(found.xml())

    def user_update(self, user: User, number: int, text: str) -> int:
        found = self._known({each.id: each for each in self.users.values()}, number, "user")
        if user.id not in (0, found.id):
            raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform MANAGE USER [{number}].")
        try:
            found.template = parse(text)
        except TemplateError as error:
            raise Refused(INTERNAL, f"Cannot update template. {error}") from None
        return number

    def user_passwd(self, user: User, number: int, password: str) -> int:
        """What locks an account of the proxy out, which goes on using the old secret."""
        found: User = self._known({each.id: each for each in self.users.values()}, number, "user")
        if user.id not in (0, found.id):
            raise Refused(AUTHORIZATION, f"User [{user.id}] : Not authorized to perform MANAGE USER [{number}].")
        found.password = password
        return number

    def group_info(self, _user: User, number: int) -> str:
        members = [user for user in self.users.values() if user.gid == number]
        if number not in range(len(GROUPS)):
            raise Refused(NO_EXISTS, f"Error getting group [{number}].")
        ids = "".join(tags(ID=user.id) for user in members)
        return f"<GROUP>{tags(ID=number, NAME=GROUPS[number])}<USERS>{ids}</USERS></GROUP>"

    def group_allocate(self, user: User, _name: str) -> int:
        self._only_admin(user, "GROUP")
        return self._next("group")


def _shown(name: str, value: float) -> object:
    return float(value) if name == "CPU" else int(value)


def _vector(key: str, value: Mapping[str, str]) -> str:
    return f"{key} = [ " + ", ".join(f'{inner} = "{text}"' for inner, text in value.items()) + " ]"


def _within(things: Sequence[Any], start: int, end: int) -> list[Any]:
    """Those of a range of numbers; without a start the end is not looked at."""
    return [each for each in things if start < 0 or start <= each.id <= (end if end >= 0 else each.id)]


def _name(template: Template, default: str, what: str) -> str:
    name = template.text("NAME") or default
    if _size(name) > LONGEST_NAME:
        raise Refused(INTERNAL, f"Error allocating a new {what}. NAME is too long; max length is {LONGEST_NAME} chars.")
    return name


def _clean(vm: Vm) -> None:
    """What a machine's record says from when it is cleaned up: the phase that it was in ends."""
    at, record = now(), vm.history[-1]
    if vm.lcm in (Lcm.PROLOG, Lcm.PROLOG_RESUME):
        record.petime = at
    elif vm.lcm in (Lcm.EPILOG, Lcm.EPILOG_STOP):
        record.eetime = at
    else:
        record.retime = at
    record.etime, record.reason, vm.lcm = at, Reason.USER, Lcm.CLEANUP


def _contextualise(vm: Vm) -> None:
    """Check what may be there once only, and complete the context."""
    what = "Error allocating a new virtual machine."
    context = _only(vm.template, "CONTEXT", dict)
    if isinstance(context, dict):
        for key, value in context.items():
            if REFUSED.search(value):
                raise Refused(INTERNAL, f"{what} ")
            context[key] = SUBSTITUTED.sub(lambda found: vm.template.text(found[1].upper()), value)
        context["TARGET"] = context.get("TARGET") or f"{DEVICE_PREFIX}b"
    _only(vm.template, "REQUIREMENTS", str)


def _only(template: Template, name: str, kind: type) -> Value | None:
    found = template.all(name)
    reason = f"Only one {name} attribute can be defined." if len(found) > 1 else ""
    if not reason and found and not isinstance(found[0], kind):
        reason = f"Wrong format for {name} attribute."
    if reason:
        raise Refused(INTERNAL, f"Error allocating a new virtual machine. {reason}")
    return found[0] if found else None


def _size(text: str) -> int:
    """Bytes, which is what all of the server's limits count."""
    return len(text.encode())


def _check_xml(made: Vm | Document, what: str, word: str) -> None:
    if not well_formed(made.xml()):
        raise Refused(INTERNAL, f"Error allocating a new {what}. Error transforming the {word} to XML.")


def _network(number: int, name: str, addresses: Sequence[str]) -> Network:
    template = Template([("PUBLIC", "YES")])
    return Network(number, 0, 0, "oneadmin", "oneadmin", name, template, (1, 1, 0, 1, 0, 0, 1, 0, 0), [Lease(ip) for ip in addresses])


@dataclass(frozen=True)
class Method:
    prefix: str
    work: Callable[..., Any]
    types: tuple[type, ...]
    helped: bool = True  # whether a program is started for it
    thing: str = ""


NINE = (int,) * 9
METHODS = {
    "one.vm.allocate": Method("VirtualMachineAllocate", Oned.vm_allocate, (str,), thing="virtual machine"),
    "one.vm.info": Method("VirtualMachineInfo", Oned.vm_info, (int,), thing="virtual machine"),
    "one.vm.action": Method("VirtualMachineAction", Oned.vm_action, (str, int), thing="virtual machine"),
    "one.vm.chmod": Method("VirtualMachineChmod", Oned.vm_chmod, (int, *NINE), thing="virtual machine"),
    "one.vm.chown": Method("VirtualMachineChown", Oned.vm_chown, (int, int, int), thing="virtual machine"),
    "one.vmpool.info": Method("VirtualMachinePoolInfo", Oned.vm_pool, (int, int, int, int), helped=False),
    "one.template.allocate": Method("TemplateAllocate", Oned.template_allocate, (str,), thing="virtual machine template"),
    "one.template.info": Method("TemplateInfo", Oned.template_info, (int,), thing="virtual machine template"),
    "one.template.update": Method("TemplateUpdateTemplate", Oned.template_update, (int, str), thing="virtual machine template"),
    "one.template.delete": Method("TemplateDelete", Oned.template_delete, (int,), thing="virtual machine template"),
    "one.template.chmod": Method("TemplateChmod", Oned.template_chmod, (int, *NINE), thing="virtual machine template"),
    "one.template.chown": Method("TemplateChown", Oned.template_chown, (int, int, int), thing="virtual machine template"),
    "one.template.instantiate": Method("TemplateInstantiate", Oned.template_instantiate, (int, str), thing="virtual machine template"),
    "one.templatepool.info": Method("TemplatePoolInfo", Oned.template_pool, (int, int, int), helped=False),
    "one.vn.info": Method("VirtualNetworkInfo", Oned.vn_info, (int,), thing="virtual network"),
    "one.vnpool.info": Method("VirtualNetworkPoolInfo", Oned.vn_pool, (int, int, int), helped=False),
    "one.host.info": Method("HostInfo", Oned.host_info, (int,), thing="host"),
    "one.hostpool.info": Method("HostPoolInfo", Oned.host_pool, (), helped=False),
    "one.host.delete": Method("HostDelete", Oned.host_delete, (int,), thing="host"),
    "one.host.allocate": Method("HostAllocate", Oned.host_allocate, (str, str, str, str, str), thing="host"),
    "one.vn.allocate": Method("VirtualNetworkAllocate", Oned.vn_allocate, (str,), thing="virtual network"),
    "one.acl.addrule": Method("AclAddRule", Oned.acl_addrule, (str, str, str), thing="ACL rule"),
    "one.user.info": Method("UserInfo", Oned.user_info, (int,), thing="user"),
    "one.user.update": Method("UserUpdateTemplate", Oned.user_update, (int, str), thing="user"),
    "one.user.passwd": Method("UserChangePassword", Oned.user_passwd, (int, str), thing="user"),
    "one.group.info": Method("GroupInfo", Oned.group_info, (int,), thing="group"),
    "one.group.allocate": Method("GroupAllocate", Oned.group_allocate, (str,), thing="group"),
}
ACTIONS: dict[str, Callable[[Oned, Vm], bool]] = {
    "finalize": Oned._finalize,
    "shutdown": Oned._shutdown,
    "cancel": lambda oned, vm: vm.running and oned._ends(vm, Lcm.CANCEL),
    "restart": Oned._restart,
    "reboot": lambda _oned, vm: vm.running,
    "hold": lambda oned, vm: oned._moved(vm, VmState.PENDING, VmState.HOLD),
    "release": lambda oned, vm: oned._moved(vm, VmState.HOLD, VmState.PENDING),
    "suspend": lambda oned, vm: oned._saved(vm, Lcm.SAVE_SUSPEND),
    "stop": lambda oned, vm: oned._saved(vm, Lcm.SAVE_STOP),
    "resume": Oned._resume,
    "resubmit": Oned._resubmit,
}
