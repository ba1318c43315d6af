# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test server answers as the real one was recorded, byte for byte."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlsec
from lxml import etree

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.disk import Disk as NodeDisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab import lxc, pdisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.front import java_quoted
from ansible_collections.sky.clusters.tests.clouds.stratuslab.marketplace import NS, Entry, InvalidMetadata, Marketplace, stamp, validate
from ansible_collections.sky.clusters.tests.clouds.stratuslab.objects import Document, History, Host, Lcm, Lease, Reason, User, Vm, VmState
from ansible_collections.sky.clusters.tests.clouds.stratuslab.oned import Fault, Settings, _network
from ansible_collections.sky.clusters.tests.clouds.stratuslab.pdisk import Asked, BackendError, Disk, Pdisk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Plan, Site, running
from ansible_collections.sky.clusters.tests.clouds.stratuslab.template import Template, TemplateError, Value, parse
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import RECORDS

ALICE = "alice:" + "a" * 40
REAL = "GygG1_V4OyfIx5PIRBuXdNBfuDZ"
Record = Callable[[str], str]


def template_of(element: ElementTree.Element) -> Template:
    def value(child: ElementTree.Element) -> Value:
        return {inner.tag: inner.text or "" for inner in child} if len(child) else child.text or ""

    return Template([(child.tag, value(child)) for child in element])


def owned(element: ElementTree.Element) -> dict[str, object]:
    found: dict[str, object] = {tag.lower(): int(element.findtext(tag, "0")) for tag in ("ID", "UID", "GID")}
    found |= {tag.lower(): element.findtext(tag, "") for tag in ("UNAME", "GNAME", "NAME")}
    rights = element.find("PERMISSIONS")
    template = element.find("TEMPLATE")
    assert rights is not None
    assert template is not None
    return found | {"rights": tuple(int(right.text or "0") for right in rights), "template": template_of(template)}


def vm_of(element: ElementTree.Element) -> Vm:
    """A machine as the server would keep it."""
    history = []
    for each in element.iterfind("HISTORY_RECORDS/HISTORY"):
        host = Host(int(each.findtext("HID", "0")), each.findtext("HOSTNAME", ""), each.findtext("VMMMAD", ""), each.findtext("TMMAD", ""))
        numbers = {f.name: int(each.findtext(f.name.upper(), "0")) for f in dataclasses.fields(History) if f.name not in ("host", "reason")}
        history.append(History(host, **numbers, reason=Reason(int(each.findtext("REASON", "0")))))
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
    restricted = 'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "public", VLAN_ID = 3 ]'
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
    (_ok, number, _code) = call(site, "one.vm.allocate", 'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "public", IP = "10.0.4.7" ]')
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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Site]:
    """A site of its own, where nothing is placed."""
    with running(tmp_path, Plan(settings=Settings(tick=600))) as made:
        yield made


ALLOCATING = "[VirtualMachineAllocate] Error allocating a new virtual machine."
REFUSED = {
    "an image of OpenNebula": ("DISK = [ IMAGE_ID = 99 ]", f"{ALLOCATING} Could not get disk image for VM.", 8192),
    "an address twice": (
        'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "public", IP = "10.0.0.2" ]\n' * 2,
        f"{ALLOCATING} Could not get virtual network for VM.",
        8192,
    ),
    "an address of another network": (
        'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "public", IP = "10.1.0.2" ]',
        f"{ALLOCATING} Could not get virtual network for VM.",
        8192,
    ),
    "a name that is too long": (f'NAME = "{"x" * 129}"', f"{ALLOCATING} NAME is too long; max length is 128 chars.", 8192),
    "a name of too many bytes": (f'NAME = "{"é" * 65}"', f"{ALLOCATING} NAME is too long; max length is 128 chars.", 8192),
    "a name that is no XML": ('NAME = "a<b"', f"{ALLOCATING} Error transforming the VM to XML.", 8192),
    "two contexts": ("CONTEXT = [ A = 1 ]\n" * 2, f"{ALLOCATING} Only one CONTEXT attribute can be defined.", 8192),
    "a context that is none": ("CONTEXT = x", f"{ALLOCATING} Wrong format for CONTEXT attribute.", 8192),
    "a network of somebody else": ('NIC = [ NETWORK = "public" ]', f"{ALLOCATING} Could not get virtual network for VM.", 8192),
    "a word of the shell": ('CONTEXT = [ A = "$(date)" ]', f"{ALLOCATING} ", 8192),  # without a reason
    "a text of too many bytes": (f'A = "{"é" * 49_000}"', "[VirtualMachineAllocate] User [2] : Auth request timeout.", 512),
    "a text that is too long": (f'A = "{"x" * 98_000}"', "[VirtualMachineAllocate] User [2] : Auth request timeout.", 512),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_machine_that_is_refused_leaves_nothing(server: Site, name: str) -> None:
    text, reason, code = REFUSED[name]
    network = 'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "local" ]\n'
    assert call(server, "one.vm.allocate", network + text) == [False, reason, code]
    assert (server.oned.vms, [lease for each in server.oned.networks for lease in each.leases if lease.vid >= 0]) == ({}, [])


def test_a_context_knows_the_attributes_of_its_machine(server: Site) -> None:
    call(server, "one.vm.allocate", 'NAME = "x"\nCONTEXT = [ A = "$NAME-$VMID $NOTHING", B = "a$" ]')
    assert server.oned.vms == {}  # for the last of B
    (_ok, number, _code) = call(server, "one.vm.allocate", 'NAME = "x"\nCONTEXT = [ A = "$NAME-$VMID$NOTHING." ]\nB = "$NAME"')
    shown = str(call(server, "one.vm.info", number)[1])
    assert f"<A><![CDATA[x-{number}.]]></A>" in shown
    assert "<B><![CDATA[$NAME]]></B>" in shown
    assert "<TARGET><![CDATA[hdb]]></TARGET></CONTEXT>" in shown  # where none is asked for


def test_a_card_without_a_network_is_left_as_it_is_and_a_number_names_a_network(server: Site) -> None:
    (_ok, number, _code) = call(server, "one.vm.allocate", 'NIC = [ MODEL = "virtio" ]\nNIC = [ NETWORK_ID = 1 ]')
    first, second = server.oned.vms[int(str(number))].template.vectors("NIC")
    assert first == {"MODEL": "virtio"}
    assert (second["NETWORK"], second["IP"]) == ("local", server.oned.networks[1].leases[0].ip)


def test_whose_machines_are_listed(server: Site) -> None:
    """By the right to use them, if they are somebody else's."""
    numbers = [call(server, "one.vm.allocate", f'NAME = "{name}"')[1] for name in ("mine", "shared", "public")]
    keep = (-1,) * 3
    call(server, "one.vm.chmod", numbers[1], *keep, 1, -1, -1, *keep)
    call(server, "one.vm.chmod", numbers[2], *keep, *keep, 1, -1, -1)
    alice = server.oned.users["alice"].id
    for which, wanted in ((-3, []), (-1, [1]), (-2, [1, 2]), (alice, [1, 2])):
        (_ok, text, _code) = server.oned.call("one.vmpool.info", [f"bob:{'a' * 40}", which, -1, -1, -1])
        assert [int(found) for found in re.findall(r"<VM><ID>(\d+)<", text)] == [numbers[place] for place in wanted]
    assert str(call(server, "one.vmpool.info", -1, -1, -1, -1)[1]).count("<VM>") == 3
    assert server.oned.call("one.vmpool.info", ["oneadmin:password", -2, -1, -1, -1])[1].count("<VM>") == 3


def test_a_helper_needs_one_of_the_fifteen_connections(tmp_path: Path) -> None:
    """As many calls as there are connections wait for their helpers, and all fail."""
    with running(tmp_path, Plan(settings=Settings(helper=0.01, helper_patience=1.0, tick=600))) as made, ThreadPoolExecutor(15) as pool:
        call(made, "one.vm.allocate", "")
        together = threading.Barrier(15)

        def wait(*_arguments: object) -> User:
            together.wait(10)
            return made.oned.users["alice"]

        made.oned._user = wait  # type: ignore[assignment]
        said = list(pool.map(lambda _number: made.oned.call("one.vm.info", [ALICE, 0]), range(15)))
    refused = [False, "[VirtualMachineInfo] User [2] not authorized to perform action on virtual machine.", 512]
    assert said.count(refused) >= 1


@pytest.mark.skipif(os.geteuid() != 0, reason="files of a machine belong to its root")
def test_the_context_disk_has_all_its_files(tmp_path: Path) -> None:
    lxc._contextualise(NodeDisk(tmp_path / "upper", tmp_path / "image"), [{"PUBLIC_KEY": "ssh-rsa AAAA me\n", "A": "b"}])
    disk = tmp_path / "upper/mnt/stratuslab"
    assert sorted(path.name for path in disk.iterdir()) == ["context.sh", "epilog.sh", "init.sh", "prolog.sh"]
    assert (disk / "context.sh").read_text() == 'A="b"\nPUBLIC_KEY="ssh-rsa AAAA me\n"\n'
    for name in ("init.sh", "prolog.sh", "epilog.sh"):
        subprocess.run(["sh", "-n", str(disk / name)], check=True)


def test_what_xml_cannot_hold_is_a_fault(server: Site) -> None:
    for text in ("\x07", "\U0001f600", "]]>"):
        with pytest.raises(Fault) as fault:
            call(server, "one.template.allocate", f'NAME = "n"\nA = "{text}"')
        assert fault.value.code == -503


def test_a_template_that_becomes_bad_xml_is_shown_and_the_pool_keeps_the_old_one(server: Site) -> None:
    (_ok, number, _code) = call(server, "one.template.allocate", 'NAME = "n"\nA = "old"')
    assert call(server, "one.template.update", number, '1A = "new"') == [True, number, 0]
    assert "<1A><![CDATA[new]]></1A>" in str(call(server, "one.template.info", number)[1])
    assert "<A><![CDATA[old]]></A>" in str(call(server, "one.templatepool.info", -3, -1, -1)[1])
    assert call(server, "one.template.update", number, 'A = "newer"') == [True, number, 0]
    assert "<A><![CDATA[newer]]></A>" in str(call(server, "one.templatepool.info", -3, -1, -1)[1])


@pytest.mark.parametrize("content", [pytest.param("x" * 66_000, id="of one byte each"), pytest.param("é" * 33_000, id="of two bytes each")])
def test_an_object_that_mysql_cuts_damages_the_list_and_cannot_be_read_or_deleted(server: Site, content: str) -> None:
    (_ok, number, _code) = call(server, "one.template.allocate", f'NAME = "n"\nA = "{content}"')
    listed = str(call(server, "one.templatepool.info", -3, -1, -1)[1])
    assert listed.endswith(f"{content[:3]}</VMTEMPLATE_POOL>")
    assert 65_530 < len(listed.encode()) - len("<VMTEMPLATE_POOL></VMTEMPLATE_POOL>") <= 65_535
    for method, prefix in (("info", "TemplateInfo"), ("delete", "TemplateDelete")):
        said = [False, f"[{prefix}] Error getting virtual machine template [{number}].", 1024]
        assert call(server, f"one.template.{method}", number) == said


def test_the_other_methods_of_the_old_client(server: Site) -> None:
    root = "oneadmin:password"
    for method in ("delete", "info"):
        assert call(server, f"one.host.{method}", 7) == [False, f"[Host{method.title()}] Error getting host [7].", 1024]
    made = server.oned.call("one.host.allocate", [root, "dummyhost3", "im_dummy", "vmm_dummy", "dummy", "tm_dummy", "default"])
    assert made == [True, 2, 0]  # whatever is too much is ignored
    assert call(server, "one.host.delete", 2)[2] == 512
    assert server.oned.call("one.host.delete", [root, 2]) == [True, 2, 0]
    assert str(call(server, "one.hostpool.info")[1]).count("<HOST>") == 2
    assert call(server, "one.group.info", 1)[1] == "<GROUP><ID>1</ID><NAME>users</NAME><USERS><ID>2</ID></USERS></GROUP>"
    assert call(server, "one.group.allocate", "g")[2] == 512
    assert call(server, "one.acl.addrule", "#2", "VM", "USE")[2] == 512
    for method in ("one.group.update", "one.document.info", "one.vm.update", "one.vm.rename", "one.vm.attach"):
        with pytest.raises(Fault) as fault:
            call(server, method, 1)
        assert fault.value.code == -506
    assert call(server, "one.vmpool.info", -4, -1, -1, -1)[2] == call(server, "one.vmpool.info", -3, -1, -1, 8)[2] == 4096
    assert call(server, "one.user.passwd", 2, "other") == [True, 2, 0]
    assert call(server, "one.vnpool.info", -2, -1, -1)[2] == 256  # the proxy goes on with the old secret


def test_what_one_has_cannot_be_given_away(server: Site) -> None:
    (_ok, vm, _code), (_ok, document, _code) = call(server, "one.vm.allocate", ""), call(server, "one.template.allocate", 'NAME = "t"')
    server.oned.call("one.vmpool.info", ["bob:secret", -3, -1, -1, -1])
    alice, bob = (server.oned.users[name].id for name in ("alice", "bob"))
    for kind, prefix, number in (("vm", "VirtualMachineChown", vm), ("template", "TemplateChown", document)):
        said = f"[{prefix}] User [{alice}] : Not authorized to perform"
        assert call(server, f"one.{kind}.chown", number, bob, -1) == [False, f"{said} MANAGE USER [{bob}].", 512]
        assert call(server, f"one.{kind}.chown", number, -1, 0) == [False, f"{said} USE GROUP [0].", 512]
        assert call(server, f"one.{kind}.chown", number, alice, 1) == [True, number, 0]
    assert server.oned.call("one.template.chown", ["oneadmin:password", document, bob, -1]) == [True, document, 0]
    assert call(server, "one.template.delete", document)[2] == 512
    assert server.oned.call("one.template.delete", ["bob:secret", document]) == [True, document, 0]


def test_a_machine_that_is_cancelled_ends(site: Site) -> None:
    (_ok, number, _code) = call(site, "one.vm.allocate", "")
    vm = site.oned.vms[int(str(number))]
    _until(lambda: vm.running)
    with site.oned._work[vm.id]:
        assert call(site, "one.vm.action", "cancel", number) == [True, number, 0]
        assert (vm.state, vm.lcm) == (VmState.ACTIVE, Lcm.CANCEL)
    _until(lambda: vm.state is VmState.DONE)


def _running(site: Site, text: str = "") -> Vm:
    (_ok, number, _code) = call(site, "one.vm.allocate", text)
    vm = site.oned.vms[int(str(number))]
    _until(lambda: vm.running)
    return vm


def _times(vm: Vm) -> list[tuple[str, str]]:
    """Of each record the reason, and which phases began and ended."""
    phases = ("pstime", "petime", "rstime", "retime", "estime", "eetime", "etime")
    return [(record.reason.name, " ".join(name for name in phases if getattr(record, name))) for record in vm.history]


ENDS = {
    "shutdown": ("NONE", "pstime petime rstime retime estime eetime etime"),
    "cancel": ("CANCEL", "pstime petime rstime retime estime eetime etime"),
    "finalize": ("USER", "pstime petime rstime retime etime"),
}


@pytest.mark.parametrize("action", ENDS)
def test_the_record_of_a_machine_says_how_it_ended(site: Site, action: str) -> None:
    vm = _running(site)
    call(site, "one.vm.action", action, vm.id)
    _until(lambda: vm.state is VmState.DONE)
    assert _times(vm) == [ENDS[action]]


def test_the_record_of_a_machine_that_failed_ends_in_the_phase_that_it_was_in(site: Site) -> None:
    for text, phases in (('DISK = [ SOURCE = "pdisk:none" ]', "pstime petime etime"), ("", "pstime petime rstime retime etime")):
        site.oned.injected.deploys = [] if text else ["injected"]
        (_ok, number, _code) = call(site, "one.vm.allocate", text)
        vm = site.oned.vms[int(str(number))]
        _until(lambda vm=vm: vm.state is VmState.FAILED)  # type: ignore[misc]
        assert _times(vm) == [("ERROR", phases)]
        call(site, "one.vm.action", "finalize", number)
        _until(lambda vm=vm: vm.state is VmState.DONE)  # type: ignore[misc]
        assert _times(vm) == [("ERROR", phases)]


def test_a_machine_that_was_stopped_is_placed_again_and_one_that_was_suspended_goes_on(site: Site) -> None:
    vm = _running(site)
    assert call(site, "one.vm.action", "stop", vm.id) == [True, vm.id, 0]
    _until(lambda: vm.state is VmState.STOPPED)
    saved = "pstime petime rstime retime estime eetime etime"
    assert _times(vm) == [("STOP_RESUME", saved)]
    assert call(site, "one.vm.action", "resume", vm.id) == [True, vm.id, 0]
    _until(lambda: vm.running)
    assert _times(vm) == [("STOP_RESUME", saved), ("NONE", "pstime petime rstime")]
    assert call(site, "one.vm.action", "suspend", vm.id) == [True, vm.id, 0]
    _until(lambda: vm.state is VmState.SUSPENDED)
    assert call(site, "one.vm.action", "resubmit", vm.id)[2] == 2048
    assert call(site, "one.vm.action", "resume", vm.id) == [True, vm.id, 0]
    _until(lambda: vm.running)
    assert _times(vm)[1:] == [("STOP_RESUME", "pstime petime rstime retime etime"), ("NONE", "rstime")]
    call(site, "one.vm.action", "finalize", vm.id)


def test_a_machine_is_placed_again_from_its_image(site: Site) -> None:
    vm = _running(site)
    assert call(site, "one.vm.action", "resubmit", vm.id) == [True, vm.id, 0]
    _until(lambda: len(vm.history) == 2 and vm.running)
    assert _times(vm) == [("USER", "pstime petime rstime retime etime"), ("NONE", "pstime petime rstime")]
    call(site, "one.vm.action", "finalize", vm.id)
    _until(lambda: vm.state is VmState.DONE)
    assert call(site, "one.vm.action", "resubmit", vm.id)[2] == 2048


@pytest.mark.parametrize(
    ("subject", "session"),
    [("CN=Jane Tester,OU=X", "CN%3DJane+Tester%2COU%3DX"), ("a*b~c_d-e.f", "a*b%7Ec_d-e.f"), ("böb@x", "b%C3%B6b%40x")],
)
def test_the_proxy_encodes_names_as_java_does(subject: str, session: str) -> None:
    assert java_quoted(subject) == session


@pytest.mark.parametrize("header", ["", "Basic nonsense", "Basic YWxpY2U6d3Jvbmc=", "Bearer x"])
def test_the_proxy_and_the_disk_service_refuse_whom_they_do_not_know(site: Site, header: str) -> None:
    for path in ("/one-proxy/pswd/xmlrpc", "/pdisk/pswd/disks"):
        request = urllib.request.Request(f"{site.plain}{path}", b"<methodCall/>", {"Authorization": header} if header else {})
        with pytest.raises(urllib.error.HTTPError) as error, urllib.request.build_opener().open(request):
            pass
        assert (error.value.code, error.value.headers["WWW-Authenticate"]) == (401, 'basic realm="StratusLab Password Realm"')
        error.value.close()


def test_the_disk_service_reports_what_its_backend_says(tmp_path: Path) -> None:
    """A disk that cannot be attached is reported; one that cannot be detached is not, and its mount is gone."""

    def attach(vm: str, _target: str, _file: Path, _what: str) -> None:
        raise BackendError(f"no domain one-{vm}")

    service = Pdisk(tmp_path, "https://pdisk.example.org/pdisk", attach)
    service.disks["u"] = Disk("u", "t", "alice", 1, mounts={"7": "vdz"})

    def ask(method: str, path: str, body: str = "") -> tuple[int, object]:
        answer = service.answer(Asked("alice", method, path, {}, body.encode(), "application/x-www-form-urlencoded", "application/json"))
        return answer.status, answer.value

    assert ask("POST", "disks/u/mounts", "node=h&vm_id=8") == (500, {"message": "no domain one-8", "code": 500})
    assert list(service.disks["u"].mounts) == ["7"]
    detached = {"diskId": "u", "mountId": "u_7", "vmId": "7", "target": "vdz"}
    assert ask("DELETE", "disks/u/mounts/u_7") == (200, detached)
    assert service.disks["u"].mounts == {}
    for size in ("1_0", " 1", "", "1.5"):
        assert ask("POST", "disks", f"size={size}")[0] == 400
    assert ask("POST", "disks", "size=1&type=NONE")[0] == 500
    assert ask("GET", "instances/7") == (200, None)


def test_a_machine_that_does_not_run_gets_no_disk(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="failed to get domain 'one-9999'"):
        site.nodes.change("9999", "vdz", tmp_path, "attach")


@pytest.mark.parametrize(("names", "later"), [("vda vdb", "vdc"), ("hda hdb", "vda"), ("sda vda", "vdb")])
def test_a_disk_that_is_attached_later_is_of_virtio_to_the_guest(site: Site, names: str, later: str) -> None:
    disks = [("DISK", {"TARGET": name}) for name in names.split()]
    assert site.nodes._next_letter(Vm(9998, 2, 1, "alice", "users", "x", Template(list(disks)))) == later


class Shop:
    """A Marketplace, asked as over HTTP."""

    def __init__(self) -> None:
        self.marketplace = Marketplace("https://mp.example.org")

    def ask(
        self, method: str, path: str, body: bytes = b"", accept: str = "application/xml", kind: str = "application/rdf+xml", **query: str
    ) -> tuple[int, str]:
        answer = self.marketplace.answer(method, path, query, accept, body, kind)
        return answer.status, answer.body.decode() or answer.location

    def error(self, text: str) -> str:
        return f'<?xml version="1.0" encoding="UTF-8"?><error>{text}</error>'


SIGNED = (RECORDS / "signed_by_real_tool.xml").read_bytes()


def test_what_the_marketplace_refuses() -> None:
    shop = Shop()
    broken = shop.ask("POST", "metadata", SIGNED.replace(b"ttylinux", b"other"))
    assert broken == (400, shop.error("invalid metadata: invalid signature"))
    assert shop.ask("POST", "metadata", b"") == (400, shop.error("post with null entity"))
    assert shop.ask("GET", "metadata/GygG1_V4OyfIx5PIRBuXdNBfuDZ/a@b.org/2026-11-20T09:45:08Z") == (404, shop.error("metadata entry not found."))
    assert shop.ask("POST", "elsewhere", SIGNED)[0] == 404
    assert shop.ask("GET", "metadata/GygG1_V4OyfIx5PIRBuXdNBfuDZ") == (404, shop.error("no metadata matching query found"))
    assert shop.ask("POST", "metadata", SIGNED, kind="text/plain; charset=utf-8") == (415, shop.error("text/plain"))
    assert shop.ask("POST", "metadata", b"--b--", kind="multipart/form-data; boundary=b") == (400, shop.error("no valid file uploaded"))
    shop.marketplace._validates = True
    assert shop.ask("POST", "metadata", SIGNED) == (202, "confirmation email sent for new metadata entry\n")
    assert shop.ask("POST", "metadata", b"<x/>")[0] == 400  # nobody is asked about what is invalid
    assert shop.marketplace.entries == []
    shop.marketplace.read_only = True
    assert shop.ask("POST", "metadata", SIGNED) == (403, shop.error("read-only repository"))
    assert shop.ask("POST", "metadata", SIGNED, accept="application/json") == (403, '{"403": "read-only repository"}')


def test_only_an_older_entry_is_refused() -> None:
    shop = Shop()
    known = (REAL, "jane.tester@example.org")
    shop.marketplace.entries = [Entry("<later/>", *known, "2026-11-20T09:45:09Z", {})]
    assert shop.ask("POST", "metadata", SIGNED) == (400, shop.error("invalid metadata: older than latest entry"))
    shop.marketplace.entries = [Entry("<as late/>", *known, "2026-11-20T09:45:08Z", {})]
    assert shop.ask("POST", "metadata", SIGNED) == (201, "metadata entry created")
    assert [entry.text[:8] for entry in shop.marketplace.entries] == ["<rdf:RDF"]  # whose file took the place of the other's


def test_entries_of_an_endorser_of_the_last_days() -> None:
    shop = Shop()
    for days in (1, 20):
        values = {"dcterms:description": f"{days} days old", "slterms:location": "https://example.org/x"}
        shop.marketplace.entries.append(Entry("<e/>", f"i{days}", "a@b.org", stamp(days), values))
    (_status, text) = shop.ask("GET", "endorsers/a@b.org", range="7")
    cells = re.findall(r'<binding name="(\w+)"><literal>([^<]*)<', text)
    assert cells == [
        ("identifier", "i1"), ("created", stamp(1)), ("description", "1 days old"), ("location", "https://example.org/x"), ("email", "a@b.org"),
    ]  # fmt: skip
    assert shop.ask("GET", "endorsers/a@b.org")[1].count("<result>") == 2


def test_a_form_with_metadata_is_read() -> None:
    shop = Shop()
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.xml"\r\nContent-Type: application/xml\r\n\r\n'
    body = head + SIGNED + b"\r\n--b--\r\n"
    assert shop.ask("POST", "metadata", body, kind="multipart/form-data; boundary=b")[0] == 201
    shown = shop.ask("GET", "endorsers")[1]
    assert shown.count("<literal>jane.tester@example.org</literal>") == 1
    assert re.findall(r'<variable name="(\w+)"/>', shown) == ["email", "subject", "issuer"]
    assert '<binding name="subject"><literal>CN=Jane Tester,OU=Testing Department,O=StratusLab Project,C=EU</literal>' in shown
    assert shop.ask("GET", "endorsers/eve@example.org")[1].endswith("<results></results></sparql>")


def test_a_tag_is_of_the_newest_entry_that_is_not_deprecated() -> None:
    shop = Shop()
    for number, known in enumerate([{}, {}, {"slterms:deprecated": "bad"}], 1):
        values = {"dcterms:alternative": "base", "dcterms:valid": "2014-06-01T00:00:00Z"} | known
        shop.marketplace.entries.append(Entry(f"<e{number}/>", f"i{number}", "a@b.org", f"2014-01-0{number}T00:00:00Z", values))
    shown = (200, '<?xml version="1.0" encoding="UTF-8"?><metadata><e2/></metadata>')
    assert shop.ask("GET", "tag/a@b.org/base") == shop.ask("GET", "metadata/a@b.org", tag='"base"') == shown
    assert shop.ask("GET", "endorsers/a@b.org/tags")[1].count('<binding name="tag"><literal>base</literal></binding>') == 1


INVALID = {
    "another issuer": ({"slreq:issuer": "CN=Nobody"}, "endorser's issuer does not match certificate"),
    "another subject": ({"slreq:subject": "CN=Nobody"}, "endorser's subject does not match certificate"),
    "another address": ({"slreq:email": "eve@example.org"}, "endorser's email does not match certificate"),
    "no size": ({"slreq:bytes": "many"}, "slreq:bytes must be a non-negative integer"),
    "another kind": ({"slterms:kind": "robot"}, "slterms:kind: robot is none of machine, disk"),
    "another format": ({"dcterms:format": "vmdk"}, "dcterms:format: vmdk is none of raw, qcow2"),
    "another compression": ({"dcterms:compression": "xz"}, "dcterms:compression: xz is none of gz, bz2"),
    "another bus": ({"slterms:disks-bus": "usb"}, "slterms:disks-bus: usb is none of ide, scsi, virtio"),
    "another hypervisor": ({"slterms:hypervisor": "esx"}, "slterms:hypervisor: esx is none of kvm, xen"),
    "a port that is none": ({"slterms:inbound-port": "65536"}, "slterms:inbound-port: 65536 is no number from 0 to 65535"),
    "another algorithm": ({"slreq:algorithm": "CRC32"}, "slreq:checksum: CRC32 "),
    "a date of another form": ({"dcterms:valid": "2027-01-01"}, "valid: 2027-01-01 is no date of the form YYYY-MM-DDThh:mm:ssZ"),
}


@pytest.mark.parametrize("name", INVALID)
def test_metadata_that_break_a_rule_are_refused_though_they_are_signed(site: Site, name: str) -> None:
    changes, reason = INVALID[name]
    root = etree.fromstring(SIGNED)
    for element, value in changes.items():
        found = root.find(f".//{element}", NS)
        if found is None:
            found = etree.SubElement(root.find("rdf:Description", NS), f"{{{NS['slterms']}}}{element.partition(':')[2]}")
        found.text = value
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(site.jane.key), xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(str(site.jane.certificate), xmlsec.constants.KeyDataFormatPem)
    signature = root.find("ds:Signature", NS)
    certificate = signature.find(".//ds:X509Certificate", NS)
    certificate.text = "".join(site.jane.certificate.read_text().split("\n")[1:-2])
    if "slreq:issuer" not in changes:  # the record's endorser signed the certificate too
        root.find(".//slreq:issuer", NS).text = "CN=sky.clusters test CA,O=StratusLab test site,C=EU"
    context.sign(signature)
    with pytest.raises(InvalidMetadata, match=f"^{re.escape(reason)}{'' if reason.endswith(' ') else '$'}"):
        validate(etree.tostring(root))


@pytest.mark.parametrize("uri", ["", "#part"])
def test_a_signature_that_covers_a_part_only_is_refused(site: Site, uri: str) -> None:
    """Valid as it may be."""
    root = etree.fromstring(SIGNED)
    root.remove(root.find("ds:Signature", NS))
    root.find(".//slreq:issuer", NS).text = "CN=sky.clusters test CA,O=StratusLab test site,C=EU"
    root.find(".//slterms:os", NS).set("{http://www.w3.org/XML/1998/namespace}id", "part")
    signature = xmlsec.template.create(root, xmlsec.constants.TransformInclC14NWithComments, xmlsec.constants.TransformRsaSha1)
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha1, uri=uri)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.x509_data_add_certificate(xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature)))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(site.jane.key), xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(str(site.jane.certificate), xmlsec.constants.KeyDataFormatPem)
    context.sign(signature)
    if not uri:
        assert validate(etree.tostring(root)).identifier == REAL
        return
    with pytest.raises(InvalidMetadata, match=r"^invalid signature$"):
        validate(etree.tostring(root))


def test_a_machine_is_started_from_a_copy_that_is_quarantined_when_it_has_ended(site: Site) -> None:
    source = f"{site.base}/metadata/{site.marketplace.entries[0].identifier}"
    (_ok, number, _code) = call(site, "one.vm.allocate", f'DISK = [ SOURCE = "{source}", TARGET = "vda" ]')
    vm = site.oned.vms[int(str(number))]
    _until(lambda: vm.running)
    (copy,) = (disk for disk in site.pdisk.disks.values() if disk.mounts)
    origin = site.pdisk.disks[copy.identifier.removeprefix("snapshot:")]
    assert (copy.owner, copy.type, copy.mounts, origin.shown()["count"]) == ("", "MACHINE_IMAGE_LIVE", {str(number): "static"}, "1")
    call(site, "one.vm.action", "finalize", number)
    _until(lambda: vm.state is VmState.DONE)
    assert (copy.owner, copy.mounts) == ("pdisk", {})
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", copy.shown()["quarantine"])
    copy.quarantine = "2014-06-01 00:00:00.000000"
    site.pdisk.release(int(str(number)))
    assert (copy.uuid in site.pdisk.disks, origin.shown()["count"]) == (False, "0")
