# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes share: made once, missed, mended, removed, and told from that of another owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Invalid, Mark, NodeSpec, Scope, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, NETWORK, Api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._marks import owned_name
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._survey import survey
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud, Request, record

Opened = Callable[..., OpenStackCloud]
MARK = "sky/1 skyg skyg"


@pytest.fixture(autouse=True)
def neutron(project: LittleCloud) -> None:
    """Two things that Neutron does besides keeping objects: rules stand in their group, and a router's interface is a port."""

    def ruled(request: Request) -> Answer:
        rule = {"id": f"rule-{len(project.requests)}"} | request.body["security_group_rule"]
        (group,) = [group for group in project.stored[NETWORK, "security-groups"] if group["id"] == rule["security_group_id"]]
        group.setdefault("security_group_rules", []).append(rule)
        return Answer({"security_group_rule": rule}, 201)

    project.reacts("POST", NETWORK, "/security-group-rules", ruled)

    def plugged(request: Request) -> Answer | None:
        _empty, collection, router, *rest = [*request.path.split("/"), "", ""][:5]
        if collection != "routers" or "interface" not in "".join(rest):
            return None
        ports = project.stored[NETWORK, "ports"]
        if rest[0] == "add_router_interface":
            ports.append({"id": f"interface-{router}", "name": "", "device_id": router, "device_owner": "network:router_interface"})
        else:
            ports[:] = [port for port in ports if port["id"] != request.body["port_id"]]
        return Answer({})

    project.first.append(plugged)


def kinds(project: LittleCloud) -> dict[str, list[str]]:
    collections = ("security-groups", "networks", "subnets", "routers", "ports")
    return {kind: [str(item.get("name")) for item in project.stored[NETWORK, kind] if item.get("name") != "public"] for kind in collections}


def writes(project: LittleCloud) -> list[Request]:
    return [request for request in project.requests if request.verb != "GET"]


def test_all_of_it_is_made_once_with_its_mark(project: LittleCloud, opened: Opened) -> None:
    cloud = opened()
    assert cloud.gaps() == ["security group sky-skyg", "network sky-skyg", "subnet sky-skyg", "router sky-skyg"]
    cloud.repair()
    assert kinds(project) == {
        "security-groups": ["sky-skyg"],
        "networks": ["sky-skyg"],
        "subnets": ["sky-skyg"],
        "routers": ["sky-skyg"],
        "ports": [""],
    }
    for kind in ("security-groups", "subnets", "routers"):
        assert [item["description"] for item in project.stored[NETWORK, kind]] == [MARK]
    made = len(writes(project))
    assert cloud.gaps() == []
    cloud.repair()
    assert len(writes(project)) == made
    assert cloud.leftovers() == ["security group sky-skyg", "router sky-skyg", "subnet sky-skyg", "network sky-skyg"]
    cloud.dismantle()
    assert kinds(project) == {"security-groups": [], "networks": [], "subnets": [], "routers": [], "ports": []} | {"subnets": ["sky-skyg"]}
    project.stored[NETWORK, "subnets"].clear()  # which go with their network, in a real cloud
    assert cloud.leftovers() == []
    cloud.dismantle()


def spec(pool: str = "p") -> NodeSpec:
    return NodeSpec(Mark("skyg", "skyg", pool, 0), "fake-12", "small", ssh_keys=("ssh-ed25519 AAAA me",))


def test_what_a_first_build_makes_is_named_and_made_by_none_of_the_questions(project: LittleCloud, opened: Opened) -> None:
    cloud = opened(anti_affinity=True)
    name = owned_name("skyg", "skyg")
    missing = cloud.shared_missing([spec(), spec("q")])
    assert missing[:4] == ["security group sky-skyg", "network sky-skyg", "subnet sky-skyg", "router sky-skyg"]
    assert missing[4].startswith(f"key pair {name}-")
    assert missing[5:7] == [f"server group {name}-p", f"server group {name}-q"]
    assert missing[7:] == [
        "rule everything from group sky-skyg (IPv4)",
        "rule everything from group sky-skyg (IPv6)",
        "rule tcp 22 from 192.0.2.0/24 (IPv4)",
    ]
    assert cloud.shared_missing([]) == []
    assert writes(project) == []
    list(cloud.create([spec(), spec("q")]))
    keys = project.stored[COMPUTE, "os-keypairs"]
    keys[:] = [{"keypair": key} for key in keys]  # as Nova lists them
    assert cloud.shared_missing([spec(), spec("q")]) == []
    assert sorted(cloud.shared_existing()) == sorted(missing[:7])


def test_a_network_that_is_there_is_used_and_none_is_made(project: LittleCloud, opened: Opened) -> None:
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab"})
    cloud = opened(network="lab", external_network="")
    cloud.repair()
    assert kinds(project) == {"security-groups": ["sky-skyg"], "networks": ["lab"], "subnets": [], "routers": [], "ports": []}
    cloud.dismantle()
    assert kinds(project)["networks"] == ["lab"]


def test_rules_that_were_changed_are_reported_and_repaired(project: LittleCloud, opened: Opened) -> None:
    cloud = opened()
    cloud.repair()
    (group,) = project.stored[NETWORK, "security-groups"]
    rules = group["security_group_rules"]
    blank = dict.fromkeys(("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"))
    ssh = next(rule for rule in rules if rule["protocol"] == "tcp")
    rules.remove(ssh)
    open_to_all = {"id": "x", "direction": "ingress", "ethertype": "IPv4"} | blank | {"protocol": "tcp", "port_range_min": 80, "port_range_max": 81}
    rules.append(open_to_all)
    assert cloud.gaps() == ["rule: tcp 22 from 192.0.2.0/24 (IPv4)", "rule: tcp 80 to 81 from anywhere (IPv4)"]
    cloud.repair()
    assert [request.path for request in project.asked("DELETE", NETWORK)] == ["/security-group-rules/x"]
    rules.remove(open_to_all)
    assert cloud.gaps() == []


def test_another_owner_s_cluster_of_the_same_name_is_not_touched(project: LittleCloud, opened: Opened) -> None:
    theirs = opened(owner="bob")
    theirs.repair()
    bobs = {collection: [dict(item) for item in items] for collection, items in project.stored.items()}
    mine = opened()
    assert len(mine.gaps()) == 4
    mine.repair()
    mine.dismantle()
    project.stored[NETWORK, "subnets"][:] = [item for item in project.stored[NETWORK, "subnets"] if item["description"] != MARK]
    assert {collection: [dict(item) for item in items] for collection, items in project.stored.items()} == bobs


def test_another_owner_s_nodes_of_the_same_name_are_not_touched(project: LittleCloud, opened: Opened) -> None:
    """They have no port of ours: that is no gap."""
    server = record("servers")["active"]
    project.holds(COMPUTE, "servers", server | {"metadata": server["metadata"] | {"sky": "sky/1 bob skyg p 0"}})
    cloud = opened()
    cloud.repair()
    made = len(writes(project))
    assert cloud.gaps() == []
    cloud.repair()
    assert len(writes(project)) == made


def test_a_port_and_an_address_that_somebody_took_are_given_back(project: LittleCloud, opened: Opened) -> None:
    server = record("servers")["active"]
    project.holds(COMPUTE, "servers", server)
    cloud = opened()
    with_port, without = (Answer({"interfaceAttachments": items}) for items in ([{"port_id": "unlisted"}], []))
    project.answers("GET", COMPUTE, f"/servers/{server['id']}/os-interface", with_port, without)
    with pytest.raises(Unavailable, match=f"server {server['id']} has a port, but no list shows the port of skyg-p-0 with its mark"):
        cloud.repair()
    assert [port for port in project.stored[NETWORK, "ports"] if port.get("name")] == []
    cloud.repair()
    (port,) = [port for port in project.stored[NETWORK, "ports"] if port.get("name") == "skyg-p-0"]
    assert (port["description"], port["security_groups"]) == (MARK, [project.stored[NETWORK, "security-groups"][0]["id"]])
    (asked,) = project.asked("POST", COMPUTE)
    assert (asked.path, asked.body) == (f"/servers/{server['id']}/os-interface", {"interfaceAttachment": {"port_id": port["id"]}})
    (address,) = project.stored[NETWORK, "floatingips"]
    assert (address["port_id"], address["description"]) == (port["id"], MARK)
    project.stored[NETWORK, "floatingips"].clear()
    assert cloud.gaps() == ["floating address of skyg-p-0"]
    cloud.repair()
    assert [address["port_id"] for address in project.stored[NETWORK, "floatingips"]] == [port["id"]]
    assert cloud.gaps() == []


def test_what_a_run_that_was_killed_left_is_reported_and_removed(project: LittleCloud, opened: Opened) -> None:
    cloud = opened()
    cloud.repair()
    known: dict[str, Any] = {"description": MARK, "floating_ip_address": "198.51.100.7"}
    project.holds(NETWORK, "ports", {"id": "p", "name": "skyg-p-5", "description": MARK, "device_id": ""})
    project.holds(NETWORK, "floatingips", {"id": "f", "port_id": "p"} | known, {"id": "g", "port_id": None} | known)
    project.holds(NETWORK, "floatingips", {"id": "theirs", "port_id": None, "description": "sky/1 bob skyg", "floating_ip_address": "198.51.100.8"})
    assert cloud.gaps() == ["port skyg-p-5 without a node", "floating address 198.51.100.7 without a port"]
    cloud.repair()
    assert [address["id"] for address in project.stored[NETWORK, "floatingips"]] == ["theirs"]
    assert cloud.gaps() == []


@pytest.mark.parametrize("first", ["the server's", "the spare one"])
def test_a_second_port_of_a_node_is_removed_once_its_server_runs_with_the_other(project: LittleCloud, opened: Opened, first: str) -> None:
    """As a run that was killed leaves it, whose call came to the cloud after the next run had looked."""
    cloud = opened()
    cloud.repair()
    (server,) = project.holds(COMPUTE, "servers", record("servers")["active"] | {"status": "BUILD"})
    known = {"name": "skyg-p-0", "description": MARK}
    ports = [known | {"id": "own", "device_id": server["id"]}, known | {"id": "spare", "device_id": ""}]
    project.holds(NETWORK, "ports", *(ports if first == "the server's" else reversed(ports)))
    project.holds(NETWORK, "floatingips", {"id": "f", "port_id": "own", "description": MARK, "floating_ip_address": "198.51.100.7"})
    assert cloud.gaps() == []  # either may be the one that it is given
    server["status"] = "ACTIVE"
    assert cloud.gaps() == ["port skyg-p-0 without a node"]
    cloud.repair()
    assert [port["id"] for port in project.stored[NETWORK, "ports"] if port.get("name") == "skyg-p-0"] == ["own"]
    assert [address["id"] for address in project.stored[NETWORK, "floatingips"]] == ["f"]
    assert cloud.gaps() == []


def test_of_two_groups_that_were_made_at_once_everybody_takes_the_older(project: LittleCloud, opened: Opened) -> None:
    cloud = opened()
    older: dict[str, Any] = {"id": "older", "name": "sky-skyg", "description": MARK, "created_at": "2026-01-01T00:00:00Z", "revision_number": 1}

    def made_meanwhile(request: Request) -> Answer:
        project.holds(NETWORK, "security-groups", older)
        answer = project.carry_out(request)
        project.stored[NETWORK, "security-groups"][-1] |= {"created_at": "2026-01-01T00:00:01Z", "revision_number": 1}
        return answer

    project.reacts("POST", NETWORK, "/security-groups", made_meanwhile)
    cloud.lock("ada@here (process 1)", 60)
    (group,) = project.stored[NETWORK, "security-groups"]
    assert (group["id"], group["description"].startswith(f"{MARK} locked ")) == ("older", True)


def test_a_second_group_that_a_killed_run_left_goes_with_the_cluster(project: LittleCloud, opened: Opened) -> None:
    marked: dict[str, Any] = {"name": "sky-skyg", "description": MARK, "created_at": "2026-01-01T00:00:00Z"}
    project.holds(NETWORK, "security-groups", {"id": "first"} | marked, {"id": "second"} | marked, {"id": "theirs"} | marked | {"description": "x"})
    assert opened().leftovers() == ["security group sky-skyg"] * 2
    opened().dismantle()
    assert [group["id"] for group in project.stored[NETWORK, "security-groups"]] == ["theirs"]


def test_groups_of_the_name_alone_are_not_ours(project: LittleCloud, api: Api) -> None:
    marks = ["", f"{MARK}2", "sky/1 bob skyg", f"about {MARK}"]
    project.holds(NETWORK, "security-groups", *({"id": str(n), "name": "sky-skyg", "description": text} for n, text in enumerate(marks)))
    assert survey(api, Scope("skyg"), "skyg").group is None
    project.holds(NETWORK, "security-groups", {"id": "ours", "name": "sky-skyg", "description": f"{MARK} locked x"})
    found = survey(api, Scope("skyg"), "skyg").group
    assert found is not None and found["id"] == "ours"


def test_a_filter_that_the_cloud_does_not_know_finds_nothing_of_others(project: LittleCloud, api: Api) -> None:
    project.answers("GET", NETWORK, "/ports", Answer({"ports": [{"id": "1", "name": "skyg-p-0", "description": "theirs"}]}))
    assert survey(api, Scope("skyg"), "skyg").ports == ()


def test_a_network_that_does_not_lead_outside_is_refused(project: LittleCloud, opened: Opened) -> None:
    project.holds(NETWORK, "networks", {"id": "n", "name": "inside", "router:external": False})
    with pytest.raises(Invalid, match="external_network 'inside' is not an external network"):
        opened(external_network="inside").repair()


def test_a_cluster_with_nodes_is_not_dismantled(project: LittleCloud, opened: Opened) -> None:
    project.holds(COMPUTE, "servers", record("servers")["active"])
    with pytest.raises(CloudError, match=r"^cluster skyg still has nodes: skyg-p-0$"):
        opened().dismantle()
    assert writes(project) == []
    project.stored[COMPUTE, "servers"][0] |= {"OS-EXT-STS:task_state": "deleting"}
    opened().dismantle()


def test_keys_and_server_groups_go_with_the_cluster(project: LittleCloud, opened: Opened) -> None:
    """They bear no mark; their names say whose they are."""
    own, bobs, other = (owned_name(*whose) for whose in (("skyg", "skyg"), ("skyg", "bob"), ("skyg-too", "skyg")))
    keys = [f"{own}-0123456789ab", f"{bobs}-0123456789ab", f"{other}-0123456789ab", "sky-skyg-0123456789ab", own, "mine"]
    project.holds(COMPUTE, "os-keypairs", *({"id": name, "keypair": {"name": name}} for name in keys))
    groups = [f"{own}-p", f"{bobs}-p", f"{other}-p", "sky-skyg-p", own]
    project.holds(COMPUTE, "os-server-groups", *({"id": name, "name": name} for name in groups))
    cloud = opened()
    assert cloud.leftovers() == [f"key pair {keys[0]}", f"server group {groups[0]}"]
    cloud.dismantle()
    assert [item["id"] for item in project.stored[COMPUTE, "os-keypairs"]] == keys[1:]
    assert [item["id"] for item in project.stored[COMPUTE, "os-server-groups"]] == groups[1:]


def test_two_owners_clusters_of_one_name_share_no_server_group(project: LittleCloud, opened: Opened) -> None:
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab"})
    for owner in ("", "bob", ""):
        cloud = opened(owner=owner, network="lab", anti_affinity=True)
        list(cloud.create([NodeSpec(Mark(cloud.owner, "skyg", "p", 0), "fake-12", "small")]))
    names = [group["name"] for group in project.stored[COMPUTE, "os-server-groups"]]
    assert names == [f"{owned_name('skyg', owner)}-p" for owner in ("skyg", "bob")]
