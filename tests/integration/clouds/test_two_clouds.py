# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster, from one file, with pools on OpenStack and on this machine: made, used, looked at, changed and taken away together.

Its overlay is made by itself. No node of this machine has a public address, and one host of OpenStack has: the other one is reached through it, past
the security groups and the port security of a real Neutron.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support import openstack_site, scan
from ansible_collections.sky.clusters.tests.support.bare import containers, ids
from ansible_collections.sky.clusters.tests.support.guest import guest
from ansible_collections.sky.clusters.tests.support.isolated_clouds import find_programs, until
from ansible_collections.sky.clusters.tests.support.openstack_site import HERE, OpenStackSite, cloud_entry
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import SHUFFLE, UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.openstack]

ZONE = "tmix"
MASTER, NEAR, DOOR, FAR = "tmix-master-0", "tmix-worker-0", "tmix-door-0", "tmix-far-0"
PACKAGES = ["wireguard-tools", "wireguard-go", "nftables"]


def content(far: int, near: int) -> dict[str, Any]:
    """So many workers on OpenStack, and so many on this machine."""
    file = spark(ZONE, near)
    file["clouds"]["here"]["packages"] += PACKAGES
    file["clouds"]["campus"] = cloud_entry(flavor="node.1c2g")
    file["pools"]["door"] = {"cloud": "campus", "count": 1, "public_ip": True, "flavor": "node.tiny", "roles": ["gateway"]}
    file["pools"]["far"] = {"cloud": "campus", "count": far, "roles": ["spark_worker"]}
    return file | {"admin_cidrs": [HERE]}


@pytest.fixture(scope="module")
def campus() -> OpenStackSite:
    """The test cloud, started if it does not run."""
    return openstack_site.running()


@pytest.fixture(scope="module")
def site(campus: OpenStackSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What was on the machine and in the project before is there after, and nothing else."""
    find_programs(Path("~/.cache/sky-clusters/lab").expanduser())
    before = machine_state(ZONE), campus.objects("physics")
    made = Site(tmp_path_factory.mktemp("mix"), ZONE, content(1, 1), campus.environment("alice"))
    (made.folder / "shuffle.py").write_text(SHUFFLE, encoding="utf-8")
    yield made
    made.must("destroy", *made.with_data)
    assert (machine_state(ZONE), campus.objects("physics")) == before


def network(site: Site) -> dict[str, Any]:
    """What ``sky.clusters.network`` shows."""
    site.must("network", "-e", f"sky_network_file={site.folder}/network.json")
    return dict(json.loads((site.folder / "network.json").read_text(encoding="utf-8")))


def variables(site: Site) -> dict[str, dict[str, Any]]:
    return dict(site.inventory()["_meta"]["hostvars"])


def test_one_file_makes_a_cluster_of_two_clouds(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    site.must("spark_cluster", *UNPROVED)
    took = time.monotonic() - began
    hosts = variables(site)
    assert {name: each["sky_cloud"] for name, each in hosts.items()} == {MASTER: "here", NEAR: "here", DOOR: "campus", FAR: "campus"}
    assert {name: site.ssh(name, "hostname").strip() for name in hosts} == {name: name for name in hosts}
    seen = network(site)
    assert seen["faults"] == []
    assert {seen["nodes"][name]["agent"]["ways"]["campus"] for name in (MASTER, NEAR)} == {f"gateway {DOOR}"}
    engines = {state["agent"]["engine"] for state in seen["nodes"].values()}
    figure(f"Spark over an OpenStack (security groups, port security) and this machine, 4 nodes: {took:.0f} s ({', '.join(engines)})")


def test_a_job_shuffles_between_the_clouds(site: Site, figure: Callable[[str], None]) -> None:
    hosts = variables(site)
    said = site.must("spark_submit", "-e", "sky_application=shuffle.py").output
    assert "keys 1000 rows 400000" in said
    executors = re.search(r"executors \[(.*)\]", said)
    assert executors is not None
    assert {hosts[name]["sky_address"] for name in (NEAR, FAR)} < set(executors[1].replace("'", "").split(", "))
    seconds = re.search(r"rows 400000 seconds ([0-9.]+)", said)
    assert seconds is not None
    figure(f"a shuffle of 400,000 rows between a host of OpenStack and a node of this machine: {seconds[1]} s")


def test_security_group_and_firewall_let_in_the_same(site: Site, campus: OpenStackSite) -> None:
    network = campus.connect("alice").network
    (group,) = [each for each in network.security_groups() if each.name == f"sky-{ZONE}"]
    rules = [rule for rule in network.security_group_rules(security_group_id=group.id, direction="ingress") if rule.protocol]
    opened = {(rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix) for rule in rules}
    assert opened == {("tcp", 22, 22, HERE), ("udp", 51820, 51820, None), ("udp", 52000, 64287, None)}
    assert "udp dport 51820 ip saddr @underlay_v4" in site.ssh(DOOR, "nft list chain inet sky input")
    assert "ip saddr @underlay_v4 ct status dnat accept" in site.ssh(DOOR, "nft list chain inet sky forward")  # other ports
    address = variables(site)[DOOR]["ansible_host"]
    assert scan.scan([address]) == {address: [22]}


def test_cloud_init_leaves_the_names_alone(site: Site) -> None:
    """The image lets it manage the hosts file; it does so at every boot."""
    said = site.ssh(FAR, f"cloud-init single --name cc_update_etc_hosts --frequency always; head -1 /etc/hosts; getent hosts {MASTER} {FAR}")
    assert "Written by sky.clusters" in said
    hosts = variables(site)
    assert [line.split() for line in said.splitlines()[-2:]] == [[hosts[name]["sky_address"], name] for name in (MASTER, FAR)]


def test_a_second_run_changes_nothing(site: Site) -> None:
    assert set(site.must("spark_cluster", *UNPROVED).changed.values()) == {0}


def test_the_key_of_a_worker_that_leaves_is_no_longer_accepted(site: Site) -> None:
    """Whoever has copied it is a member until then, and nobody after."""
    hosts, first = variables(site), ids(site)
    profile = {
        "PrivateKey": site.ssh(FAR, "cat /etc/sky/network/private.key").strip(),
        "PublicKey": site.ssh(DOOR, "wg show sky0 public-key").strip(),
        "Endpoint": f"{hosts[DOOR]['ansible_host']}:51820",
        "Address": f"{hosts[FAR]['sky_address']}/32",
        "AllowedIPs": "10.99.0.0/16",
    }
    key = site.ssh(FAR, "wg show sky0 public-key").strip()
    door = hosts[DOOR]["sky_address"]
    with guest(site.folder, profile) as reaches:
        until(lambda: reaches(door), 15, "the key is accepted")
    site.content = content(0, 2)
    site.must("spark_cluster", *UNPROVED)
    left = ids(site)
    assert left == {name: first[name] for name in (MASTER, NEAR, DOOR)} | {"tmix-worker-1": left["tmix-worker-1"]}
    assert containers(ZONE) == [MASTER, NEAR, "tmix-worker-1"]
    assert not any(key in site.ssh(name, "wg show sky0 peers") for name in left)
    with guest(site.folder, profile) as reaches:
        assert not any(reaches(door) for _try in range(3))
    assert network(site)["faults"] == []


def test_a_cloud_that_does_not_answer_is_no_cloud_without_nodes(site: Site, campus: OpenStackSite) -> None:
    """Nothing is concluded from it, and nothing is deleted."""
    site.environment["OS_CLIENT_CONFIG_FILE"] = "/nonexistent"
    refused = site.play("spark_cluster", "-e", '{"sky_counts": {"worker": 1}}')
    site.environment.update(campus.environment("alice"))
    assert refused.code != 0
    assert "campus" in refused.last(8)
    assert containers(ZONE) == [MASTER, NEAR, "tmix-worker-1"]


def test_nothing_of_it_is_left(site: Site) -> None:
    assert "nothing of it is left" in site.must("destroy", *site.with_data).output
