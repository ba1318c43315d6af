# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real cloud told of servers and volumes, as nodes, volumes and strays."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, MarkError, Node, State, Stray, Volume
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._servers import attached_to, node_or_stray, volume_or_stray
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import record

DISK = "8b999d06-68f9-4617-8e0f-7b2783e9821e"


def server(kind: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = record("servers")[kind]
    return found | more


def volume(kind: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = record("volumes")[kind]
    return found | more


def node(kind: str, **more: Any) -> Node:
    found = node_or_stray(server(kind, **more), "skyg")
    assert isinstance(found, Node)
    return found


def test_a_node_that_runs() -> None:
    assert node("active") == Node(
        name="skyg-p-0",
        id="5c251a98-a655-4276-b6c8-1955675ff571",
        mark=Mark("skyg", "skyg", "p", 0),
        state=State.RUNNING,
        addresses=(Address("10.91.0.227", 4, "sky-skyg"), Address("10.77.132.86", 4, "sky-skyg", public=True)),
        flavor="small",
        image="fake-12",
        cores=1,
        memory=1536,
        created="2026-11-21T13:44:56Z",
        clouds=("one", "two"),
        made={"cores": "1", "memory": "1536", "disk": "3", "network": "sky-skyg", "public_ip": "yes"},  # all that the list tells of an older one
    )
    assert (node("active").address(), node("active").address(public=True)) == ("10.91.0.227", "10.77.132.86")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("asked", State.BUILDING),
        ("building", State.BUILDING),
        ("active", State.RUNNING),
        ("stopped", State.STOPPED),
        ("failed", State.FAILED),
        ("deleting", State.DELETING),
    ],
)
def test_each_state(kind: str, state: State) -> None:
    assert node(kind).state is state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("REBOOT", State.RUNNING),
        ("HARD_REBOOT", State.RUNNING),
        ("SHELVED_OFFLOADED", State.STOPPED),
        ("PAUSED", State.STOPPED),
        ("SOFT_DELETED", State.DELETING),
        ("UNKNOWN", State.FAILED),
        ("A_STATE_OF_THE_FUTURE", State.STOPPED),
    ],
)
def test_states_that_were_not_recorded(status: str, state: State) -> None:
    assert node("active", status=status).state is state


def test_why_a_node_failed_is_in_the_cloud_s_own_words() -> None:
    failed = node("failed")
    assert failed.fault == "Quota exceeded for instances: Requested 1, but already used 3 of 3 instances"
    assert (failed.addresses, failed.mark.pool) == ((), "x")
    assert node("active", fault={"code": 500, "message": "an old one"}).fault == ""


@pytest.mark.parametrize(
    ("words", "hopeless"),
    [
        ("Quota exceeded for instances: Requested 1, but already used 3 of 3 instances", True),
        ("Build of instance 1 aborted: VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded", True),
        ("Maximum number of ports exceeded", True),
        ("No valid host was found. There are not enough hosts available.", False),
        ("Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures", False),
        ("", False),
    ],
)
def test_a_server_that_went_beyond_the_quota_is_not_worth_another(words: str, hopeless: bool) -> None:
    assert node("failed", fault={"code": 500, "message": words}).hopeless is hopeless
    assert not node("active", fault={"code": 500, "message": words}).hopeless


def test_what_is_asked_for_is_a_node_already() -> None:
    asked = node("asked")
    assert (asked.mark, asked.addresses, asked.cores, asked.memory, asked.clouds) == (Mark("skyg", "skyg", "p", 0), (), 1, 1536, ("one", "two"))


def test_addresses_of_six_and_of_several_networks() -> None:
    addresses = {
        "b": [{"addr": "2001:db8::5", "version": 6, "OS-EXT-IPS:type": "fixed"}, {"addr": "10.0.0.9", "version": 4, "OS-EXT-IPS:type": "fixed"}],
        "a": [{"addr": "10.1.0.9", "version": 4, "OS-EXT-IPS:type": "fixed"}],
    }
    found = node("active", addresses=addresses)
    assert [address.network for address in found.addresses] == ["a", "b", "b"]
    assert (found.address(), found.address(public=True)) == ("10.1.0.9", "")


def test_what_is_noted_on_a_node() -> None:
    metadata = server("active")["metadata"] | {"sky_ready": "abc", "sky_host_key": "ssh-ed25519 AAAA", "sky_flavor": "as-the-file-says"}
    found = node("active", metadata=metadata)
    assert (found.ready, found.host_keys, found.flavor) == ("abc", ("ssh-ed25519 AAAA",), "as-the-file-says")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metadata": {}}, "it has no mark"),
        ({"metadata": {"sky": "hello"}}, "it has no mark"),
        ({"metadata": {"sky": "sky/1 skyg other p 0"}}, "it has the mark 'sky/1 skyg other p 0'"),
        ({"metadata": {"sky": "sky/1 skyg skyg p 1"}}, "it has the mark 'sky/1 skyg skyg p 1'"),
        ({"name": "renamed"}, "it has the mark 'sky/1 skyg skyg p 0'"),
    ],
)
def test_a_server_that_is_no_node_of_the_cluster(change: dict[str, Any], reason: str) -> None:
    told = server("active", **change)
    assert node_or_stray(told, "skyg") == Stray("node", told["name"], told["id"], reason)


@pytest.mark.parametrize("mark", ["sky/2 skyg skyg p 0", "sky/1 skyg skyg p", "sky/1 skyg skyg p zero"])
def test_a_mark_that_cannot_be_understood_stops_everything(mark: str) -> None:
    with pytest.raises(MarkError, match=r"^the mark of server skyg-p-0 \(5c251a98-a655-4276-b6c8-1955675ff571\) cannot be understood: "):
        node_or_stray(server("active", metadata={"sky": mark}), "skyg")
    with pytest.raises(MarkError, match=rf"^the mark of volume skyg-p-0-data \({DISK}\) cannot be understood: "):
        volume_or_stray(volume("attached", metadata={"sky": mark, "sky_cluster": "skyg"}), "skyg", {})


def found_volume(kind: str, *servers: dict[str, Any], **more: Any) -> Volume:
    found = volume_or_stray(volume(kind, **more), "skyg", {item["id"]: item for item in servers})
    assert isinstance(found, Volume)
    return found


def test_a_volume_that_is_attached() -> None:
    assert found_volume("attached", server("active")) == Volume(
        name="skyg-p-0-data",
        id=DISK,
        mark=Mark("skyg", "skyg", "p", 0),
        size=1,
        type="__DEFAULT__",
        attached="skyg-p-0",
        device="/dev/disk/by-id/*8b999d06-68f9-4617-8*",
    )


@pytest.mark.parametrize("kind", ["free", "creating"])
def test_a_volume_that_is_free(kind: str) -> None:
    found = found_volume(kind, server("active"))
    assert (found.name, found.mark.index, found.attached, found.device) == ("skyg-p-7-data", 7, "", "")


@pytest.mark.parametrize("status", ["reserved", "attaching", "in-use"])
def test_a_volume_is_taken_from_the_call_that_makes_its_node_on(status: str) -> None:
    """Before the server tells so itself."""
    assert attached_to(server("asked")) == set()
    assert found_volume("attached", server("asked"), status=status).attached == "skyg-p-0"


def test_what_the_servers_tell_goes_before_what_the_volume_tells() -> None:
    assert found_volume("attached", server("active"), status="available").attached == "skyg-p-0"
    assert found_volume("attached", status="in-use").attached == ""  # of a server that is gone
    strange = server("active", name="skyg-p-9", id="other")
    assert found_volume("attached", strange).attached == "skyg-p-9"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metadata": {}}, "it has no mark"),
        ({"metadata": {"sky": "sky/1 skyg other p 0"}}, "it has the mark 'sky/1 skyg other p 0'"),
        ({"name": "skyg-p-1-data"}, "it has the mark 'sky/1 skyg skyg p 0'"),
        ({"name": "skyg-p-0"}, "it has the mark 'sky/1 skyg skyg p 0'"),
        ({"name": "skyg-p-0-data-old"}, "it has the mark 'sky/1 skyg skyg p 0'"),
        ({"name": None}, "it has the mark 'sky/1 skyg skyg p 0'"),
    ],
)
def test_a_volume_that_is_none_of_the_cluster(change: dict[str, Any], reason: str) -> None:
    told = copy.deepcopy(volume("attached", **change))
    assert volume_or_stray(told, "skyg", {}) == Stray("volume", told["name"] or "", DISK, reason)
