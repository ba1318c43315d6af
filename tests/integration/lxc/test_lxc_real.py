# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local cloud as it is: real nodes on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Invalid,
    Locked,
    Mark,
    MarkError,
    Node,
    Stage,
    State,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import network
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import remove_tree
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import Zone
from ansible_collections.sky.clusters.tests.integration.lxc.local_cloud import STATE, ZONES, Local, client, eventually, output, traces
from ansible_collections.sky.clusters.tests.support.processes import children

pytestmark = pytest.mark.real
Open = Callable[..., Local]
NETWORK = [f"bridge sky-{ZONES[0]}", f"table sky_{ZONES[0]}", f"file {STATE / ZONES[0] / 'zone.json'}"]


def test_eight_nodes_at_once(local: Open) -> None:
    here = local()
    began = time.monotonic()
    nodes = here.up(*(here.spec(index) for index in range(8)))
    listening = time.monotonic() - began
    facts = [here.ssh(node, "hostname; cat /etc/machine-id; systemctl is-system-running --wait; cat /etc/ssh/*.pub").splitlines() for node in nodes]
    print(f"\n8 nodes: {listening:.1f} s until sshd listens in all, {time.monotonic() - began:.1f} s until each has answered, one after another")
    assert [fact[0] for fact in facts] == [node.name for node in nodes]
    assert {fact[2] for fact in facts} == {"running"}
    assert len({fact[1] for fact in facts}) == len({fact[3] for fact in facts}) == len({node.address() for node in nodes}) == 8
    again = here.create(*(here.spec(index) for index in range(8)))
    assert {event.stage for event in again.values()} == {Stage.MADE}
    began = time.monotonic()
    assert [node.id for node in here.cloud.listing().nodes] == [node.id for node in nodes]
    print(f"listing of 8 nodes: {(time.monotonic() - began) * 1000:.0f} ms")
    began = time.monotonic()
    here.delete(nodes)
    print(f"deletion of 8 nodes: {time.monotonic() - began:.1f} s")


def test_a_flavor_is_what_the_node_sees_and_what_it_gets(local: Open) -> None:
    here = local()
    node = here.up(here.spec(flavor="small", ssh_user="admin"))[0]
    seen = here.ssh(node, "nproc; awk '/MemTotal/ {print $2 / 1024}' /proc/meminfo; grep -c ^processor /proc/cpuinfo", "admin")
    assert seen.split() == ["1", "1024", "1"]
    assert here.ssh(node, "python3 -c 'x = bytearray(1200 << 20)' 2>/dev/null; echo $?", "admin").split()[-1] == "137"
    assert here.ssh(node, "id -u; sudo -n id -u", "admin").split() == ["1000", "0"]
    assert here.ssh(node, "sudo -n sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication) '", "admin").count(" no") == 2
    here.ssh(node, "test -c /dev/net/tun && test -c /dev/fuse", "admin")


def test_volumes_outlive_their_node(local: Open) -> None:
    here = local()
    spec = here.spec(volumes={"data": 1})
    node = here.up(spec)[0]
    volume = here.volume("data")
    assert (volume.attached, volume.device, volume.size) == (node.name, "/dev/sky/data", 1)
    make = "mkfs.ext4 -q /dev/sky/data && mkdir /data && mount /dev/sky/data /data && head -c 5M /dev/urandom > /data/file && sha256sum < /data/file"
    written = here.ssh(node, make)
    (refused,) = here.cloud.delete_volumes([volume])
    assert (refused.stage, refused.detail) == (Stage.FAILED, "volume a-p-0-data is attached to a-p-0")
    (grown,) = here.cloud.resize_volumes([VolumeSpec(volume.name, 2)])
    assert grown.stage is Stage.MADE
    assert here.ssh(node, "resize2fs /dev/sky/data >/dev/null 2>&1; blockdev --getsize64 /dev/sky/data") == str(2 << 30)
    here.delete([node])
    kept = here.volume("data")
    assert (kept.id, kept.attached, kept.device, kept.size) == (volume.id, "", "", 2)
    assert here.cloud.leftovers() == ["volume a-p-0-data", *NETWORK]
    again = here.up(spec)[0]
    assert again.id != node.id and again.host_keys != node.host_keys and again.address() == node.address()
    assert here.volume("data").id == volume.id
    assert here.ssh(again, "mkdir /data && mount /dev/sky/data /data && sha256sum < /data/file") == written
    (shrunk,) = here.cloud.resize_volumes([VolumeSpec(volume.name, 1)])
    assert shrunk.stage is Stage.FAILED and shrunk.final and "cannot shrink" in shrunk.detail


def test_a_volume_that_is_asked_for_later_is_attached_to_the_running_node(local: Open) -> None:
    here = local()
    node = here.up(here.spec(volumes={"data": 1}))[0]
    assert here.create(here.spec(volumes={"data": 1, "more": 2}))[node.name].stage is Stage.MADE
    assert here.ssh(node, "mkfs.ext4 -q /dev/sky/more && blockdev --getsize64 /dev/sky/more") == str(2 << 30)
    assert here.volume("more").attached == node.name
    assert here.node().id == node.id


def test_a_stopped_node_is_started_again_and_a_rebooted_one_comes_back(local: Open) -> None:
    here = local()
    spec = here.spec(volumes={"data": 1})
    node = here.up(spec)[0]
    here.cloud.set_ready([node], "abc")
    here.ssh(node, "mkfs.ext4 -q /dev/sky/data; touch /root/mine; systemctl --no-block poweroff")
    eventually("the node is off", lambda: here.node().state is State.STOPPED)
    same = here.up(spec)[0]
    assert (same.id, same.ready, same.host_keys) == (node.id, "abc", node.host_keys)
    eventually("ssh answers", lambda: _answers(here, same, "true"))
    assert here.ssh(same, "ls /root/mine; blkid -o value -s TYPE /dev/sky/data").split() == ["/root/mine", "ext4"]
    before = here.ssh(same, "touch /run/before; systemctl --no-block reboot; echo asked")
    assert before == "asked"
    eventually("it has booted anew", lambda: _answers(here, same, "test ! -e /run/before && test -b /dev/sky/data"))
    assert here.node().state is State.RUNNING


def _answers(here: Local, node: Node, command: str) -> bool:
    try:
        here.ssh(node, command)
    except AssertionError:
        return False
    return True


def test_two_zones_are_two_clouds(local: Open) -> None:
    one, two = local(zone=ZONES[0]), local(zone=ZONES[1])
    first = one.up(one.spec())[0]
    closed, public = two.up(two.spec(), two.spec(1, public_ip=True))
    assert first.name == closed.name and first.address() != closed.address()
    reach = "timeout 2 bash -c '</dev/tcp/{}/22' 2>/dev/null; echo $?"
    assert one.ssh(first, reach.format(closed.address())) == "124", "a node without a public address is not reached from another cloud"
    assert one.ssh(first, reach.format(public.address(public=True))) == "0"
    assert two.ssh(closed, reach.format(public.address())) == "0", "nodes of one cloud reach one another"
    one.destroy()
    assert [node.state for node in two.cloud.listing().nodes] == [State.RUNNING] * 2
    (gone,) = two.cloud.delete([first])  # the other zone's node of the same name, under another id
    assert gone.stage is Stage.DELETED
    two.ssh(closed, "true")


SERVER = """
import socket
server = socket.create_server(("", 7000))
print("listens", flush=True)
while True:
    connection, who = server.accept()
    connection.sendall(who[0].encode())
    connection.close()
"""


@pytest.fixture
def world_outside() -> Iterator[str]:
    """A network beyond the machine, with a server that tells who called."""
    space, address = "skytest", "10.95.240.2"
    output("ip", "netns", "add", space)
    try:
        output("ip", "link", "add", "skytest0", "type", "veth", "peer", "name", "eth0", "netns", space)
        output("ip", "address", "add", "10.95.240.1/24", "dev", "skytest0")
        output("ip", "link", "set", "skytest0", "up")
        output("ip", "-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        output("ip", "-n", space, "link", "set", "eth0", "up")
        with subprocess.Popen(["ip", "netns", "exec", space, "python3", "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None and server.stdout.readline() == "listens\n"
            yield address
            server.kill()
    finally:
        output("ip", "netns", "delete", space)


def test_nodes_reach_the_world_under_the_address_of_the_machine(local: Open, world_outside: str) -> None:
    here = local()
    node = here.up(here.spec())[0]
    call = f"import socket; print(socket.create_connection(('{world_outside}', 7000), 5).recv(99).decode())"
    assert here.ssh(node, f'python3 -c "{call}"') == "10.95.240.1"


def test_a_node_that_cannot_start_leaves_nothing_and_says_why(local: Open) -> None:
    here = local()
    good, bad = here.spec(0), here.spec(1, volumes={"data": 1}, extra={"lxc.init.cmd": "/no/such/init"})
    events = here.create(good, bad)
    assert events[good.name].stage is Stage.MADE
    assert events[bad.name].stage is Stage.FAILED and "/no/such/init" in events[bad.name].detail, events[bad.name]
    listing = here.cloud.listing()
    assert [node.name for node in listing.nodes] == [good.name] and listing.volumes == ()
    assert [line for line in traces() if bad.name in line] == []


def test_a_node_whose_boot_fails_is_listed_as_failed_with_its_console(local: Open) -> None:
    here = local()
    assert here.create(here.spec(extra={"lxc.init.cmd": "/bin/echo no disk today"}))["a-p-0"].stage is Stage.MADE
    eventually("it has failed", lambda: here.node().state is State.FAILED)
    assert here.node().fault == "its init ended before the node was ready; its console ends with: no disk today"
    assert here.cloud.console(here.node()) == "no disk today"
    here.delete([here.node()])
    here.up(here.spec())


@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.4])
def test_the_run_killed_and_run_again(local: Open, seconds: float) -> None:
    here = local()
    with client(here, 4) as asking:
        eventually("the host program has been started", lambda: children(asking.pid))
        time.sleep(seconds)
        asking.kill()
    specs = [here.spec(index, volumes={"data": 1}) for index in range(4)]
    nodes = here.up(*specs)
    assert [node.name for node in nodes] == [spec.name for spec in specs] == [node.name for node in here.cloud.listing().nodes]
    assert len(here.cloud.listing().volumes) == len({node.address() for node in nodes}) == 4


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.08, 0.12, 0.16])
def test_the_host_program_killed_and_run_again(local: Open, seconds: float) -> None:
    here = local()
    with client(here, 4) as asking:
        eventually("the host program has been started", lambda: children(asking.pid))
        (program,) = children(asking.pid)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):  # a quick machine may be through by then
            os.kill(program, signal.SIGKILL)
    assert {node.state for node in here.cloud.listing().nodes} <= {State.STOPPED, State.BUILDING, State.RUNNING}
    nodes = here.up(*(here.spec(index, volumes={"data": 1}) for index in range(4)))
    assert len({node.address() for node in nodes}) == 4
    here.ssh(nodes[3], "test -b /dev/sky/data")


def test_a_killed_deletion_is_finished_by_the_next(local: Open) -> None:
    here = local()
    here.up(*(here.spec(index, volumes={"data": 1}) for index in range(3)))
    deletion = here.cloud.delete(here.cloud.listing().nodes)
    next(deletion)
    for program in [pid for pid in children(os.getpid()) if b"_host" in Path(f"/proc/{pid}/cmdline").read_bytes()]:
        os.kill(program, signal.SIGKILL)  # where it is not through already, since this test was held up
    deletion.close()  # type: ignore[attr-defined]
    here.destroy()
    assert here.cloud.leftovers() == []


def test_a_run_that_goes_away_begins_nothing_more(local: Open) -> None:
    here = local()
    creation = here.cloud.create([here.spec(index) for index in range(20)])
    next(creation)
    creation.close()  # type: ignore[attr-defined]
    eventually("nothing is on its way", lambda: all(node.state is State.RUNNING for node in here.cloud.listing().nodes))
    assert 1 <= len(here.cloud.listing().nodes) < 20


def test_what_bears_no_mark_of_ours_is_left_alone(local: Open) -> None:
    here = local()
    node, other = here.up(here.spec(), here.spec(1))
    record = here.nodes_folder / node.name / "sky.json"
    text = record.read_text()
    copied = text.replace(" a p 0", " b p 0")
    for damage, reason in (("", "it has no mark"), ("{}", "it has no mark"), (copied, "it has the mark 'sky/1 root b p 0'")):
        record.write_text(damage)
        listing = here.cloud.listing()
        assert [n.name for n in listing.nodes] == [other.name]
        assert [(s.kind, s.name, s.reason) for s in listing.strays] == [("node", node.name, reason)]
        event = here.create(here.spec())[node.name]
        assert event.stage is Stage.FAILED and event.final and "it is left alone" in event.detail
        (event,) = here.cloud.delete([node])
        assert event.stage is Stage.FAILED and "it is left alone" in event.detail
    for damage in ("{", text.replace("sky/1", "sky/99")):
        record.write_text(damage)
        with pytest.raises(MarkError, match=str(record)):
            here.cloud.listing()
        assert local("b").cloud.listing().nodes == (), "another cluster is not concerned"
    record.write_text("{}")
    third = here.up(here.spec(1), here.spec(2))[1]
    assert third.address() != node.address(), "the address of a node whose record is lost is still its own"
    record.write_text(text)
    here.ssh(here.node(), "true")


def test_a_node_that_was_lost_holds_no_device(local: Open) -> None:
    """Its container was destroyed, folder included, while its volume stays; another cluster of the zone is not concerned."""
    here, other = local(), local("b")
    node, beside = here.up(here.spec(volumes={"data": 1}))[0], other.up(other.spec(volumes={"data": 1}))[0]
    here.ssh(node, "mkfs.ext4 -q /dev/sky/data")
    output("lxc-destroy", "-P", str(here.nodes_folder), "-n", node.name, "-f")
    file = STATE / ZONES[0] / "volumes/a-p-0-data.img"
    device = output("losetup", "--noheadings", "--output", "NAME", "--associated", str(file)).strip()
    assert here.cloud.leftovers() == ["volume a-p-0-data", f"loop device {device} {file}"]
    saved = here.keys.folder / "saved"
    saved.mkdir()
    output("mount", "-o", "ro", device, str(saved))  # somebody saves its data
    here.cloud.dismantle()
    output("ls", str(saved / "lost+found"))
    output("umount", str(saved))
    here.cloud.dismantle()
    assert here.cloud.leftovers() == ["volume a-p-0-data"]
    other.ssh(beside, "mkfs.ext4 -q /dev/sky/data")


def test_a_volume_whose_file_was_deleted_by_hand_begins_empty(local: Open) -> None:
    """With a stopped node, and with a lost one: the device that still shows the deleted file is not used for the new one."""
    here = local()
    spec = here.spec(volumes={"data": 1})
    for lose in (["lxc-stop", "-k"], ["lxc-destroy", "-f"]):
        here.ssh(here.up(spec)[0], "blkid -p /dev/sky/data; test $? = 2 && mkfs.ext4 -q /dev/sky/data")
        output(*lose, "-P", str(here.nodes_folder), "-n", spec.name)
        for path in (STATE / ZONES[0] / "volumes").iterdir():
            path.unlink()
    here.ssh(here.up(spec)[0], "blkid -p /dev/sky/data; test $? = 2")


def test_clusters_whose_names_begin_alike(local: Open) -> None:
    first, *others = [local(cluster) for cluster in ("a", "a1", "a-b")]
    for cluster in (first, *others):
        cluster.up(cluster.spec(volumes={"data": 1}))
    first.destroy()
    assert first.cloud.leftovers() == []
    for cluster in others:
        assert len(cluster.cloud.listing().volumes) == 1
        cluster.ssh(cluster.node(), "test -b /dev/sky/data")
    nobody = dataclasses.replace(others[0].node(), name="a-p-9", mark=Mark("root", "a", "p", 9))
    assert [event.stage for event in first.cloud.delete([nobody])] == [Stage.DELETED], "one that is gone already"
    others[0].ssh(others[0].node(), "true")


def test_the_bridge_taken_away_comes_back_and_the_nodes_stay(local: Open) -> None:
    here = local()
    node = here.up(here.spec())[0]
    output("ip", "link", "delete", f"sky-{ZONES[0]}")
    assert here.node().state is State.STOPPED
    output("nft", "delete", "table", "ip", f"sky_{ZONES[0]}")
    assert here.up(here.spec())[0].id == node.id
    here.ssh(node, "true")


def test_the_lock_is_one_clusters_and_expires(local: Open) -> None:
    here, beside = local("a"), local("b")
    lease = here.cloud.lock("somebody on this machine", 30)
    with pytest.raises(Locked, match="somebody on this machine"):
        here.cloud.lock("another", 30)
    beside.cloud.unlock(beside.cloud.lock("another", 30))
    here.cloud.renew(lease, 0.1)
    time.sleep(0.2)
    second = here.cloud.lock("second", 30)
    assert second.broken == "somebody on this machine"
    with pytest.raises(Locked, match="was lost: second has held it since"):
        here.cloud.renew(lease, 30)
    here.cloud.unlock(lease)
    with pytest.raises(Locked, match="second"):
        here.cloud.lock("third", 30)
    assert here.cloud.leftovers() == []
    here.cloud.unlock(second)
    here.cloud.unlock(here.cloud.lock("third", 30))


HOLDER = """
import sys
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
LxcCloud("here", LxcOptions(zone=sys.argv[1]), Scope("a")).lock("a run that was killed", 600)
"""


def test_the_lock_of_a_dead_run_is_broken(local: Open) -> None:
    here = local()
    subprocess.run([sys.executable, "-c", HOLDER, ZONES[0]], check=True)
    assert here.cloud.leftovers() == ["lock a"]
    lease = here.cloud.lock("the next", 30)
    assert lease.broken == "a run that was killed"
    here.cloud.unlock(lease)


def test_what_is_short_is_said_in_sentences(local: Open) -> None:
    here = local()
    spec = here.spec(image="debain-12", flavor="smal", extra={"cloud_init": 1})
    big = here.spec(1, flavor="xlarge")
    said = "\n".join(here.cloud.shortages([spec, big], [VolumeSpec("a-p-1-data", 10**6)]))
    for wanted in (
        "unknown image 'debain-12'; did you mean 'debian-12'?",
        "unknown flavor 'smal'; did you mean 'small'?",
        "unknown key 'cloud_init' under extra",
        "a flavor has 8 cores, this machine has",
        "MiB of disk",
    ):
        assert wanted in said, said
    assert here.cloud.shortages([here.spec()], []) == []
    crowd = [here.spec(index) for index in range(6)]
    assert "has addresses for 5 more nodes, 6 are needed" in str(local("a", network="10.95.241.0/29").cloud.shortages(crowd, []))


def test_a_network_that_is_in_use_is_refused(local: Open) -> None:
    here = local("a", network="10.95.242.0/24")
    output("ip", "link", "add", "skytest1", "type", "bridge")
    try:
        output("ip", "address", "add", "10.95.242.1/25", "dev", "skytest1")
        output("ip", "link", "set", "skytest1", "up")
        (sentence,) = here.cloud.shortages([here.spec()], [])
        reason = "network 10.95.242.0/24 overlaps with 10.95.242.0/25 that this machine reaches through skytest1"
        assert sentence == f"{reason}: set `network` to a free one"
        with pytest.raises(Invalid, match="overlaps"):
            here.create(here.spec())
    finally:
        output("ip", "link", "delete", "skytest1")
    here.cloud.dismantle()
    one = local("a")
    one.up(one.spec())
    with pytest.raises(Invalid, match="has network"):
        here.create(here.spec(1))


NOBODY = """
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
cloud = LxcCloud("here", LxcOptions(zone="test1"), Scope("a"))
(node,) = cloud.listing().nodes
print(cloud.identity(), node.name, node.state.value, cloud.console(node) != "")
try:
    cloud.dismantle()
except Denied as error:
    print(error)
"""


def test_listing_needs_no_rights_and_changing_says_what_to_do(local: Open) -> None:
    here = local()
    node = here.up(here.spec())[0]
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"PYTHONPATH={packages}"]
    told = output(*become, "/usr/bin/python3", "-B", "-c", NOBODY).splitlines()
    assert told[0] == f"nobody {node.name} running True"
    assert told[1].startswith("the local cloud needs root on this machine (")
    assert told[1].endswith("give nobody passwordless sudo, or run as root")


FIREWALL = """
table inet filter {
  chain forward { type filter hook forward priority filter; policy drop; iifname "eth9" accept; }
  chain input { type filter hook input priority filter; policy drop; ct state established accept; }
}
"""


def test_a_firewall_that_blocks_the_bridge_is_named() -> None:
    zone = Zone("test1", STATE, ipaddress.IPv4Network("10.95.243.0/24"))
    script = "nft -f - && nft -json list ruleset"
    listed = subprocess.run(["unshare", "--net", "sh", "-c", script], input=FIREWALL, text=True, capture_output=True, check=True).stdout
    (sentence,) = network.firewalls(json.loads(listed)["nftables"], zone)
    assert sentence.startswith("the firewall chain 'inet filter forward' drops the traffic of sky-test1; add a rule: nft insert rule")
    opened = FIREWALL.replace('iifname "eth9"', 'iifname "sky-test1"')
    listed = subprocess.run(["unshare", "--net", "sh", "-c", script], input=opened, text=True, capture_output=True, check=True).stdout
    assert network.firewalls(json.loads(listed)["nftables"], zone) == []


def test_nothing_is_removed_under_a_mount_point(tmp_path: Path) -> None:
    folder = tmp_path / "node" / "mounted"
    folder.mkdir(parents=True)
    output("mount", "-t", "tmpfs", "sky-test", str(folder))
    try:
        (folder / "data").touch()
        with pytest.raises(HostError, match="is mounted there"):
            remove_tree(tmp_path / "node")
        assert (folder / "data").exists()
    finally:
        output("umount", str(folder))
    remove_tree(tmp_path / "node")
    assert not (tmp_path / "node").exists()
