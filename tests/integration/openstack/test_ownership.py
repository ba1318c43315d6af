# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters in a project of a real OpenStack that others use as well: checks 20 to 24 of docs/reliability.md.

The servers exist in the API only; how ssh is left out of it says `tests/support/campus_clusters.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.tests.support.campus_clusters import (
    POOLS,
    Wanted,
    cloud_of,
    ids,
    must,
    of_campus,
    parts,
    planned,
    run_of,
    said,
    started,
)
from ansible_collections.sky.clusters.tests.support.engine_runs import present
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("chemistry")]

ONE = {"w": {"count": 1, "volumes": {"d": 1}}}


def test_names_that_are_prefixes_of_one_another(campus: OpenStackSite, wanted: Wanted, figure: Callable[[str], None]) -> None:
    files = {name: wanted(ONE, name) for name in ("zp", "zp1", "zp-b")}
    for file in files.values():
        must(file)
    others = of_campus(campus, "zp1|zp-b")
    assert len(others) == 10  # a server, a volume, a port, a group and a key pair each
    assert said(files["zp"], "absent") == ""
    assert of_campus(campus, "zp.*") == others
    figure(f"20  clusters {', '.join(files)} side by side: destroying the first touched none of the others' {len(others)} things")


def test_a_cluster_of_the_same_name_with_another_owner_is_refused_with_the_way_on(campus: OpenStackSite, wanted: Wanted) -> None:
    hers, his, ours = (wanted({"w": 1}, "zq", user, owner=owner) for user, owner in (("carol", ""), ("bob", ""), ("bob", "carol")))
    must(hers)
    before = of_campus(campus, "zq")
    for what in ("present", "absent"):
        told = said(his, what)
        assert "cluster zq in cloud campus belongs to carol, but you are bob; to manage it together, put 'owner: carol' in the cluster file" in told
    assert of_campus(campus, "zq") == before
    assert not present(run_of(ours)).plan.changes  # as the sentence says
    assert said(hers, "absent") == ""


@pytest.fixture
def carol(campus: OpenStackSite) -> Connection:
    """Somebody who works in the project by hand."""
    return campus.connect("carol")


@pytest.fixture
def strange(carol: Connection) -> Iterator[Callable[..., str]]:
    """Makes servers by hand; they are deleted after the test."""
    made = []
    image = carol.image.find_image("fake-12", ignore_missing=False)
    flavor = carol.compute.find_flavor("node.tiny", ignore_missing=False)

    def make(name: str, **more: Any) -> str:
        made.append(carol.compute.create_server(name=name, image_id=image.id, flavor_id=flavor.id, networks="none", **more))
        carol.compute.wait_for_server(made[-1])
        return str(made[-1].id)

    yield make
    for server in made:
        carol.compute.delete_server(server)
    for server in made:
        carol.compute.wait_for_delete(server)


def test_what_is_somebody_elses_is_never_touched(campus: OpenStackSite, carol: Connection, wanted: Wanted, strange: Callable[..., str]) -> None:
    """Servers, a volume, a port and a group with names like ours, and a server with a copied mark."""
    marked = {"sky": "sky/1 carol zo w 0"}
    strange("zo-w-5")
    strange("zo-evil", metadata=marked, tags=["sky:zo"])
    volume = carol.block_storage.create_volume(name="zo-w-0-d", size=1)
    network = carol.network.find_network("private", ignore_missing=False)
    port = carol.network.create_port(name="zo-w-1", network_id=network.id)
    group = carol.network.create_security_group(name="sky-zo")
    before = of_campus(campus, "zo")
    assert len(before) == 5
    try:
        file = wanted({"w": 3}, "zo")
        outcome = present(run_of(file))
        assert sorted(outcome.members) == ["zo-w-0", "zo-w-1"]  # what bears the name of one is counted as one, lest it be doubled
        assert sum("is left alone" in note for note in outcome.plan.notes) == 2
        taken = wanted(ONE, "zo")
        (failed,) = present(run_of(taken)).result.failed
        assert failed.reason.startswith(f"the name zo-w-0-d is taken by volume {volume.id}: it has no mark")
        assert said(file, "absent") == ""
        assert of_campus(campus, "zo") == before
    finally:
        carol.block_storage.delete_volume(str(volume.id))
        carol.network.delete_port(port)
        carol.network.delete_security_group(group)


def test_a_node_without_its_marks_and_a_copy_of_a_node(campus: OpenStackSite, carol: Connection, wanted: Wanted, strange: Callable[..., str]) -> None:
    file = wanted({"w": 2}, "zm")
    must(file)
    stood = of_campus(campus, "zm")
    server = carol.compute.get_server(ids(file)["zm-w-0"])
    known = dict(server.metadata)
    carol.compute.delete_server_metadata(server, keys=list(known))
    carol.compute.remove_tags_from_server(server)
    outcome = present(run_of(file))
    assert outcome.faults == ["pools.w: 1 node(s) where at least 2 are needed"]
    assert "node zm-w-0 in cloud campus is left alone: it has no mark" in outcome.plan.notes
    assert of_campus(campus, "zm") == stood
    carol.compute.set_server_metadata(server, **known)
    carol.compute.add_tag_to_server(server, "sky:zm")
    copy = strange("zm-w-0", metadata=known)
    with pytest.raises(Refused, match=rf"node zm-w-0 exists twice .*id ({copy}|{server.id})\): delete the wrong one by hand"):
        present(run_of(file))
    assert of_campus(campus, "zm").items() >= stood.items()
    carol.compute.delete_server(copy)
    carol.compute.wait_for_delete(carol.compute.get_server(copy))
    must(file)
    assert of_campus(campus, "zm") == stood


class Vandal:
    """Deletes things of one cluster from outside."""

    def __init__(self, campus: OpenStackSite, carol: Connection, name: str) -> None:
        self.campus = campus
        self.admin = campus.admin()
        self.carol = carol
        self.name = name

    def things(self) -> dict[str, str]:
        """Identifiers by kind and name."""
        found = of_campus(self.campus, self.name)
        by_name = {thing: identifier for identifier, thing in found.items()}
        assert len(by_name) == len(found)
        return by_name

    def port(self) -> set[str]:
        self.admin.network.delete_port(self.things()[f"port {self.name}-w-0"])
        return {f"port {self.name}-w-0"}

    def address(self) -> set[str]:
        self.admin.network.delete_ip(self.things()[f"floating ip {self.name}"])
        return {f"floating ip {self.name}"}

    def rule(self) -> set[str]:
        group = self.things()[f"security group sky-{self.name}"]
        rules = self.admin.network.security_group_rules(security_group_id=group, direction="ingress", protocol="tcp")
        self.admin.network.delete_security_group_rule(next(iter(rules)))
        return set()

    def router(self) -> set[str]:
        """With its interface, which has to go before it, and the address outside, which has to go before that."""
        gone = self.address()
        things = self.things()
        router, subnet = things[f"router sky-{self.name}"], things[f"subnet sky-{self.name}"]
        self.admin.network.remove_interface_from_router(router, subnet)
        self.admin.network.delete_router(router)
        return gone | {f"router sky-{self.name}"}

    def server_and_key(self) -> set[str]:
        (key,) = [thing.removeprefix("key pair ") for thing in self.things() if thing.startswith("key pair")]
        self.carol.compute.delete_keypair(key)
        return self.server("w")  # a key pair has its name for an identifier

    def server_and_its_volume(self) -> set[str]:
        gone = self.server("m")
        volume = self.carol.block_storage.get_volume(self.things()[f"volume {self.name}-m-0-d"])
        self.carol.block_storage.wait_for_status(volume, "available", wait=60)
        self.carol.block_storage.delete_volume(str(volume.id))
        self.carol.block_storage.wait_for_delete(volume)
        return gone | {f"volume {self.name}-m-0-d"}

    def server(self, pool: str) -> set[str]:
        """With its port and the address outside of that, which stay, are of no node, and so are taken away before one is made."""
        server = self.carol.compute.get_server(self.things()[f"server {self.name}-{pool}-0"])
        self.carol.compute.delete_server(server)
        self.carol.compute.wait_for_delete(server)
        address = {f"floating ip {self.name}"} if pool == "m" else set()
        return {f"server {self.name}-{pool}-0", f"port {self.name}-{pool}-0"} | address

    def network(self) -> set[str]:
        """With all that is in it."""
        things = self.things()
        gone = self.router() | self.server("m") | self.server("w")
        for pool in ("m", "w"):
            self.admin.network.delete_port(things[f"port {self.name}-{pool}-0"])
            gone.add(f"port {self.name}-{pool}-0")
        self.admin.network.delete_network(things[f"network sky-{self.name}"])
        self.admin.network.delete_security_group(things[f"security group sky-{self.name}"])
        return gone | {f"{kind} sky-{self.name}" for kind in ("network", "subnet", "security group")}


HARM = ("port", "address", "rule", "router", "server_and_key", "server_and_its_volume", "network")


def test_what_was_deleted_from_outside_is_made_again_and_the_others_stay(
    campus: OpenStackSite, carol: Connection, wanted: Wanted, figure: Callable[[str], None]
) -> None:
    file = wanted(POOLS, "zd", network="")
    must(file)
    vandal = Vandal(campus, carol, "zd")
    whole = parts(file)
    for kind in HARM:
        before = vandal.things()
        gone = getattr(vandal, kind)()
        assert said(file) == "", kind
        after = vandal.things()
        assert after.keys() == before.keys(), kind
        assert {thing for thing in before if after[thing] != before[thing]} == gone, kind
        assert parts(file) == whole, kind
        assert cloud_of(run_of(file)).gaps() == [], kind
    figure(f"22  deleted from outside, one kind after another ({', '.join(HARM)}): made again, the others with the ids that they had")


def test_a_second_port_of_a_node_is_taken_away_by_the_next_run(campus: OpenStackSite, carol: Connection, wanted: Wanted) -> None:
    """As a run that was killed may leave it: its last call came to the cloud when the next run had looked."""
    file = wanted({"w": 1}, "zq")
    must(file)
    stood = of_campus(campus, "zq")
    (port,) = carol.network.ports(name="zq-w-0")
    carol.network.create_port(name=port.name, description=port.description, network_id=port.network_id)
    assert len(of_campus(campus, "zq")) == len(stood) + 1
    assert cloud_of(run_of(file)).gaps() == ["port zq-w-0 without a node"]
    must(file)
    assert of_campus(campus, "zq") == stood


def test_from_a_fresh_machine_with_the_file_and_the_credentials_alone(wanted: Wanted, tmp_path: Path, figure: Callable[[str], None]) -> None:
    file = wanted(POOLS, "zh")
    must(file)
    here = planned(file)
    home = tmp_path / "home"
    home.mkdir()
    elsewhere = started("plan", file, tmp_path, HOME=str(home))
    told, _nothing = elsewhere.communicate(timeout=120)
    assert (elsewhere.returncode, told) == (0, here)
    assert "keep=(Node(name='zh-m-0'" in here
    assert {path.name for path in home.iterdir()} <= {".cache"}  # which Python's packages use: no state but in the cloud
    figure("24  from another process with an empty home: the same inventory and the same plan")
