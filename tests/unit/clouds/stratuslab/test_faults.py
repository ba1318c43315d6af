# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services may do to a run: checks 10 to 16 and 19 to 24 of docs/reliability.md."""

from __future__ import annotations

import dataclasses
import itertools
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import _creation
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused, Run
from ansible_collections.sky.clusters.tests.clouds.stratuslab.oned import Injection
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import PLAIN, Plan, Site, running
from ansible_collections.sky.clusters.tests.support.engine_runs import present, wishes
from ansible_collections.sky.clusters.tests.support.fault_proxy import (
    Action,
    Exchange,
    Reply,
    afterwards,
    cut,
    first,
    lost,
    lost_behind_504,
    lost_in_silence,
    refused,
    reset,
)
from ansible_collections.sky.clusters.tests.support.stratuslab_peers import (
    PATIENT,
    Lal,
    SiteProxy,
    cloud_of,
    content,
    existing,
    parts,
    run_of,
    said,
    started,
)

POOLS = {"m": {"count": 1, "volumes": {"d": 1}}, "w": 2}
WHOLE = ["disk sky/1 alice zf m 0 d", "template skynotes.zf", "vm zf-m-0", "vm zf-w-0", "vm zf-w-1"]
NETWORKS = {"public": [f"10.0.0.{number}" for number in range(2, 8)], "local": ["10.1.0.2"], "private": ["10.2.0.2"]}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with six public addresses."""
    with running(tmp_path_factory.mktemp("small"), Plan(networks=NETWORKS)) as made:
        made.publish(PLAIN)
        yield made


@pytest.fixture
def wanted(small: Site, proxy: SiteProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes cluster files; nothing is left of the clusters in the end, whatever happened."""
    monkeypatch.setattr(_creation, "LOOKS", (0.1, 0.2, 0.3))
    files: list[dict[str, Any]] = []

    def make(pools: Any = None, name: str = "zf", **options: Any) -> dict[str, Any]:
        file = small.folder / "alice.cfg"
        small.user_file(file)
        known = {"user_file": str(file), "flavor": "t1.micro", "image": small.marketplace.entries[0].identifier} | proxy.endpoints()
        files.append(content(name, pools or POOLS, **(known | options)))
        return files[-1]

    yield make
    proxy.heal()
    small.oned.users["alice"].quota.clear()
    small.oned.injected = Injection()
    for file in files:
        assert said(file, "absent") == ""
    assert existing(small) == []


WAYS: dict[str, Action] = {
    "lost": lost,
    "504 though made": lost_behind_504,
    "silence though made": lost_in_silence,
    "reset": reset,
    "500": refused(500),
    "429": refused(429, Retry_After="1"),
    "cut": cut,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_call_goes_wrong_once(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], way: str) -> None:
    """In one run, and in one destroy: each ends well all the same, with no doubles, and nothing is left."""
    file = wanted()

    def patient() -> Run:
        run = run_of(file, PATIENT)
        if way == "silence though made":  # as little as a file may say is too long for a test
            cloud_of(run).options = dataclasses.replace(cloud_of(run).options, timeout=1)
        return run

    for service, path in (
        ("machines", "one.vm.allocate"), ("machines", "one.vmpool.info"), ("machines", "one.templatepool.info"), ("machines", "one.vm.action"),
        ("machines", "one.template.allocate"), ("machines", "one.template.update"), ("machines", "one.template.delete"), ("machines", "one.vn.info"),
        ("disks", "/disks$"), ("disks", "/disks/"), ("marketplace", "/metadata/"),
    ):  # fmt: skip
        proxy.rule(WAYS[way], service, "", path, nth=2 if path == "one.vm.allocate" else 1)
    outcome = present(patient())
    assert outcome.faults == []
    assert [part for part in existing(small) if part != "template skylock.zf"] == WHOLE  # a lock that could not be released ends by itself
    assert patient().absent(True).faults == []  # noqa: FBT003
    hit = [rule for rule in proxy.rules if rule.done]
    proxy.heal()
    assert len(hit) >= 9
    assert parts(file) == []


def test_a_busy_site_gets_the_pause_that_it_asks_for_and_few_calls(
    proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], figure: Callable[[str], None]
) -> None:
    file = wanted({"w": 1})
    made = []
    for busy in (False, True):
        before = len(proxy.calls)
        if busy:
            proxy.rule(refused(503, Retry_After="2"), "machines", "", "one.vm.allocate")
        assert said(file) == ""
        made.append([call for call in proxy.since(before) if "vmpool" not in call.target])  # but for the looks whether the machine runs by now
        assert said(file, "absent") == ""
    first, second = (call for call in made[1] if "one.vm.allocate" in call.target)
    assert (first.told, second.began - first.ended >= 2) == (503, True)
    share = len(made[1]) / len(made[0])
    assert share <= 1.5
    # one that never can
    proxy.rule(refused(429, Retry_After="1"), "machines", "", "one.vmpool.info", times=0)
    before = len(proxy.calls)
    assert "cloud lal cannot be listed: one.vmpool.info: " in said(file)
    asked = [call for call in proxy.since(before) if "one.vmpool.info" in call.target]
    assert len(asked) == 6
    assert all(later.began - earlier.ended >= 1 for earlier, later in itertools.pairwise(asked))
    figure(f"11  one 503 with Retry-After 2 where a machine is asked for: obeyed, {share:.2f} times the calls; one that never ends: 6 tries")


@pytest.mark.parametrize("way", ["lost", "504 though made"])
def test_a_machine_whose_answer_was_lost_is_looked_for_and_not_asked_for_again(
    small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], way: str
) -> None:
    file = wanted({"w": 3})
    before = len(proxy.calls)
    proxy.rule(WAYS[way], "machines", "", "one.vm.allocate", times=0)
    assert said(file) == ""
    assert proxy.methods(before)["one.vm.allocate"] == 3
    assert [part for part in existing(small) if part.startswith("vm")] == ["vm zf-w-0", "vm zf-w-1", "vm zf-w-2"]


def test_a_creating_call_that_is_carried_out_late_makes_no_double_in_the_end(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    """The answer is lost, the machine is not there yet at any look, and comes when another was made."""
    file = wanted({"w": 1})
    assert said(file) == ""
    late = next(vm for vm in small.oned.vms.values() if vm.living)
    text = "\n".join(f'{key} = "{value}"' for key, value in late.template.items if isinstance(value, str) and key not in ("VMID",))
    small.oned.call("one.vm.allocate", [f"alice:{'a' * 40}", text])
    assert existing(small).count("vm zf-w-0") == 2
    run = run_of(file)
    assert [node.id for node in cloud_of(run).listing().nodes] == [str(late.id)]
    assert len(cloud_of(run).gaps()) == 1
    assert present(run).faults == []
    _settled(cloud_of(run))
    assert existing(small).count("vm zf-w-0") == 1


def _settled(cloud: Lal) -> None:
    end = time.monotonic() + 10
    while cloud.gaps() or any(vm.lcm == 15 for vm in cloud._vms()):
        assert time.monotonic() < end
        time.sleep(0.05)


KILLS = {  # run, method, which of its calls, and whether the call was carried out before the run was killed
    "before a machine": ("present", "one.vm.allocate", 2, first),
    "after a machine": ("present", "one.vm.allocate", 2, afterwards),
    "after a disk": ("present", "/disks$", 2, afterwards),
    "after a deletion": ("absent", "one.vm.action", 2, afterwards),
}


@pytest.mark.parametrize("point", KILLS)
def test_a_run_that_is_killed_is_continued_by_the_next(
    small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], point: str, tmp_path: Path
) -> None:
    what, path, nth, when = KILLS[point]
    file = wanted()
    if what == "absent":
        assert said(file) == ""
    runs: list[subprocess.Popen[str]] = []

    def kill() -> None:
        runs[0].kill()

    proxy.rule(when(kill), "", "", path, nth=nth)
    runs.append(started(file, tmp_path, what))
    output, _errors = runs[0].communicate(timeout=60)
    proxy.settle()
    proxy.heal()
    assert runs[0].returncode == -9, output
    assert said(file, what) == ""
    found = existing(small)
    if what == "present":  # machines are asked for side by side: if all were, the next run changes nothing, takes no lock, and leaves the dead one's
        found = [each for each in found if each != "template skylock.zf"]
    assert found == (WHOLE if what == "present" else [])


def test_a_quota_that_ends_in_the_middle_costs_one_node_only(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": {"count": 3, "volumes": {"d": 1}}})
    small.oned.call("one.vmpool.info", [f"alice:{'a' * 40}", -3, -1, -1, -1])
    small.oned.users["alice"].quota["NUM_VMS"] = 2
    outcome = present(run_of(file))
    (failed,) = outcome.result.failed
    assert "NUM_VMS quota exceeded (Quota: 2, Used: 2, Requested: 1)" in failed.reason
    assert failed.launches == 1
    assert sum(part.startswith("disk") for part in existing(small)) == 2  # that of the failed node is deleted
    small.oned.users["alice"].quota.clear()
    assert said(file) == ""
    assert sum(part.startswith("vm") for part in existing(small)) == 3


def test_a_site_without_addresses_is_reported_before_the_first_machine(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": 7})
    before = len(proxy.calls)
    with pytest.raises(Refused) as refusal:
        present(run_of(file))
    assert refusal.value.reasons[0] == "cloud lal: network 'public' has 6 free address(es), 7 needed"
    assert not proxy.methods(before).keys() & {"one.vm.allocate"}
    assert existing(small) == []


def test_a_network_of_a_user_with_the_name_of_the_sites_own_is_not_it(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    (_ok, number, _code) = small.oned.call("one.vn.allocate", [f"alice:{'a' * 40}", 'NAME = "public"\nTYPE = "FIXED"\nBRIDGE = "br9"'])
    try:
        file = wanted({"w": 7})
        with pytest.raises(Refused) as refusal:
            present(run_of(file))
        assert refusal.value.reasons[0] == "cloud lal: network 'public' has 6 free address(es), 7 needed"
        file["pools"]["w"]["count"] = 1
        assert said(file) == ""
    finally:
        del small.oned.networks[number]


def test_addresses_that_end_in_the_middle(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]) -> None:
    """Somebody else takes the last ones between the look and the call."""
    file = wanted({"w": 3})

    def taken() -> None:
        for _time in range(6):
            small.oned.call("one.vm.allocate", [f"bob:{'a' * 40}", 'NIC = [ NETWORK_UNAME = "oneadmin", NETWORK = "public" ]'])

    proxy.rule(first(taken), "machines", "", "one.vm.allocate")
    outcome = present(run_of(file))
    assert outcome.result.failed
    assert all("Could not get virtual network for VM." in node.reason for node in outcome.result.failed)
    for vm in list(small.oned.vms.values()):
        if vm.uname == "bob":
            small.oned.call("one.vm.action", [f"bob:{'a' * 40}", "finalize", vm.id])
    while any(vm.living and vm.uname == "bob" for vm in small.oned.vms.values()):
        pass
    assert said(file) == ""


def test_a_disk_that_was_attached_later_is_attached_again_after_a_restart(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"m": {"count": 1, "volumes": {"d": 1}}})
    assert said(file) == ""
    file["pools"]["m"]["volumes"]["e"] = 1
    assert said(file) == ""
    (later,) = (disk for disk in small.pdisk.disks.values() if disk.tag.endswith(" e"))
    assert list(later.mounts.values()) == ["vdz"]
    (vm,) = (vm for vm in small.oned.vms.values() if vm.living)
    small.nodes.halted.add(vm.id)
    while vm.running:
        time.sleep(0.02)
    assert said(file) == ""
    assert (vm.running, later.mounts) == (True, {str(vm.id): "vdz"})
    volumes = {volume.name: volume for volume in cloud_of(run_of(file)).listing().volumes}
    assert {name: (volume.attached, volume.device) for name, volume in volumes.items()} == {
        "zf-m-0-d": ("zf-m-0", "/dev/vdc"), "zf-m-0-e": ("zf-m-0", "/dev/vdd"),
    }  # fmt: skip


def test_requested_addresses(wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": {"count": 2, "extra": {"addresses": ["10.0.0.5", "10.0.0.4"]}}})
    assert said(file) == ""
    nodes = {node.name: node.address(public=True) for node in cloud_of(run_of(file)).listing().nodes}
    assert nodes == {"zf-w-0": "10.0.0.5", "zf-w-1": "10.0.0.4"}
    run = run_of(file)
    again = run.look(dataclasses.replace(wishes(run), replace=frozenset({"zf-w-0"})))  # which gives its address up first
    assert (again.plan.refusals, [spec.name for spec in again.plan.clouds["lal"].replace]) == ((), ["zf-w-0"])
    other = wanted({"w": {"count": 2, "extra": {"addresses": ["10.0.0.5", "192.0.2.1"]}}}, "zfo")
    output = said(other).splitlines()
    assert "cloud lal: node zfo-w-0: address 10.0.0.5 of network 'public' is in use" in output
    assert "cloud lal: node zfo-w-1: network 'public' has no address 192.0.2.1" in output


def test_a_machine_that_fails_is_tried_three_times_and_reported_in_the_servers_words(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": 1})
    small.oned.injected.deploys = ["injected deploy failure"] * 3
    outcome = present(run_of(file))
    (failed,) = outcome.result.failed
    assert failed.launches == 3
    assert re.fullmatch(r"Error deploying virtual machine: injected deploy failure on dummyhost[12]", failed.reason)
    small.oned.injected.deploys = ["injected deploy failure"]
    assert said(file) == ""  # the second try is enough


def test_a_machine_that_hangs_while_it_boots_is_created_three_times_and_reported(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": 2})
    file["timeouts"]["booted"] = 2
    small.oned.injected.hanging = {"zf-w-0"}
    outcome = present(run_of(file))
    (failed,) = outcome.result.failed
    assert (failed.name, failed.launches) == ("zf-w-0", 3)
    assert "2 s" in failed.reason
    assert [part for part in existing(small) if part.startswith("vm")] == ["vm zf-w-1"]
    small.oned.injected.hanging.clear()
    assert said(file) == ""
    assert [part for part in existing(small) if part.startswith("vm")] == ["vm zf-w-0", "vm zf-w-1"]


def test_a_machine_that_hangs_while_it_is_deleted_is_reported_and_goes_with_the_next_run(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": 2})
    assert said(file) == ""
    file["timeouts"]["deleted"] = 2
    small.oned.injected.undying = {"zf-w-0"}
    output = said(file, "absent")
    assert re.search(r"zf-w-0.* 2 s", output), output
    assert [part for part in existing(small) if part.startswith("vm")] == ["vm zf-w-0"]
    small.oned.injected.undying.clear()
    assert said(file, "absent") == ""
    assert existing(small) == []


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_a_day_off_changes_nothing(
    small: Site, wanted: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """That of the services, or of this machine: who can say?"""
    file = wanted()
    assert said(file) == ""
    monkeypatch.setattr(small.services, "ahead", days * 86400.0)
    file["pools"]["w"] = {"cloud": "lal", "count": 1}
    assert said(file) == ""
    assert existing(small) == [part for part in WHOLE if part != "vm zf-w-1"]
    assert said(file, "absent") == ""


def test_a_disk_in_use_is_reported(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"m": {"count": 1, "volumes": {"d": 1}}})
    cloud = cloud_of(run_of(file))
    list(cloud.create_volumes([VolumeSpec("zf-m-0-d", 1)]))
    (disk,) = (each for each in small.pdisk.disks.values() if each.tag)
    (_ok, number, _code) = small.oned.call("one.vm.allocate", [f"alice:{'a' * 40}", 'NAME = "mine"'])
    disk.mounts[str(number)] = "vdz"
    (failed,) = present(run_of(file)).result.failed
    small.oned.call("one.vm.action", [f"alice:{'a' * 40}", "finalize", number])
    disk.mounts.clear()
    assert f"disk {disk.uuid} (sky/1 alice zf m 0 d) is attached to machine {number}" in failed.reason
    assert said(file) == ""


def _nothing(tag: bytes) -> Action:
    """A list without anything in it."""

    def act(exchange: Exchange) -> None:
        reply = exchange.forward()
        body = re.sub(rb"&lt;" + tag + rb"&gt;.*&lt;/" + tag + rb"&gt;", b"", reply.body, flags=re.S)
        exchange.reply(Reply(reply.status, reply.headers, body))

    return act


LIES = {
    "machines: none": ("machines", "one.vmpool.info", _nothing(b"VM")),
    "machines: cut short": ("machines", "one.vmpool.info", cut),
    "templates: none": ("machines", "one.templatepool.info", _nothing(b"VMTEMPLATE")),
    "disks: an error page": ("disks", "/disks$", refused(200)),
    "everything: 503": ("", "", refused(503)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies_harms_nothing(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], lie: str) -> None:
    file = wanted()
    assert said(file) == ""
    before = {vm.id for vm in small.oned.vms.values() if vm.living}, [disk.uuid for disk in small.pdisk.disks.values()]
    service, path, act = LIES[lie]
    proxy.rule(act, service, "GET" if service == "disks" else "", path, times=0)
    output = said(file)
    proxy.heal()
    assert ({vm.id for vm in small.oned.vms.values() if vm.living}, [disk.uuid for disk in small.pdisk.disks.values()]) == before, output
    assert said(file) == ""
    assert sorted(set(existing(small))) == WHOLE  # notes may be in two templates: the later one counts


class Late:
    """A list as it was some time ago."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._replies: list[tuple[float, Reply]] = []
        self._mutex = threading.Lock()

    def __call__(self, exchange: Exchange) -> None:
        now = time.monotonic()
        reply = exchange.forward()
        with self._mutex:
            self._replies.append((now, reply))
            known = [old for at, old in self._replies if at <= now - self._seconds]
            shown = known[-1] if known else self._replies[0][1]
        exchange.reply(shown)


def test_lists_that_lag_double_nothing_and_end(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]) -> None:
    """Machines and disks; the templates, which hold the lock, are never late: OpenNebula reads them from its memory."""
    file = wanted()
    before = len(proxy.calls)
    proxy.rule(Late(1.0), "machines", "", "one.vmpool.info", times=0)
    proxy.rule(Late(1.0), "disks", "GET", "/disks$", times=0)
    assert said(file) == ""
    assert proxy.methods(before)["one.vm.allocate"] == 3
    assert existing(small) == WHOLE
    assert said(file, "absent") == ""
    assert existing(small) == []


def test_who_has_the_file_and_the_credentials_sees_the_same(
    small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    file = wanted()
    assert said(file) == ""
    listed, before = cloud_of(run_of(file)).listing(), len(proxy.calls)
    process = started(file, tmp_path)
    assert process.communicate(timeout=60)[0] == ""
    assert not [method for method in proxy.methods(before) if method.endswith((".allocate", ".update", ".delete", ".action"))]
    assert (cloud_of(run_of(file)).listing(), existing(small)) == (listed, WHOLE)


@pytest.mark.parametrize("kept", [True, False], ids=["still named", "no longer named"])
def test_a_machine_of_its_owner_survives_a_list_that_lies(small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]], kept: bool) -> None:
    """What says that it is a node is in the templates."""
    (_ok, number, _code) = small.oned.call(
        "one.vm.allocate", [f"alice:{'a' * 40}", 'NAME = "mine"\nNIC = [ NETWORK_UNAME = "oneadmin", network = "public" ]']
    )
    while not small.oned.vms[int(number)].running:
        time.sleep(0.01)
    file = wanted({"w": {"count": 2, "extra": {"machines": [int(number)]}}})
    try:
        assert said(file) == ""
        if not kept:
            del file["pools"]["w"]["extra"]
        proxy.rule(_nothing(b"VMTEMPLATE"), "machines", "", "one.templatepool.info", times=0)
        said(file)
        proxy.heal()
        assert said(file) == ""
        assert [vm for vm in existing(small) if vm.startswith("vm")] == ["vm mine", "vm zf-w-1"]
        assert [node.id for node in cloud_of(run_of(file)).listing().nodes if node.name == "zf-w-0"] == [str(number)]
        assert said(file, "absent").startswith("zf-w-0 is a machine that is released and keeps running: set the count of pool w to 0")
        file["pools"]["w"]["count"] = 0
        assert (said(file), said(file, "absent")) == ("", "")
        assert small.oned.vms[int(number)].running
    finally:
        small.oned.call("one.vm.action", [f"alice:{'a' * 40}", "finalize", number])
        while small.oned.vms[int(number)].living:
            time.sleep(0.01)


def test_credentials_that_end_in_the_middle_stop_the_run_and_the_next_one_converges(
    small: Site, proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]
) -> None:
    file = wanted()
    for what, method in (("present", "one.vm.allocate"), ("absent", "one.vm.action")):
        proxy.rule(first(lambda: proxy.rule(refused(401), "machines", times=0), refused(401)), "machines", "", method, nth=2)
        output = said(file, what)
        proxy.heal()
        assert "does not accept the credentials (401 Unauthorized" in output, output
        assert said(file, what) == ""
        assert existing(small) == (WHOLE if what == "present" else [])


def test_a_second_run_makes_no_writing_call(proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted()
    assert said(file) == ""
    before = len(proxy.calls)
    run = run_of(file)
    assert not run.present(wishes(run)).plan.changes
    image = f"marketplace GET /metadata/{file['clouds']['lal']['image']}"
    assert set(proxy.methods(before)) == {"one.vmpool.info", "one.templatepool.info", "disks GET /pdisk/pswd/disks", image}


def test_an_image_that_is_withdrawn_stops_growth_and_nothing_else(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    image = small.publish(b"good for a while", known={"dcterms:valid": "2999-01-01T00:00:00Z"})
    file = wanted({"w": 1}, image=image.identifier)
    assert said(file) == ""
    small.marketplace.entries.remove(image)
    small.publish(b"good for a while", known={"slterms:deprecated": "has a hole"})
    assert said(file) == ""
    file["pools"]["w"]["count"] = 2
    assert "must not be used: as jane.tester@example.org describes it: it is deprecated (has a hole)" in said(file)
    assert existing(small) == ["template skynotes.zf", "vm zf-w-0"]
    file["pools"]["w"]["count"] = 1


def test_objects_that_are_deleted_from_outside_come_back_and_others_stay(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted()
    assert said(file) == ""
    kept = {vm.name: vm.id for vm in small.oned.vms.values() if vm.living}
    small.oned.call("one.vm.action", [f"alice:{'a' * 40}", "finalize", kept.pop("zf-w-1")])
    small.oned.documents.clear()
    for _time in range(2):
        assert said(file) == ""
    assert existing(small) == WHOLE
    assert kept.items() <= {vm.name: vm.id for vm in small.oned.vms.values() if vm.living}.items()


def test_somebody_elses_machine_with_a_copied_mark_is_left_alone(small: Site, wanted: Callable[..., dict[str, Any]]) -> None:
    """Of another account: no list of ours shows it."""
    file = wanted()
    (_ok, number, _code) = small.oned.call("one.vm.allocate", [f"bob:{'a' * 40}", 'NAME = "zf-w-0"\nSKY_MARK = "sky/1 alice zf w 0"'])
    assert said(file) == ""
    assert said(file, "absent") == ""
    assert small.oned.vms[int(number)].living
    small.oned.call("one.vm.action", [f"bob:{'a' * 40}", "finalize", number])
    while small.oned.vms[int(number)].living:
        pass


def test_calls_to_all_services_are_at_most_three_at_a_time(proxy: SiteProxy, wanted: Callable[..., dict[str, Any]]) -> None:
    """A fourth is that of the process which keeps the lock of the run."""
    assert len(NETWORKS["public"]) >= 6
    file = wanted({"w": {"count": 6, "volumes": {"d": 1}}})
    before = len(proxy.calls)
    assert said(file) == ""
    calls = proxy.since(before)
    assert {call.service for call in calls} == {"machines", "disks", "marketplace"}
    at_once = max(sum(other.began <= call.began < other.ended for other in calls) for call in calls)
    assert 1 < at_once <= 3
