# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking, deleting, volumes and notes, where the cloud says what it should not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Denied,
    Invalid,
    Mark,
    MarkError,
    Node,
    NodeSpec,
    Stage,
    State,
    Stray,
    Unavailable,
    Volume,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, _volumes
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, NETWORK, VOLUME
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._keys import KeyPairs
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._marks import read_clouds
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud, Request, record, recorded

Opened = Callable[..., OpenStackCloud]
SERVER: dict[str, Any] = record("servers")["active"]
DISK: dict[str, Any] = record("volumes")["attached"]
MARK = Mark("skyg", "skyg", "p", 0)
ACTION = f"/servers/{SERVER['id']}/action"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINuQ4NqrZ8m6/2sH00JKt1aBEsxa4b2ymNSEy2XKQ8vK"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("PAUSE", 0.005), ("GRACE", 0.02), ("PATIENCE", 0.3)):
        monkeypatch.setattr(_volumes, name, seconds)


@pytest.fixture
def one(project: LittleCloud, opened: Opened) -> OpenStackCloud:
    """A cluster of one node, with a volume, a port and an address outside."""
    project.holds(COMPUTE, "servers", SERVER)
    project.holds(VOLUME, "volumes", DISK)
    project.holds(NETWORK, "ports", *record("network")["ports"])
    project.holds(NETWORK, "floatingips", *record("network")["floatingips"])
    return opened()


def node(cloud: OpenStackCloud) -> Node:
    (found,) = cloud.listing().nodes
    return found


# looking


def test_who_we_are(project: LittleCloud, opened: Opened) -> None:
    assert opened().owner == "skyg"
    assert opened(owner="bob").owner == "bob"
    assert len(project.logins) == 1


def test_a_listing_asks_for_each_kind_once(one: OpenStackCloud, project: LittleCloud) -> None:
    found = one.listing()
    assert ([n.name for n in found.nodes], [v.name for v in found.volumes], found.strays) == (["skyg-p-0"], ["skyg-p-0-data"], ())
    assert sorted((request.path, *request.query.items()) for request in project.requests) == [
        ("/servers", ("name", r"^skyg-[a-z][a-z0-9]*-[0-9]+$")),
        ("/servers/detail", ("tags", "sky:skyg")),
        ("/volumes/detail", ("metadata", '{"sky_cluster": "skyg"}')),
    ]


def test_what_has_a_node_s_name_and_no_tag_is_looked_at(one: OpenStackCloud, project: LittleCloud) -> None:
    project.holds(COMPUTE, "servers", {"id": "s", "name": "skyg-p-1", "status": "ACTIVE"}, {"id": "t", "name": "skyg-too-p-1", "status": "ACTIVE"})
    project.holds(COMPUTE, "servers", SERVER | {"id": "u", "name": "skyg-p-2", "tags": [], "metadata": {"sky": "sky/1 skyg skyg p 2"}})
    found = one.listing()
    assert found.strays == (Stray("node", "skyg-p-1", "s", "it has no mark"),)
    assert [n.name for n in found.nodes] == ["skyg-p-0", "skyg-p-2"]  # whose tag somebody took
    project.answers("GET", COMPUTE, "/servers/s", recorded("nova_404"))
    assert one.listing().strays == ()  # it went between the two lists


@pytest.mark.parametrize(("service", "path"), [(COMPUTE, "/servers/detail"), (COMPUTE, "/servers"), (VOLUME, "/volumes/detail")])
def test_a_list_in_doubt_is_none(one: OpenStackCloud, project: LittleCloud, service: str, path: str) -> None:
    doubtful = (Answer("", 503), Answer({}), Answer("{"), Answer(reset=True), Answer({"volumes": [], "servers": []}, cut=True))
    project.answers("GET", service, path, *doubtful)
    for _answer in doubtful:
        with pytest.raises(Unavailable):
            one.listing()
    assert len(one.listing().nodes) == 1


def test_why_a_server_failed_is_asked_of_itself_where_the_list_does_not_tell(one: OpenStackCloud, project: LittleCloud) -> None:
    silent = SERVER | {"status": "ERROR"}
    project.stored[COMPUTE, "servers"][0] = silent
    path = f"/servers/{silent['id']}"
    project.answers("GET", COMPUTE, path, Answer({"server": silent | {"fault": {"code": 500, "message": "No valid host was found. "}}}))
    assert [node.fault for node in one.listing().nodes] == ["No valid host was found. "]
    project.answers("GET", COMPUTE, path, Answer({"itemNotFound": {"code": 404, "message": "it went meanwhile"}}, 404))
    assert [node.fault for node in one.listing().nodes] == [""]
    assert len(project.asked("GET", COMPUTE, path)) == 2


def test_a_mark_of_the_future_stops_the_listing(one: OpenStackCloud, project: LittleCloud) -> None:
    project.stored[COMPUTE, "servers"][0]["metadata"] = {"sky": "sky/9 whatever"}
    with pytest.raises(MarkError, match="newer"):
        one.listing()


# host keys


def console(project: LittleCloud, *answers: Answer | None) -> None:
    project.answers("POST", COMPUTE, ACTION, *answers)


def test_the_key_on_the_console_is_learnt_and_kept(one: OpenStackCloud, project: LittleCloud) -> None:
    console(project, Answer({"output": "booting"}), Answer(record("console")))
    assert one.learn_host_keys([node(one)]) == {}  # it may still come
    assert one.learn_host_keys([node(one)]) == {"skyg-p-0": (KEY,)}
    assert node(one).host_keys == (KEY,)
    calls = len(project.requests)
    known = node(one)
    assert one.learn_host_keys([known]) == {"skyg-p-0": (KEY,)}
    assert len(project.requests) - calls == 3  # those of the listing
    assert one.learn_host_keys([]) == {}


@pytest.mark.parametrize(
    "answer", [Answer({"output": None}), Answer({"output": ""}), *map(recorded, ("nova_400", "nova_403", "nova_404", "nova_409")), Answer("", 501)]
)
def test_a_node_whose_console_cannot_be_had_has_no_keys_and_the_others_have(one: OpenStackCloud, project: LittleCloud, answer: Answer) -> None:
    console(project, answer)
    other = SERVER | {"id": "o", "name": "skyg-p-1", "metadata": {"sky": "sky/1 skyg skyg p 1"}}
    project.holds(COMPUTE, "servers", other)
    project.answers("POST", COMPUTE, "/servers/o/action", Answer(record("console")))
    assert one.learn_host_keys(one.listing().nodes) == {"skyg-p-0": (), "skyg-p-1": (KEY,)}


def test_a_cloud_that_does_not_answer_is_asked_again_for_keys(one: OpenStackCloud, project: LittleCloud) -> None:
    console(project, Answer("", 503, {"Retry-After": "4"}))
    with pytest.raises(Unavailable) as raised:
        one.learn_host_keys([node(one)])
    assert raised.value.retry_after == 4


def test_the_last_lines_of_a_console(one: OpenStackCloud, project: LittleCloud) -> None:
    console(project, Answer({"output": "a\nb\nc\nd\n"}), recorded("nova_404"))
    assert one.console(node(one), 2) == "c\nd"
    assert one.console(node(one)) == ""


# deleting


def test_a_node_goes_with_its_port_and_address_and_its_volume_stays(one: OpenStackCloud, project: LittleCloud) -> None:
    found = node(one)
    (event,) = one.delete([found])
    assert (event.name, event.stage) == ("skyg-p-0", Stage.DELETED)
    assert [len(project.stored[key]) for key in ((COMPUTE, "servers"), (NETWORK, "ports"), (NETWORK, "floatingips"))] == [0, 0, 0]
    assert len(project.stored[VOLUME, "volumes"]) == 1
    assert [event.stage for event in one.delete([found])] == [Stage.DELETED]  # it is gone already


@pytest.mark.parametrize("text", ["sky/1 bob skyg p 0", "sky/1 skyg skyg p 1", "sky/1 skyg other p 0", "", "other text"])
def test_one_whose_mark_changed_is_left_alone(one: OpenStackCloud, project: LittleCloud, text: str) -> None:
    found = node(one)
    project.stored[COMPUTE, "servers"][0]["metadata"] = {"sky": text} if text else {}
    (event,) = one.delete([found])
    assert (event.stage, event.final) == (Stage.FAILED, True)
    assert event.detail.endswith("it is left alone")
    assert [request for request in project.requests if request.verb == "DELETE"] == []


@pytest.mark.parametrize("mark", [Mark("bob", "skyg", "p", 0), Mark("skyg", "other", "p", 0)])
def test_a_node_of_somebody_else_is_left_alone(one: OpenStackCloud, project: LittleCloud, mark: Mark) -> None:
    (event,) = one.delete([replace(node(one), mark=mark)])
    assert (event.stage, event.final) == (Stage.FAILED, True)
    assert [request for request in project.requests if request.verb == "DELETE"] == []


def test_a_new_node_of_the_name_keeps_its_port(one: OpenStackCloud, project: LittleCloud) -> None:
    old = replace(node(one), id="00000000-0000-0000-0000-000000000000")
    assert [event.stage for event in one.delete([old])] == [Stage.DELETED]
    assert len(project.stored[NETWORK, "ports"]) == len(project.stored[COMPUTE, "servers"]) == 1


def test_a_refusal_is_one_node_s(one: OpenStackCloud, project: LittleCloud) -> None:
    project.answers("DELETE", COMPUTE, f"/servers/{SERVER['id']}", recorded("nova_409"))
    (event,) = one.delete([node(one)])
    assert (event.stage, event.final) == (Stage.FAILED, False)
    assert "compute DELETE" in event.detail
    assert len(project.stored[NETWORK, "ports"]) == 1
    assert list(one.delete([])) == []


# volumes


def volume(cloud: OpenStackCloud) -> Volume:
    (found,) = cloud.listing().volumes
    return found


def test_a_volume_is_extended_while_it_is_in_use(one: OpenStackCloud, project: LittleCloud) -> None:
    path = f"/volumes/{DISK['id']}/action"

    def grown(request: Request) -> Answer:
        project.stored[VOLUME, "volumes"][0]["size"] = request.body["os-extend"]["new_size"]
        return Answer(None, 202)

    project.reacts("POST", VOLUME, path, grown)
    assert [(event.stage, event.detail) for event in one.resize_volumes([VolumeSpec("skyg-p-0-data", 5)])] == [(Stage.MADE, "5 GiB")]
    assert [event.stage for event in one.resize_volumes([VolumeSpec("skyg-p-0-data", 5)])] == [Stage.MADE]
    assert len(project.asked("POST", VOLUME, path)) == 1
    events = list(one.resize_volumes([VolumeSpec("skyg-p-0-data", 4), VolumeSpec("skyg-p-9-data", 4)]))
    assert {event.detail for event in events} == {"volume skyg-p-0-data has 5 GiB and cannot shrink to 4", "there is no volume skyg-p-9-data"}
    assert all(event.final for event in events)
    assert list(one.resize_volumes([])) == []


@pytest.mark.parametrize("status", ["error", "error_extending"])
def test_one_that_failed_is_reported(one: OpenStackCloud, project: LittleCloud, status: str) -> None:
    project.stored[VOLUME, "volumes"][0]["status"] = status
    (event,) = one.resize_volumes([VolumeSpec("skyg-p-0-data", 5)])
    assert (event.stage, event.detail) == (Stage.FAILED, f"volume skyg-p-0-data ({DISK['id']}) is in state '{status}'")


def test_one_that_never_comes_is_asked_for_again(one: OpenStackCloud, project: LittleCloud) -> None:
    project.stored[VOLUME, "volumes"][0]["status"] = "extending"
    with pytest.raises(Unavailable, match="did not become free or in use within"):
        list(one.resize_volumes([VolumeSpec("skyg-p-0-data", 5)]))


def test_volumes_are_made_without_their_nodes(project: LittleCloud, opened: Opened) -> None:
    wanted = VolumeSpec("skyg-p-3-data", 4)
    for _time in (1, 2):
        (event,) = opened().create_volumes([wanted])
        (made,) = project.stored[VOLUME, "volumes"]
        assert (event.name, event.stage, event.detail) == ("skyg-p-3-data", Stage.MADE, made["id"])
    assert (made["size"], made["metadata"]) == (4, {"sky": "sky/1 skyg skyg p 3", "sky_cluster": "skyg"})
    made["status"] = "in-use"
    assert [event.stage for event in opened().create_volumes([wanted])] == [Stage.MADE]
    made["metadata"] = {"sky": "sky/1 bob skyg p 3"}
    (event,) = opened().create_volumes([wanted])
    assert (event.error, event.final) == (Invalid, True)
    assert event.detail.startswith(f"the name skyg-p-3-data is taken by volume {made['id']}")


def test_a_volume_that_is_attached_or_not_ours_is_not_deleted(one: OpenStackCloud, project: LittleCloud) -> None:
    found = volume(one)
    assert [event.detail for event in one.delete_volumes([found])] == ["volume skyg-p-0-data is attached to skyg-p-0"]
    project.stored[COMPUTE, "servers"].clear()
    (event,) = one.delete_volumes([replace(found, mark=Mark("bob", "skyg", "p", 0))])
    assert event.final and "it is left alone" in event.detail
    project.stored[VOLUME, "volumes"][0] |= {"metadata": {"sky": "sky/1 bob skyg p 0", "sky_cluster": "skyg"}}
    (event,) = one.delete_volumes([found])
    assert event.final and "it is left alone" in event.detail
    assert project.asked("DELETE", VOLUME) == []


def test_a_volume_that_is_free_is_deleted_and_seen_gone(one: OpenStackCloud, project: LittleCloud) -> None:
    found = volume(one)
    project.stored[COMPUTE, "servers"].clear()
    project.stored[VOLUME, "volumes"][0]["status"] = "available"
    path = f"/volumes/{DISK['id']}"
    project.answers("DELETE", VOLUME, path, Answer(None, 202))  # which takes its time
    looks: list[Request] = []

    def look(request: Request) -> Answer | None:
        looks.append(request)
        return Answer({"volume": DISK | {"status": "deleting"}}) if 2 <= len(looks) < 5 else recorded("cinder_404") if len(looks) >= 5 else None

    project.reacts("GET", VOLUME, path, look)
    assert [event.stage for event in one.delete_volumes([found])] == [Stage.DELETED]
    assert len(looks) == 5
    assert [event.stage for event in one.delete_volumes([found])] == [Stage.DELETED]


def test_a_volume_that_does_not_go_is_reported(one: OpenStackCloud, project: LittleCloud) -> None:
    found = volume(one)
    project.stored[COMPUTE, "servers"].clear()
    project.stored[VOLUME, "volumes"][0]["status"] = "available"

    def stuck(_request: Request) -> Answer:
        project.stored[VOLUME, "volumes"][0]["status"] = "error_deleting"
        return Answer(None, 202)

    project.reacts("DELETE", VOLUME, f"/volumes/{DISK['id']}", stuck)
    (event,) = one.delete_volumes([found])
    assert (event.stage, event.final) == (Stage.FAILED, False)
    assert "error_deleting" in event.detail


@pytest.mark.parametrize("stands", [False, True])
def test_a_volume_that_a_deleted_server_left_reserved_is_freed(one: OpenStackCloud, project: LittleCloud, stands: bool) -> None:
    """But never one that another server has."""
    found = volume(one)
    project.stored[COMPUTE, "servers"].clear()
    project.stored[VOLUME, "volumes"][0]["status"] = "reserved"
    project.holds(VOLUME, "attachments", {"id": "a", "volume_id": DISK["id"], "instance": "gone"})
    if stands:
        project.answers("GET", COMPUTE, "/servers/gone", *[Answer({"server": SERVER})] * 9)

    def freed(_request: Request) -> None:
        project.stored[VOLUME, "volumes"][0]["status"] = "available"

    project.reacts("DELETE", VOLUME, "/attachments/a", freed)
    (event,) = one.delete_volumes([found])
    assert event.stage is (Stage.FAILED if stands else Stage.DELETED)
    assert len(project.stored[VOLUME, "attachments"]) == stands


def test_one_that_is_reserved_by_nobody_is_freed(one: OpenStackCloud, project: LittleCloud) -> None:
    found = volume(one)
    project.stored[COMPUTE, "servers"].clear()
    project.stored[VOLUME, "volumes"][0]["status"] = "reserved"

    def freed(request: Request) -> Answer:
        assert request.body == {"os-unreserve": None}
        project.stored[VOLUME, "volumes"][0]["status"] = "available"
        return Answer(None, 202)

    project.reacts("POST", VOLUME, f"/volumes/{DISK['id']}/action", freed)
    assert [event.stage for event in one.delete_volumes([found])] == [Stage.DELETED]


# notes


def test_ready_is_noted(one: OpenStackCloud) -> None:
    one.set_ready([node(one)], "abc")
    assert node(one).ready == "abc"
    assert node(one).clouds == ("one", "two")  # and nothing else is changed


def names(letters: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.text(letters, min_size=1, max_size=20), max_size=60, unique=True)


def test_the_clouds_in_use_are_rewritten(one: OpenStackCloud) -> None:
    """However many there were before."""

    @settings(max_examples=8)
    @given(names("abc"), names("xyz"))
    def holds(first: list[str], second: list[str]) -> None:
        for clouds in (first, second, ["c" * 20] * 60, ["one"]):
            one.set_clouds([node(one)], clouds)
            assert node(one).clouds == tuple(clouds)

    holds()


def test_values_that_are_unused_read_as_none() -> None:
    assert read_clouds({"sky_clouds": "", "sky_clouds_1": "", "other": "x"}) == ()


def test_a_note_that_is_refused_is_reported(one: OpenStackCloud, project: LittleCloud) -> None:
    project.answers("POST", COMPUTE, f"/servers/{SERVER['id']}/metadata", recorded("nova_403"))
    with pytest.raises(Denied, match=r"^compute POST /servers/.*/metadata: "):
        one.set_ready([node(one)], "abc")


# key pairs and the lock


@pytest.mark.parametrize(("key", "kind"), [("ssh-ed25519 AAAA ada@here", "ssh-ed25519 AAAA"), ("ssh-rsa BBBB", "ssh-rsa BBBB")])
def test_a_key_pair_holds_the_first_key(one: OpenStackCloud, project: LittleCloud, key: str, kind: str) -> None:
    project.answers("POST", COMPUTE, "/os-keypairs", recorded("nova_409"))  # another run was quicker
    name = KeyPairs(one.api, "skyg", "skyg").ensure([key, "ssh-ed25519 CCCC"])
    (asked,) = project.asked("POST", COMPUTE, "/os-keypairs")
    assert asked.body == {"keypair": {"name": name, "public_key": kind}}
    project.holds(COMPUTE, "os-keypairs", {"id": name, "keypair": {"name": name}})
    assert KeyPairs(one.api, "skyg", "skyg").ensure([key]) == name
    assert len(project.asked("POST", COMPUTE, "/os-keypairs")) == 1


def test_some_keys_have_no_key_pair(one: OpenStackCloud) -> None:
    pairs = KeyPairs(one.api, "skyg", "skyg")
    assert pairs.ensure([]) == pairs.ensure(["sk-ssh-ed25519@openssh.com AAAA"]) == ""


def test_the_lock_makes_its_group_and_goes_with_it(one: OpenStackCloud, project: LittleCloud) -> None:
    def made(_request: Request) -> None:
        for group in project.stored[NETWORK, "security-groups"]:
            group.setdefault("revision_number", 1)

    project.reacts("GET", NETWORK, "/security-groups", made)
    lease = one.lock("ada@here (process 1)", 60)
    (group,) = project.stored[NETWORK, "security-groups"]
    assert group["description"].startswith(f"sky/1 skyg skyg locked {lease.token} until 2031-05-06T07:09:")
    one.renew(lease, 60)
    one.unlock(lease)
    assert group["description"] == "sky/1 skyg skyg"
    project.stored[NETWORK, "security-groups"].clear()
    one.unlock(lease)
    with pytest.raises(Exception, match="the security group that held it is gone"):
        one.renew(lease, 60)


def test_nothing_to_make_takes_no_key(one: OpenStackCloud, project: LittleCloud) -> None:
    project.answers("POST", NETWORK, "/security-groups", recorded("neutron_quota"))
    with pytest.raises(Exception, match="Quota exceeded for resources"):
        list(one.create([NodeSpec(MARK, "fake-12", "small")]))
    assert node(one).state is State.RUNNING
