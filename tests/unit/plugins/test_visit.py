# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a run visits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.visit import choose
from ansible_collections.sky.clusters.tests.support.visits import HostVars

MASTER, FIRST, SECOND = "demo-master-0", "demo-worker-0", "demo-worker-1"
ROLES = {MASTER: ["spark_master"], FIRST: ["spark_worker"], SECOND: ["spark_worker"]}


@pytest.fixture
def hostvars() -> HostVars:
    """A cluster of which all nodes were visited."""
    known = HostVars()
    for number, (name, roles) in enumerate(ROLES.items()):
        known[name] = {"sky_roles": roles, "sky_id": str(number), "sky_address": f"10.0.0.{number}", "sky_ready": "", "spark_version": "4.3.0"}
    visited(known, list(ROLES))
    return known


def visited(hostvars: HostVars, members: list[str]) -> None:
    for name, ready in chosen(hostvars, members, full=True)["hashes"].items():
        hostvars[name]["sky_ready"] = ready


def chosen(hostvars: HostVars, members: list[str], also: tuple[str, ...] = (), full: bool = False) -> dict[str, Any]:
    return choose({"members": members, "inputs": {}, "also": also, "full": full}, hostvars)


def test_without_a_change_no_node_is_visited_not_even_the_head(hostvars: HostVars) -> None:
    found = chosen(hostvars, [MASTER, FIRST, SECOND])
    assert (found["names"], found["due"], found["heads"]) == ([], [], {"spark_master": MASTER})


def test_a_node_with_a_fault_is_visited(hostvars: HostVars) -> None:
    assert chosen(hostvars, [MASTER, FIRST, SECOND], also=(SECOND, "demo-worker-9"))["names"] == [SECOND]


def test_a_full_run_visits_all_nodes(hostvars: HostVars) -> None:
    found = chosen(hostvars, [MASTER, FIRST, SECOND], also=(FIRST,), full=True)
    assert (sorted(found["names"]), found["due"]) == ([MASTER, FIRST, SECOND], [FIRST])


def test_each_visit_has_its_reasons(hostvars: HostVars) -> None:
    members = [MASTER, FIRST, SECOND]
    assert chosen(hostvars, members)["reasons"] == {}
    assert chosen(hostvars, members, also=(FIRST,), full=True)["reasons"] == {MASTER: ["full"], FIRST: ["faulty"], SECOND: ["full"]}
    hostvars[FIRST]["sky_ready"] = ""
    hostvars[SECOND]["spark_version"] = "4.3.1"
    assert chosen(hostvars, members, also=(SECOND,))["reasons"] == {FIRST: ["new"], SECOND: ["faulty", "changed"]}


def test_only_the_head_is_visited_when_members_are_added_or_removed(hostvars: HostVars) -> None:
    assert chosen(hostvars, [MASTER, FIRST])["names"] == [MASTER]
    visited(hostvars, [MASTER, FIRST])
    hostvars[SECOND]["sky_ready"] = ""
    assert sorted(chosen(hostvars, [MASTER, FIRST, SECOND])["names"]) == [MASTER, SECOND]


def test_another_head_makes_all_nodes_of_its_system_due(hostvars: HostVars) -> None:
    hostvars["demo-box-0"] = {"sky_roles": [], "sky_id": "9", "sky_address": "10.0.0.9", "sky_ready": ""}
    members = [MASTER, FIRST, SECOND, "demo-box-0"]
    visited(hostvars, members)
    hostvars[MASTER]["sky_id"] = "new"
    assert sorted(chosen(hostvars, members)["names"]) == [MASTER, FIRST, SECOND]


def test_a_changed_address_makes_a_node_due(hostvars: HostVars) -> None:
    hostvars[SECOND]["sky_cloud_address"] = "10.1.0.2"
    assert chosen(hostvars, [MASTER, FIRST, SECOND])["names"] == [SECOND]


def test_a_removed_role_makes_a_node_due(hostvars: HostVars) -> None:
    hostvars[SECOND]["sky_roles"] = []
    assert chosen(hostvars, [MASTER, FIRST, SECOND])["names"] == [SECOND]


# what is foretold


def planned(name: str, role: str, **more: Any) -> dict[str, Any]:
    """A host that does not exist yet."""
    variables = {"sky_roles": [role], "sky_id": "", "sky_address": "", "sky_ready": ""} | more
    return {"name": name, "groups": [role], "variables": variables}


def foretold(hostvars: HostVars, *coming: dict[str, Any], full: bool = False, **more: Any) -> dict[str, Any]:
    return choose({"members": [MASTER, FIRST, SECOND], "inputs": {}, "also": [], "full": full, "planned": list(coming)} | more, hostvars)


def test_nodes_that_do_not_exist_yet_are_told_apart_from_those_to_visit_now(hostvars: HostVars) -> None:
    found = foretold(hostvars, planned("demo-worker-2", "spark_worker"))
    assert (found["names"], found["later"]) == ([MASTER], ["demo-worker-2"])
    assert found["reasons"] == {MASTER: ["changed"], "demo-worker-2": ["new"]}
    assert set(found["addresses"]) == {MASTER, FIRST, SECOND}  # roles that run in check mode work with the nodes that exist


def test_a_node_that_is_replaced_is_not_visited_before_that(hostvars: HostVars) -> None:
    found = foretold(hostvars, planned(MASTER, "spark_master"), full=True)
    assert (sorted(found["names"]), found["later"]) == ([FIRST, SECOND], [MASTER])
    assert found["heads"] == {"spark_master": MASTER}
    assert found["reasons"][FIRST] == ["changed"]  # its head is another


def test_a_load_balancer_is_visited_for_nodes_that_do_not_exist_yet(hostvars: HostVars) -> None:
    hostvars["demo-front-0"] = {"sky_roles": [], "sky_id": "9", "sky_address": "10.0.0.9", "sky_ready": "", "sky_balances": [{"port": 80}]}
    members = [MASTER, FIRST, SECOND, "demo-front-0"]
    visited(hostvars, members)
    backend = planned("demo-web-0", "demo.web", sky_fronts=["load_balancer"])
    assert sorted(foretold(hostvars, backend, members=members)["names"]) == ["demo-front-0", MASTER]


def test_nodes_that_are_drained_before_a_restart_are_named(hostvars: HostVars) -> None:
    for variables in hostvars.values():
        variables["spark_version"] = "4.3.1"
    workers = {FIRST: ["spark_worker"], SECOND: ["spark_worker"]}
    assert foretold(hostvars)["drains"] == workers
    assert [foretold(hostvars, disruption=each)["drains"] for each in ("refuse", "force")] == [{}, {}]
    visited(hostvars, list(ROLES))
    assert foretold(hostvars, also=[FIRST])["drains"] == {}  # what is repaired does not run
    assert foretold(hostvars, also=[FIRST], full=True)["drains"] == {SECOND: ["spark_worker"]}
    hostvars[FIRST]["sky_ready"] = ""
    assert foretold(hostvars)["drains"] == {}  # a new node runs nothing


# clusters with a network of their own


NETWORKED = {"sky_network": {"overlay": None}, "sky_number": 1, "sky_cloud": "one", "sky_addresses": [], "sky_pool": "p"}


def test_nodes_of_a_network_are_visited_when_another_one_serves_their_list(hostvars: HostVars) -> None:
    for name in hostvars:
        hostvars[name] |= NETWORKED | {"sky_serves": name == "demo-master-0"}
    before = choose({"members": list(hostvars), "inputs": {}, "also": [], "full": True}, hostvars)
    assert before["serves"] == "demo-master-0"
    hostvars["demo-master-0"]["sky_id"] = "another"
    after = choose({"members": list(hostvars), "inputs": {}, "also": [], "full": True}, hostvars)
    assert all(after["hashes"][name] != before["hashes"][name] for name in hostvars)


def test_a_new_member_of_a_network_visits_the_node_that_serves_the_list_alone(hostvars: HostVars) -> None:
    for name in hostvars:
        hostvars[name] |= NETWORKED | {"sky_serves": name == "demo-master-0"}
    members = list(hostvars)
    few = choose({"members": members[:-1], "inputs": {}, "also": [], "full": True}, hostvars)["hashes"]
    more = choose({"members": members, "inputs": {}, "also": [], "full": True}, hostvars)["hashes"]
    assert {name for name in few if few[name] != more[name]} == {"demo-master-0"}


def test_another_machine_of_the_same_name_and_address_is_a_new_node_behind_a_load_balancer(hostvars: HostVars) -> None:
    hostvars["demo-front-0"] = {"sky_roles": [], "sky_id": "9", "sky_address": "10.0.0.9", "sky_ready": "", "sky_balances": [{"port": 80}]}
    hostvars[FIRST]["sky_fronts"] = ["load_balancer"]
    members = [MASTER, FIRST, SECOND, "demo-front-0"]
    visited(hostvars, members)
    hostvars[SECOND]["sky_id"] = "new"
    assert chosen(hostvars, members)["names"] == []
    hostvars[FIRST]["sky_id"] = "new"
    assert chosen(hostvars, members)["names"] == ["demo-front-0"]


def test_another_machine_of_the_same_name_and_address_is_a_new_node_to_the_server_of_a_batch_system(hostvars: HostVars) -> None:
    """It has another host key, and the server has forgotten it if it was drained."""
    for name, role in ((MASTER, "torque_server"), (FIRST, "torque_node"), (SECOND, "nfs_client")):
        hostvars[name]["sky_roles"] = [role]
    members = [MASTER, FIRST, SECOND]
    visited(hostvars, members)
    hostvars[SECOND]["sky_id"] = "new, and of no concern"
    assert chosen(hostvars, members)["names"] == []
    hostvars[FIRST] |= {"sky_id": "new", "sky_ready": ""}
    assert sorted(chosen(hostvars, members)["names"]) == [MASTER, FIRST]


def test_a_changed_requirements_file_makes_all_nodes_due_that_have_its_packages(hostvars: HostVars, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("numpy==2.4.0\n", encoding="utf-8")
    hostvars["demo-box-0"] = {"sky_roles": [], "sky_id": "9", "sky_address": "10.0.0.9", "sky_ready": ""}
    for variables in hostvars.values():
        variables["spark_python_packages"] = str(file)
    members = [MASTER, FIRST, SECOND, "demo-box-0"]
    visited(hostvars, members)
    assert chosen(hostvars, members)["names"] == []
    file.write_text("numpy==2.4.1\n", encoding="utf-8")
    assert sorted(chosen(hostvars, members)["names"]) == [MASTER, FIRST, SECOND]


def test_a_renewed_certificate_makes_all_nodes_due_that_trust_it(hostvars: HostVars, tmp_path: Path) -> None:
    """Its file may have the same name as before, and another place."""
    file = tmp_path / "ca.pem"
    file.write_text("first", encoding="utf-8")
    hostvars["demo-box-0"] = {"sky_roles": [], "sky_id": "9", "sky_address": "10.0.0.9", "sky_ready": ""}
    for variables in hostvars.values():
        variables["s3a_ca_file"] = str(file)
    members = [MASTER, FIRST, SECOND, "demo-box-0"]
    visited(hostvars, members)
    file.rename(tmp_path / "moved.pem")
    for variables in hostvars.values():
        variables["s3a_ca_file"] = str(tmp_path / "moved.pem")
    assert chosen(hostvars, members)["names"] == []
    (tmp_path / "moved.pem").write_text("second", encoding="utf-8")
    assert sorted(chosen(hostvars, members)["names"]) == [MASTER, FIRST, SECOND]


def test_a_notebook_is_no_matter_of_the_workers(hostvars: HostVars) -> None:
    for variables in hostvars.values():
        variables["spark_notebook"] = True
    assert chosen(hostvars, [MASTER, FIRST, SECOND])["names"] == [MASTER]
