# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test server answers as the real one was recorded, byte for byte."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import pdisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.objects import Document, History, Host, Lcm, Lease, User, Vm, VmState
from ansible_collections.sky.clusters.tests.clouds.stratuslab.oned import Fault, _network
from ansible_collections.sky.clusters.tests.clouds.stratuslab.pdisk import Asked, Disk, Pdisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.clouds.stratuslab.template import Template, TemplateError, Value, parse

ALICE = "alice:" + "a" * 40
Record = Callable[[str], str]


def template_of(element: ElementTree.Element) -> Template:
    def value(child: ElementTree.Element) -> Value:
        return {inner.tag: inner.text or "" for inner in child} if len(child) else child.text or ""

    return Template([(child.tag, value(child)) for child in element])


def owned(element: ElementTree.Element) -> dict[str, object]:
    found: dict[str, object] = {tag.lower(): int(element.findtext(tag, "0")) for tag in ("ID", "UID", "GID")}
    found |= {tag.lower(): element.findtext(tag, "") for tag in ("UNAME", "GNAME", "NAME")}
    rights = element.find("PERMISSIONS")
    assert rights is not None
    return found | {"rights": tuple(int(right.text or "0") for right in rights), "template": template_of(element.find("TEMPLATE") or element)}


def vm_of(element: ElementTree.Element) -> Vm:
    """A machine as the server would keep it."""
    history = []
    for each in element.iterfind("HISTORY_RECORDS/HISTORY"):
        host = Host(int(each.findtext("HID", "0")), each.findtext("HOSTNAME", ""), each.findtext("VMMMAD", ""), each.findtext("TMMAD", ""))
        numbers = {f.name: int(each.findtext(f.name.upper(), "0")) for f in dataclasses.fields(History) if f.name != "host"}
        history.append(History(host, **numbers))
    return Vm(
        **owned(element), state=VmState(int(element.findtext("STATE", "0"))), lcm=Lcm(int(element.findtext("LCM_STATE", "0"))),  # type: ignore[arg-type]
        stime=int(element.findtext("STIME", "0")), etime=int(element.findtext("ETIME", "0")), last_poll=int(element.findtext("LAST_POLL", "0")),
        deploy_id=element.findtext("DEPLOY_ID", ""), history=history,
    )  # fmt: skip


def same(text: str) -> str:
    """Without what differs between the machines that were recorded: where files are, and what a dummy driver counts."""
    text = re.sub(r"<VM_DIR>[^<]*</VM_DIR>", "<VM_DIR>/var/lib/one/</VM_DIR>", text)
    return re.sub(r"<NET_TX>\d+</NET_TX>", "<NET_TX>0</NET_TX>", text)


@pytest.mark.parametrize(
    "name", ["vm_info_failed", "vm_info_running_or_done", "vm_info_cloudinit_pdisk", "vm_info_create_image", "vm_info_done_custom_attributes"]
)
def test_a_machine_is_shown_as_recorded(record: Record, name: str) -> None:
    text = record(f"{name}.xml")
    assert vm_of(ElementTree.fromstring(text)).xml() == same(text)


@pytest.mark.parametrize("name", ["vmpool_info_custom_attributes", "vmpool_info_state6_tail"])
def test_machines_are_listed_as_recorded(record: Record, name: str) -> None:
    text = record(f"{name}.xml")
    assert f"<VM_POOL>{''.join(vm_of(each).xml() for each in ElementTree.fromstring(text))}</VM_POOL>" == same(text)


def test_templates_are_listed_as_recorded(record: Record) -> None:
    text = record("templatepool_info.xml")
    shown = [Document(**owned(each), regtime=int(each.findtext("REGTIME", "0"))).xml() for each in ElementTree.fromstring(text)]  # type: ignore[arg-type]
    assert f"<VMTEMPLATE_POOL>{''.join(shown)}</VMTEMPLATE_POOL>" == text


def test_networks_are_shown_as_recorded(record: Record) -> None:
    text = record("vn_info_public.xml")
    assert _network(0, "public", [f"10.0.0.{number}" for number in range(2, 12)]).xml(leases=True) == text
    names = {"public": ["10.0.0.2"], "local": ["10.1.0.2"], "private": ["10.2.0.2"]}
    networks = [_network(place, name, addresses) for place, (name, addresses) in enumerate(names.items())]
    networks[2].leases = [Lease("10.2.0.2", vid=7)]
    assert f"<VNET_POOL>{''.join(each.xml(leases=False) for each in networks)}</VNET_POOL>" == record("vnpool_info.xml")


def test_hosts_are_listed_as_recorded(record: Record) -> None:
    vm = Vm(1, 0, 0, "", "", "x", Template([("CPU", "1"), ("MEMORY", "1536")]))
    hosts = [Host(place, f"dummyhost{place + 1}", monitored=1795168210, cpu=800, memory=16777216) for place in range(2)]
    shown = [hosts[0].xml([]), hosts[1].xml([vm])]
    assert f"<HOST_POOL>{''.join(shown)}</HOST_POOL>" == record("hostpool_info.xml")


def test_an_account_is_shown_as_recorded(record: Record) -> None:
    user = User(6, 1, "users", "recorder", "a" * 40, Template([("SKY_NOTE", "one small text per account")]))
    assert user.xml() == record("user_info_template.xml")


def test_a_disk_is_shown_as_recorded(record: Record) -> None:
    shown = Disk("29eca93d-3832-4721-bfe4-3d15a6efa2df", "test-disk", "cal", 1, "MACHINE_IMAGE_LIVE").shown()
    del shown["identifier"]  # which is missing in answers of that time
    assert pdisk.dumped(shown) == f"{record('pdisk_disk.json')}\n".replace("\n", "\r\n").encode()  # as it came


def call(site: Site, method: str, *params: object) -> list[object]:
    return list(site.oned.call(method, [ALICE, *params]))


def test_refusals_are_in_the_words_of_the_server(site: Site) -> None:
    network = 'NIC = [ NETWORK = "nowhere" ]'
    assert call(site, "one.vm.info", 9999) == [False, "[VirtualMachineInfo] Error getting virtual machine [9999].", 1024]
    assert call(site, "one.vm.action", "finalize", 9999) == [False, "[VirtualMachineAction] Error getting virtual machine [9999].", 1024]
    assert call(site, "one.vm.allocate", network) == [
        False, "[VirtualMachineAllocate] Error allocating a new virtual machine. Could not get virtual network for VM.", 8192,
    ]  # fmt: skip
    restricted = 'NIC = [ NETWORK = "public", VLAN_ID = 3 ]'
    assert call(site, "one.vm.allocate", restricted)[1] == (
        "[VirtualMachineAllocate] Error allocating a new virtual machine. VM Template includes a restricted attribute NIC/VLAN_ID."
    )
    (ok, number, _code) = call(site, "one.vm.allocate", "")
    assert ok
    assert call(site, "one.vm.action", "explode", number) == [
        False, "[VirtualMachineAction] Internal error. Action result not defined", 8192,
    ]  # fmt: skip
    assert call(site, "one.vm.action", "resume", number) == [False, "[VirtualMachineAction] Wrong state to perform action", 2048]
    assert site.oned.call("one.vm.info", ["bob:" + "a" * 40, number]) == [
        False, f"[VirtualMachineInfo] User [{site.oned.users['bob'].id}] : Not authorized to perform USE VM [{number}].", 512,
    ]  # fmt: skip
    assert site.oned.call("one.vm.info", ["alice:wrong", number]) == [
        False, "[VirtualMachineInfo] User couldn't be authenticated, aborting call.", 256,
    ]  # fmt: skip


def test_quotas_are_refused_in_the_words_of_the_server(site: Site) -> None:
    call(site, "one.vmpool.info", -3, -1, -1, -1)
    user = site.oned.users["alice"]
    for vm in site.oned.vms.values():
        call(site, "one.vm.action", "finalize", vm.id)
    user.quota = {"CPU": 2.0, "MEMORY": 1024.0}
    try:
        said = call(site, "one.vm.allocate", "CPU = 4\nMEMORY = 4096\n")
    finally:
        user.quota = {}
    over = ["CPU quota exceeded (Quota: 2.0, Used: 0.0, Requested: 4.0)", "MEMORY quota exceeded (Quota: 1024, Used: 0, Requested: 4096)"]
    assert said == [
        False,
        f"[VirtualMachineAllocate] User [{user.id}] : {'; '.join(over)}.",
        512,
    ]


def test_a_name_of_a_template_is_taken_once(site: Site) -> None:
    (_ok, number, _code) = call(site, "one.template.allocate", 'NAME = "once"')
    assert call(site, "one.template.allocate", 'NAME = "once"') == [
        False, f"[TemplateAllocate] Error allocating a new virtual machine template. NAME is already taken by TEMPLATE {number}.", 8192,
    ]  # fmt: skip
    assert call(site, "one.template.delete", number) == [True, number, 0]
    assert call(site, "one.template.info", number) == [False, f"[TemplateInfo] Error getting virtual machine template [{number}].", 1024]


def test_faults_of_xml_rpc(site: Site) -> None:
    for method, params, code in (("one.vm.info", ["7"], -501), ("one.vm.info", [], -501), ("one.document.allocate", [], -506)):
        with pytest.raises(Fault) as fault:
            call(site, method, *params)
        assert fault.value.code == code


def test_templates_are_read_as_there() -> None:
    read = parse('CPU = 1\nname="a \\"b\\""\n# nothing\nDISK = [ type = swap, size = 512 ]\nDISK=[TYPE="fs"]\nE=""\nK = [ a = "x\ny", b = y ]')
    assert read.items[:4] == [("CPU", "1"), ("NAME", 'a "b"'), ("DISK", {"TYPE": "swap", "SIZE": "512"}), ("DISK", {"TYPE": "fs"})]
    assert read.items[4:] == [("E", '""'), ("K", {"A": "x\ny", "B": "y"})]
    with pytest.raises(TemplateError, match=r"^Parse error: syntax error, unexpected \$end, expecting COMMA or CBRACKET at line 2, columns 18:19$"):
        parse('CPU = 1\nNIC = [ a = "abc"')


def test_a_machine_that_is_halted_is_unknown_until_it_is_killed(site: Site) -> None:
    (_ok, number, _code) = call(site, "one.vm.allocate", 'NIC = [ NETWORK = "public", IP = "10.0.4.7" ]')
    vm = site.oned.vms[int(str(number))]
    assert "<IP><![CDATA[10.0.4.7]]></IP>" in str(call(site, "one.vm.info", number)[1])  # at once, though it is pending
    _until(lambda: vm.running)
    site.nodes.halted.add(vm.id)
    _until(lambda: vm.lcm is Lcm.UNKNOWN)
    call(site, "one.vm.action", "finalize", number)
    _until(lambda: vm.state is VmState.DONE)
    assert call(site, "one.vm.action", "finalize", number) == [True, number, 0]
    assert f"<ID>{number}</ID>" not in str(call(site, "one.vmpool.info", -3, -1, -1, -1)[1])
    assert f"<ID>{number}</ID>" in str(call(site, "one.vm.info", number)[1])


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_disks_refuse_in_the_words_of_the_service(tmp_path: Path) -> None:
    service = Pdisk(tmp_path, "https://pdisk.example.org/pdisk")

    def ask(method: str, path: str, body: str = "", user: str = "alice", **query: str) -> tuple[int, str]:
        answer = service.answer(Asked(user, method, path, query, body.encode(), "application/x-www-form-urlencoded", "application/json"))
        return answer.status, answer.value.get("message", "") if isinstance(answer.value, dict) else json.dumps(answer.value)

    assert ask("POST", "disks", "size=0&tag=x") == (400, "Size must be an integer between 1 and 1024")
    assert ask("POST", "disks", "size=abc") == (400, 'Error parsing size: For input string: "abc"')
    assert ask("POST", "disks", "size=1000&tag=big")[0] == 201
    (disk,) = list(service.disks)
    assert json.loads(ask("GET", "disks")[1])[0]["size"] == "1,000"
    assert ask("GET", f"disks/{disk}", user="bob") == (403, f"insufficient access rights to view disk ({disk})")
    assert ask("GET", "disks/none") == (404, "disk (none) does not exist")
    assert ask("GET", "disks/none/mounts") == (404, "Unknown disk: none")
    assert ask("POST", f"disks/{disk}/mounts", "node=h1") == (400, "missing vm_id attribute")
    assert ask("POST", f"disks/{disk}/mounts", "vm_id=7") == (400, "missing node attribute")
    assert ask("POST", f"disks/{disk}/mounts", "node=h1&vm_id=7&register_only=true")[0] == 200
    assert ask("POST", f"disks/{disk}/mounts", "node=h1&vm_id=7") == (403, f"Mount already exists for: 7 and {disk}")
    assert ask("DELETE", f"disks/{disk}") == (409, f"disk ({disk}) is in use and can't be deleted")
    assert ask("DELETE", f"disks/{disk}/mounts/{disk}_8") == (404, "The server has not found anything matching the request URI")
    assert ask("POST", f"disks/{disk}") == (409, "Invalid disk state: DATA_IMAGE_RAW_READ_WRITE. Cannot create copy or save as new image.")
    assert ask("DELETE", f"disks/{disk}/mounts/{disk}_7")[0] == 200
    assert ask("DELETE", f"disks/{disk}")[0] == 200
