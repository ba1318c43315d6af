# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and machines that fail: bare nodes of this machine, broken from outside. Checks 12, 13, 18, 32, 35 and 38 of docs/reliability.md."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, ids, is_whole, nodes_folder
from ansible_collections.sky.clusters.tests.support.interruptions import killed_at_boot
from ansible_collections.sky.clusters.tests.support.site import STATE, Site

pytestmark = pytest.mark.real

ZONE = "tnodes"
HANGS = {"lxc.init.cmd": "/bin/sleep infinity"}  # a node whose system never starts


def two_pools(**bad: Any) -> dict[str, Any]:
    """A pool ``good`` of one node, and one ``bad`` of two."""
    content = bare(ZONE, "ta", 1)
    content["pools"] = {"good": {"cloud": "here", "count": 1}, "bad": {"cloud": "here", "count": 2, **bad}}
    return content


def test_a_node_that_dies_at_boot_is_replaced_twice_and_then_named(site: Site) -> None:
    site.content = bare(ZONE, "ta", 2, min_count=1)
    with killed_at_boot(nodes_folder(ZONE), "ta-box-1") as deaths:
        played = site.play("cluster")
    assert played.code == 0, played.output
    assert len(deaths) >= 3
    assert "ta-box-1 failed" in played.output
    assert "3 attempts" in played.output
    assert site.hosts("pool_box") == ["ta-box-0"]
    # where that is too few, the run fails with the reason
    site.content = bare(ZONE, "ta", 2)
    with killed_at_boot(nodes_folder(ZONE), "ta-box-1"):
        refused = site.play("cluster")
    assert refused.code != 0
    assert "pools.box: 1 node(s) where at least 2 are needed" in refused.last(14)
    assert "ta-box-1 failed" in refused.last(14)
    site.must("cluster")
    is_whole(site, ZONE, boxes("ta", 0, 1))


def test_a_node_that_hangs_in_its_boot_is_replaced_twice_and_then_told(site: Site, figure: Callable[[str], None]) -> None:
    site.content = two_pools(extra=HANGS, min_count=0, timeouts={"booted": 2})
    began = time.monotonic()
    played = site.must("cluster")
    figure(
        f"13 two nodes that hang in their boot (2 s allowed): 3 launches each and told, the third went on, {time.monotonic() - began:.0f} s in all"
    )
    for name in ("ta-bad-0", "ta-bad-1"):
        assert f"{name} failed (after it was made, 3 attempts): its operating system did not start within 2 s (state building)" in played.last(20)
    assert site.hosts("all") == ["ta-good-0"]
    site.content = two_pools()
    site.must("cluster")
    assert site.hosts("all") == ["ta-bad-0", "ta-bad-1", "ta-good-0"]


SHORT = {
    "network 10.95.240.0/29 has addresses for 3 more nodes, 4 are needed": {},
    "the new nodes need 4000000 MiB of memory": {"flavor": "vast"},
    "unknown flavor 'mediun'; did you mean 'medium'?": {"flavor": "mediun"},
}


def test_what_is_short_stops_a_growth_before_it_begins(site: Site) -> None:
    cloud = {"network": "10.95.240.0/29", "flavors": {"tiny": {"cores": 1, "memory": 512}, "vast": {"cores": 1, "memory": 10**6}}}
    site.content = bare(ZONE, "ta", 2, cloud)
    site.must("cluster")
    before = ids(site)
    for sentence, pool in SHORT.items():
        site.content = bare(ZONE, "ta", 6, cloud, **pool)
        refused = site.play("cluster")
        assert refused.code != 0
        assert sentence in refused.last(20), refused.output
        assert ids(site) == before
    site.content = bare(ZONE, "ta", 3, cloud)
    site.must("cluster")
    assert {name: id for name, id in ids(site).items() if name in before} == before
    is_whole(site, ZONE, boxes("ta", 0, 1, 2))


def test_a_role_that_fails_in_every_node_of_a_pool_is_told_and_the_others_go_on(site: Site) -> None:
    """The disks of a pool's kept volumes bear something of somebody else's: nothing is formatted, and the other pool is served."""
    site.content = two_pools(volumes={"v": 1})
    site.must("provision")
    site.must("destroy")
    disks = [STATE / ZONE / "volumes" / f"ta-bad-{index}-v.img" for index in (0, 1)]
    for disk in disks:
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "precious", str(disk)], check=True)
    before = [hashlib.sha256(disk.read_bytes()).hexdigest() for disk in disks]
    played = site.play("cluster")
    assert played.code != 0
    assert "has ext4 with the label 'precious' instead of the label" in played.output
    assert {name: bool(host["sky_ready"]) for name, host in site.inventory()["_meta"]["hostvars"].items()} == {
        "ta-bad-0": False,
        "ta-bad-1": False,
        "ta-good-0": True,
    }
    assert [hashlib.sha256(disk.read_bytes()).hexdigest() for disk in disks] == before
    for disk in disks:
        subprocess.run(["wipefs", "--quiet", "--all", str(disk)], check=True)
    site.must("cluster")
    assert set(site.must("cluster").changed.values()) == {0}


def test_a_setting_that_a_pool_cannot_have_fails_that_pool(site: Site) -> None:
    site.content = two_pools()
    settings = site.folder / "group_vars" / "pool_bad.yml"
    settings.parent.mkdir()
    settings.write_text(yaml.safe_dump({"node_user_uid": 0}), encoding="utf-8")
    refused = site.play("cluster")
    assert "node_user_uid (group pool_bad): must be from 1000 to 59999" in refused.last(12), refused.output
    assert site.hosts("all") == []  # before anything was made
    settings.write_text(yaml.safe_dump({"node_user": "{{ 'dae' ~ 'mon' }}"}), encoding="utf-8")  # what it is only the node's play knows
    played = site.play("cluster")
    assert played.code != 0
    assert "user 'daemon' with id 1 exists on this node" in played.output
    assert [name for name, host in site.inventory()["_meta"]["hostvars"].items() if host["sky_ready"]] == ["ta-good-0"]
    settings.unlink()
    mended = site.must("cluster")
    assert {name for name, changed in mended.changed.items() if changed} == {"ta-bad-0", "ta-bad-1"}


def of_memory(memory: int, **more: Any) -> dict[str, Any]:
    return bare(ZONE, "ta", 2, {"flavors": {"tiny": {"cores": 1, "memory": memory}}}, **{"volumes": {"v": 1}, **more})


def test_what_differs_from_the_file_is_shown_and_replaced_on_request_with_its_data(site: Site, figure: Callable[[str], None]) -> None:
    site.content = of_memory(512)
    site.must("cluster")
    for name in boxes("ta", 0, 1):
        site.ssh(name, f"echo {name} > /data/v/whose; sync")
    before = ids(site)
    assert "differs:" not in site.must("status").output
    # a volume that is new in the file is to come, and no fault
    site.content = of_memory(640, volumes={"v": 1, "w": 1})
    seen = site.must("status", "-e", "sky_require_ready=true").output
    for name in boxes("ta", 0, 1):
        assert f"differs: {name}: memory is 512, the file says 640" in seen
    assert re.search(r"^    ~ ta-box-0 +complete in here", seen, re.MULTILINE)
    assert re.search(r"^    \+ ta-box-0-w +create in here \(1 GiB\)", seen, re.MULTILINE)
    assert "fault:" not in seen
    site.content = of_memory(640)
    again = site.must("cluster")
    assert set(again.changed.values()) == {0}  # without the word nothing is replaced
    foretold = site.must("cluster", "--check", "-e", "sky_replace=drift").output
    assert "  -/+ ta-box-0  drain, delete and recreate in here (tiny, debian-12): memory is 512, the file says 640" in foretold
    assert ids(site) == before
    began = time.monotonic()
    first = site.must("cluster", "-e", "sky_replace=drift").output
    took = time.monotonic() - began
    assert "1 node(s) remain to be replaced" in first
    one = ids(site)
    assert (one["ta-box-0"] != before["ta-box-0"], one["ta-box-1"]) == (True, before["ta-box-1"])
    assert "differs: ta-box-1" in site.must("status").output
    site.must("cluster", "-e", "sky_replace=ta-box-1")
    assert ids(site)["ta-box-1"] != before["ta-box-1"]
    for name in boxes("ta", 0, 1):
        assert site.ssh(name, "cat /data/v/whose").strip() == name
    seen = site.must("status", "-e", "sky_require_ready=true").output
    assert "differs:" not in seen
    assert "a run would: change nothing" in seen
    figure(f"38 a flavor's memory changed: shown as drift; a run replaced one of two nodes in {took:.0f} s, its data kept")


def test_what_cannot_be_meant_is_refused_on_a_standing_cluster_before_anything(site: Site) -> None:
    site.content = bare(ZONE, "ta", 1)
    site.must("cluster")
    before = ids(site)
    wrong = {
        "unknown flavor 'tinny'; did you mean 'tiny'?": bare(ZONE, "ta", 2, flavor="tinny"),
        "unknown image 'debian-1'": bare(ZONE, "ta", 2, image="debian-1"),
    }
    for sentence, site.content in wrong.items():
        assert f"a run would refuse: cloud here: {sentence}" in site.must("status").output
        assert sentence in site.play("cluster").last(12)
    site.content = bare(ZONE, "ta", 2)
    site.content["clouds"]["again"] = site.content["clouds"]["here"]
    for playbook in ("status", "cluster"):
        assert "clouds here and again are the same cloud (zone tnodes in" in site.play(playbook).last(12)
    site.content = bare(ZONE, "ta", 1)
    refused = site.play("cluster", "-e", "node_user=daemon", "-e", "sky_counts.box=2", "-e", "node_usr=x").last(12)
    for sentence in (
        "node_user: 'daemon' is a user or a group of the system",
        "sky_counts.box: names of variables contain no dot",
        "did you mean 'node_user'?",
    ):
        assert sentence in refused
    renamed = site.play("cluster", "-e", "node_user=ada")
    assert renamed.code != 0
    assert "user 'sky' with id 1500 exists on this node" in renamed.output
    assert site.ssh("ta-box-0", "getent passwd 1500 | cut -d: -f1").strip() == "sky"
    assert ids(site) == before


def test_a_node_that_hangs_ends_the_run_in_bounded_time_and_the_others_go_on(site: Site, figure: Callable[[str], None]) -> None:
    """All processes of a node stand still: its kernel still takes connections, nothing answers them."""
    site.must("cluster")
    nodes = str(nodes_folder(ZONE))
    subprocess.run(["lxc-freeze", "-P", nodes, "-n", "ta-box-1"], check=True)
    try:
        site.environment = {"ANSIBLE_HOME": str(site.folder)}  # another machine than that which built it
        began = time.monotonic()
        played = site.play("cluster", "-e", "sky_full=true")
        took = time.monotonic() - began
    finally:
        subprocess.run(["lxc-unfreeze", "-P", nodes, "-n", "ta-box-1"], check=True)
    assert played.code != 0
    assert took < 90
    figure(f"18 a node that hangs: the run ended after {took:.0f} s and said so; the other node was visited")
    assert "ta-box-1" in played.last(20)
    assert played.tasks["ta-box-0"] > 5
    site.must("cluster", "-e", "sky_full=true")


def booted(site: Site) -> dict[str, str]:
    """When each node was started, as its kernel numbers its first process."""
    names = site.hosts("pool_box")
    return {name: site.ssh(name, "stat -c %Y /proc/1; findmnt -n -o TARGET /data/v") for name in names}


def reboot(site: Site, names: list[str]) -> float:
    """Reboot nodes as their administrator does, at once; the seconds until all are back, their volumes mounted."""
    before = booted(site)
    began = time.monotonic()
    for name in names:
        site.ssh(name, "systemctl --no-block reboot")
    waiting = set(names)
    while waiting:
        assert time.monotonic() - began < 300, waiting
        waiting -= {name for name in waiting if back(site, name, before[name])}
    return time.monotonic() - began


def back(site: Site, name: str, before: str) -> bool:
    try:
        now = site.ssh(name, "stat -c %Y /proc/1; findmnt -n -o TARGET /data/v")
    except AssertionError:  # it does not answer, or its volume is not mounted yet
        return False
    return now != before


def test_every_node_comes_back_from_a_reboot_with_its_volumes(site: Site, figure: Callable[[str], None]) -> None:
    site.content = bare(ZONE, "ta", 2, volumes={"v": 1})
    site.must("cluster")
    before = ids(site)
    each = [reboot(site, [name]) for name in boxes("ta", 0, 1)]
    together = reboot(site, boxes("ta", 0, 1))
    figure(f"32 bare nodes rebooted one by one: back after {', '.join(f'{took:.1f} s' for took in each)}; both at once: {together:.1f} s")
    is_whole(site, ZONE, boxes("ta", 0, 1))
    assert ids(site) == before


def rules() -> str:
    return subprocess.run(["nft", "list", "table", "ip", f"sky_{ZONE}"], check=True, capture_output=True, text=True).stdout


def test_a_second_run_and_growth_loosen_no_rule(site: Site, figure: Callable[[str], None]) -> None:
    site.content = bare(ZONE, "ta", 1, public_ip=True) | {"admin_cidrs": ["192.0.2.0/24"]}
    site.must("cluster")
    first = rules()
    site.must("cluster", "-e", "sky_full=true")
    assert rules() == first
    site.must("cluster", "-e", '{"sky_counts": {"box": 2}}')
    grown = rules()
    address = site.inventory()["_meta"]["hostvars"]["ta-box-0"]["sky_address"]
    assert [line for line in grown.splitlines() if "elements" not in line] == [line for line in first.splitlines() if "elements" not in line]
    assert address in first
    assert address in grown
    site.must("cluster")
    assert rules() == first
    figure(f"35 the zone's {len(first.splitlines())} lines of rules: equal byte for byte after a second run, and after growth and shrinking")
