# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node is made, found made, or taken back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    CloudError,
    Denied,
    Event,
    Invalid,
    Mark,
    NodeSpec,
    Shortage,
    Stage,
    Unavailable,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, _volumes
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, NETWORK, VOLUME
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud, Request, record, recorded

Opened = Callable[..., OpenStackCloud]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ ada@here"
SERVERS: dict[str, Any] = record("servers")
DISK = VolumeSpec("skyg-p-0-data", 1, "fast")


@pytest.fixture(autouse=True)
def network(project: LittleCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nodes' network is there, and nothing takes long."""
    monkeypatch.setattr(_volumes, "PAUSE", 0.01)
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab"})
    group = record("security_groups")["standing"]
    project.holds(NETWORK, "security-groups", group)
    project.answers("POST", COMPUTE, "/os-keypairs", Answer({"keypair": {"name": "x"}}))


@pytest.fixture
def lab(opened: Opened) -> Callable[..., OpenStackCloud]:
    return lambda **more: opened(**({"network": "lab"} | more))


def spec(**more: Any) -> NodeSpec:
    known: dict[str, Any] = {"image": "fake-12", "flavor": "small", "ssh_keys": (KEY,), "ssh_user": "debian", "clouds": ("one", "two")}
    return NodeSpec(Mark("skyg", "skyg", "p", 0), **(known | more))


def made(cloud: OpenStackCloud, **more: Any) -> Event:
    (event,) = cloud.create([spec(**more)])
    return event


def held(project: LittleCloud) -> dict[str, int]:
    kinds = [(NETWORK, "ports"), (NETWORK, "floatingips"), (COMPUTE, "servers"), (VOLUME, "volumes")]
    return {kind: len(project.stored[service, kind]) for service, kind in kinds}


NOTHING = {"ports": 0, "floatingips": 0, "servers": 0, "volumes": 0}


def test_the_creating_calls_carry_the_marks(project: LittleCloud, lab: Opened) -> None:
    event = made(lab(), public_ip=True, volumes=(DISK,))
    (server,) = project.stored[COMPUTE, "servers"]
    assert event == Event("skyg-p-0", Stage.MADE, server["id"])
    (body,) = [request.body for request in project.asked("POST", COMPUTE, "/servers")]
    assert set(body) == {"server"}
    assert (server["name"], server["tags"]) == ("skyg-p-0", ["sky:skyg"])
    note = server["metadata"].pop("sky_made")
    assert server["metadata"] == {"sky": "sky/1 skyg skyg p 0", "sky_image": "fake-12", "sky_clouds": "one two", "sky_public": "yes"}
    assert json.loads(note)[1:] == ["debian", "0", "yes", "no", "none"]
    (port,) = project.stored[NETWORK, "ports"]
    assert (port["name"], port["description"], port["network_id"]) == ("skyg-p-0", "sky/1 skyg skyg", "n")
    assert (server["networks"], port["security_groups"]) == ([{"port": port["id"]}], ["3a62f777-c3ac-4337-98cb-856b1e8921a9"])
    (address,) = project.stored[NETWORK, "floatingips"]
    assert (address["port_id"], address["description"]) == (port["id"], "sky/1 skyg skyg")
    (volume,) = project.stored[VOLUME, "volumes"]
    assert (volume["name"], volume["size"], volume["volume_type"]) == ("skyg-p-0-data", 1, "fast")
    assert volume["metadata"] == {"sky": "sky/1 skyg skyg p 0", "sky_cluster": "skyg"}
    boot, data = server["block_device_mapping_v2"]
    assert (boot["boot_index"], boot["uuid"], boot["destination_type"]) == (0, server["imageRef"], "local")
    assert (data["boot_index"], data["uuid"], data["delete_on_termination"]) == (-1, volume["id"], False)


def test_what_cloud_init_gets(project: LittleCloud, lab: Opened) -> None:
    made(lab())
    (server,) = project.stored[COMPUTE, "servers"]
    text = base64.b64decode(server["user_data"]).decode()
    assert text.startswith("#cloud-config\n")
    settings = json.loads(text.removeprefix("#cloud-config\n"))
    (user,) = settings["users"]
    assert (user["name"], user["ssh_authorized_keys"], user["lock_passwd"]) == ("debian", [KEY], True)
    assert (settings["ssh_deletekeys"], settings["ssh_genkeytypes"], settings["ssh"]) == (True, ["ed25519"], {"emit_keys_to_console": True})
    assert (settings["ssh_pwauth"], settings["disable_root"], settings["hostname"]) == (False, True, "skyg-p-0")
    assert server["key_name"] == "sky-skyg-b871b52e-d41ffddf887c"
    assert "block_device_mapping_v2" not in server


def test_options_and_extras_reach_the_call(project: LittleCloud, lab: Opened) -> None:
    extra = {"description": "hello", "scheduler_hints": {"different_host": ["a"]}}
    made(lab(boot_volume=10, availability_zone="az1", config_drive=False, anti_affinity=True), extra=extra, ssh_user="root", flavor="tiny")
    (body,) = [request.body for request in project.asked("POST", COMPUTE, "/servers")]
    server = body["server"]
    (group,) = project.stored[COMPUTE, "os-server-groups"]
    assert (group["name"], group["policies"]) == ("sky-skyg-b871b52e-p", ["soft-anti-affinity"])
    assert body["os:scheduler_hints"] == {"different_host": ["a"], "group": group["id"]}
    assert (server["imageRef"], server["availability_zone"], server["config_drive"], server["description"]) == ("", "az1", False, "hello")
    (boot,) = server["block_device_mapping_v2"]
    assert (boot["destination_type"], boot["volume_size"], boot["delete_on_termination"]) == ("volume", 10, True)


@pytest.mark.parametrize("key", ["name", "metadata", "tags", "networks", "user_data"])
def test_what_marks_a_server_cannot_be_set_aside(project: LittleCloud, lab: Opened, key: str) -> None:
    event = made(lab(), extra={key: "x"})
    assert (event.stage, event.detail, event.final) == (Stage.FAILED, f"extra.{key}: is set by the collection itself", True)
    assert held(project) == NOTHING


@pytest.mark.parametrize("image", ["fake-12", "1e0269b3-02ea-4d3c-99bd-b095afa0e3d1"])
@pytest.mark.parametrize("flavor", ["small", "a55b8b59-cc5b-49da-a339-29851912f941"])
def test_a_node_is_listed_as_the_file_names_its_image_and_flavor(project: LittleCloud, lab: Opened, image: str, flavor: str) -> None:
    made(lab(), image=image, flavor=flavor)
    project.stored[COMPUTE, "servers"][0]["flavor"] = {"original_name": "small"}
    (node,) = lab().listing().nodes
    assert (node.image, node.flavor) == (image, flavor)


# failures


@pytest.mark.parametrize(
    ("verb", "service", "path", "answer", "error"),
    [
        ("POST", VOLUME, "/volumes", "cinder_quota", Shortage),
        ("POST", NETWORK, "/ports", "neutron_quota_port", Shortage),
        ("POST", NETWORK, "/floatingips", "neutron_quota", Shortage),
        ("POST", COMPUTE, "/servers", "nova_quota", Shortage),
        ("POST", COMPUTE, "/servers", "nova_403", Denied),
        ("POST", COMPUTE, "/servers", "nova_400_flavor", Invalid),
        ("POST", COMPUTE, "/servers", "nova_409", CloudError),
    ],
)
def test_what_was_made_of_a_failed_node_is_taken_back(
    project: LittleCloud, lab: Opened, verb: str, service: str, path: str, answer: str, error: type[CloudError]
) -> None:
    project.answers(verb, service, path, recorded(answer))
    event = made(lab(), public_ip=True, volumes=(DISK,))
    assert event.stage is Stage.FAILED
    assert event.error is not None and issubclass(event.error, error)
    assert event.final == (error is not CloudError)
    assert event.detail.startswith(f"{service} POST {path}: ")
    assert held(project) == NOTHING


def test_what_stood_before_a_node_failed_stays(project: LittleCloud, lab: Opened) -> None:
    volume = record("volumes")["attached"] | {"status": "available"}
    project.holds(VOLUME, "volumes", volume)
    project.answers("POST", COMPUTE, "/servers", recorded("nova_quota"))
    assert made(lab(), volumes=(DISK,)).error is Shortage
    assert held(project) == NOTHING | {"volumes": 1}


def test_one_that_cannot_be_taken_back_is_left_for_the_next_run(project: LittleCloud, lab: Opened) -> None:
    project.answers("POST", COMPUTE, "/servers", recorded("nova_quota"))
    project.first.append(lambda request: Answer("", 500) if (request.verb, request.path[:6]) == ("DELETE", "/ports") else None)
    event = made(lab(), volumes=(DISK,))
    assert (event.error, held(project)) == (Shortage, NOTHING | {"ports": 1})
    project.first.clear()
    assert lab().gaps() == ["port skyg-p-0 without a node"]
    assert made(lab(), volumes=(DISK,)).stage is Stage.MADE
    assert held(project) == NOTHING | {"ports": 1, "servers": 1, "volumes": 1}  # the same port


def test_a_server_that_lists_do_not_show_keeps_its_port_and_is_not_doubled(project: LittleCloud, lab: Opened) -> None:
    server = str(made(lab(), public_ip=True, ssh_keys=()).detail)
    port = project.stored[NETWORK, "ports"][0]
    port["device_id"] = server
    before = held(project)
    lists = ("/servers", "/servers/detail")
    project.first.append(lambda request: Answer({"servers": []}) if (request.verb, request.path in lists) == ("GET", True) else None)
    assert lab().gaps() == []
    lab().repair()
    with pytest.raises(Unavailable, match=f"the port of skyg-p-0 belongs to server {server}, which exists but is not listed by that name"):
        made(lab(), public_ip=True, ssh_keys=())
    assert held(project) == before
    assert project.asked("DELETE", NETWORK) == []
    project.stored[COMPUTE, "servers"].clear()  # it is gone, and the port bears its name still
    assert made(lab(), public_ip=True, ssh_keys=()).stage is Stage.MADE
    assert [each["id"] for each in project.stored[NETWORK, "ports"]] != [port["id"]]
    assert held(project) == before | {"floatingips": 2}


@pytest.mark.parametrize("path", ["/volumes", "/ports", "/floatingips", "/servers"])
def test_a_lost_answer_makes_no_doubles(project: LittleCloud, lab: Opened, path: str) -> None:
    """The call was carried out; asked again, it is found by its mark."""
    service = {"/volumes": VOLUME, "/servers": COMPUTE}.get(path, NETWORK)
    lost: list[Request] = []

    def lose(request: Request) -> Answer | None:
        if lost:
            return None
        lost.append(request)
        project.carry_out(request)
        return Answer(reset=True)

    project.reacts("POST", service, path, lose)
    asked = {"public_ip": True, "volumes": (DISK,)}
    with pytest.raises(Unavailable, match=rf"^{service} POST {path}: "):
        made(lab(), **asked)
    for server in project.stored[COMPUTE, "servers"]:
        server |= {"status": "BUILD", "addresses": {}}  # as the real cloud tells of it then
    assert made(lab(), **asked).stage is Stage.MADE
    assert held(project) == {"ports": 1, "floatingips": 1, "servers": 1, "volumes": 1}


@pytest.mark.parametrize("mark", ["", "sky/1 bob skyg", "sky/1 skyg skyg"])
def test_an_address_outside_that_nothing_uses_is_not_taken(project: LittleCloud, lab: Opened, mark: str) -> None:
    """Not even one of ours: another run may have made it for another node just now."""
    project.holds(NETWORK, "floatingips", {"id": "f", "port_id": None, "description": mark, "floating_ip_address": "198.51.100.9"})
    assert made(lab(), public_ip=True).stage is Stage.MADE
    loose, own = project.stored[NETWORK, "floatingips"]
    assert (loose["id"], loose["port_id"]) == ("f", None)
    assert own["port_id"] == project.stored[NETWORK, "ports"][0]["id"]


@pytest.mark.parametrize(("service", "path"), [(VOLUME, "/volumes"), (NETWORK, "/ports"), (NETWORK, "/floatingips"), (COMPUTE, "/servers")])
def test_an_answer_that_does_not_tell_what_was_made_is_none(project: LittleCloud, lab: Opened, service: str, path: str) -> None:
    project.answers("POST", service, path, Answer({}))
    with pytest.raises(Unavailable, match=rf"^{service} POST {path}: the answer has no "):
        made(lab(), public_ip=True, volumes=(DISK,))
    assert made(lab(), public_ip=True, volumes=(DISK,)).stage is Stage.MADE
    assert held(project) == {"ports": 1, "floatingips": 1, "servers": 1, "volumes": 1}


def test_who_must_have_an_address_outside_must_say_where_from(project: LittleCloud, lab: Opened) -> None:
    event = made(lab(external_network=""), public_ip=True)
    assert (event.error, event.detail[:10]) == (Invalid, "public_ip:")
    assert held(project) == NOTHING


def test_a_volume_of_another_node_is_refused(project: LittleCloud, lab: Opened) -> None:
    event = made(lab(), volumes=(VolumeSpec("skyg-p-1-data", 1),))
    assert (event.error, event.detail) == (Invalid, "volume 'skyg-p-1-data' does not belong to node skyg-p-0")
    assert held(project) == NOTHING


@pytest.mark.parametrize("metadata", [{}, {"sky": "sky/1 bob skyg p 0", "sky_cluster": "skyg"}, {"sky": "sky/1 skyg skyg p 1"}])
def test_a_volume_of_the_name_that_is_not_the_node_s_is_not_used(project: LittleCloud, lab: Opened, metadata: dict[str, str]) -> None:
    project.holds(VOLUME, "volumes", record("volumes")["attached"] | {"status": "available", "metadata": metadata})
    event = made(lab(), volumes=(DISK,))
    assert (event.error, event.final) == (Invalid, True)
    assert event.detail.startswith("the name skyg-p-0-data is taken by volume 8b999d06-68f9-4617-8e0f-7b2783e9821e")
    assert held(project) == NOTHING | {"volumes": 1}


# a server that is there


def again(project: LittleCloud, cloud: OpenStackCloud, kind: str, change: dict[str, Any] | None = None, **more: Any) -> Event:
    project.holds(COMPUTE, "servers", SERVERS[kind] | (change or {}))
    project.holds(NETWORK, "ports", *record("network")["ports"])
    return made(cloud, **more)


@pytest.mark.parametrize("kind", ["asked", "building", "active"])
def test_a_node_that_is_there_is_made(project: LittleCloud, lab: Opened, kind: str) -> None:
    """Even one that was just asked for, which does not tell of its volumes yet."""
    project.holds(VOLUME, "volumes", record("volumes")["attached"])
    event = again(project, lab(), kind, volumes=(DISK,))
    assert event == Event("skyg-p-0", Stage.MADE, SERVERS[kind]["id"])
    assert held(project) == {"ports": 1, "floatingips": 0, "servers": 1, "volumes": 1}
    assert [request.path for request in project.asked("POST", COMPUTE)] == ["/os-keypairs"]


def test_one_that_is_being_deleted_is_not_made(project: LittleCloud, lab: Opened) -> None:
    event = again(project, lab(), "deleting", {"name": "skyg-p-0", "metadata": {"sky": "sky/1 skyg skyg p 0"}})
    assert (event.stage, event.final) == (Stage.FAILED, False)
    assert "still being deleted" in event.detail


@pytest.mark.parametrize(("status", "call"), [("SHUTOFF", "os-start"), ("PAUSED", "unpause"), ("SUSPENDED", "resume")])
def test_one_that_is_stopped_is_started(project: LittleCloud, lab: Opened, status: str, call: str) -> None:
    assert again(project, lab(), "stopped", {"status": status}).stage is Stage.MADE
    assert [request.body for request in project.asked("POST", COMPUTE, f"/servers/{SERVERS['stopped']['id']}/action")] == [{call: None}]


def test_one_that_is_just_starting_is_no_failure(project: LittleCloud, lab: Opened) -> None:
    project.answers("POST", COMPUTE, f"/servers/{SERVERS['stopped']['id']}/action", recorded("nova_409"))
    assert again(project, lab(), "stopped").stage is Stage.MADE


def test_what_it_lacks_is_attached(project: LittleCloud, lab: Opened) -> None:
    event = again(project, lab(), "active", volumes=(DISK, VolumeSpec("skyg-p-0-more", 2)), public_ip=True)
    assert event.stage is Stage.MADE
    path = f"/servers/{SERVERS['active']['id']}/os-volume_attachments"
    attached = [request.body["volumeAttachment"]["volumeId"] for request in project.asked("POST", COMPUTE, path)]
    assert attached == [volume["id"] for volume in project.stored[VOLUME, "volumes"]]
    assert [address["port_id"] for address in project.stored[NETWORK, "floatingips"]] == [record("network")["ports"][0]["id"]]


def test_a_volume_that_lists_do_not_show_is_not_doubled(project: LittleCloud, lab: Opened) -> None:
    (volume,) = project.holds(VOLUME, "volumes", record("volumes")["attached"])
    attached = [{"id": identifier} for identifier in ("a-volume-that-is-gone", volume["id"])]
    project.answers("GET", VOLUME, "/volumes/detail", Answer({"volumes": []}))
    with pytest.raises(Unavailable, match=f"server {SERVERS['active']['id']} has volume skyg-p-0-data, but no list shows it"):
        again(project, lab(), "active", {"os-extended-volumes:volumes_attached": attached}, volumes=(DISK,))
    assert project.stored[VOLUME, "volumes"] == [volume]


@pytest.mark.parametrize("metadata", [{}, {"sky": "sky/1 bob skyg p 0"}, {"sky": "sky/1 skyg skyg p 1"}, {"sky": "sky/1 skyg other p 0"}])
def test_a_name_that_is_taken_is_refused(project: LittleCloud, lab: Opened, metadata: dict[str, str]) -> None:
    event = again(project, lab(), "active", {"metadata": metadata})
    assert (event.error, event.final) == (Invalid, True)
    assert event.detail.startswith(f"the name skyg-p-0 is taken by server {SERVERS['active']['id']}: it has ")
    assert project.asked("DELETE", COMPUTE) == []


def test_of_two_of_one_name_the_one_that_is_ours_is_it(project: LittleCloud, lab: Opened) -> None:
    for change in ({"id": "0", "metadata": {}}, {}, {"id": "z", "metadata": {}}):
        project.holds(COMPUTE, "servers", SERVERS["active"] | change)
    project.holds(NETWORK, "ports", *record("network")["ports"])
    assert made(lab()) == Event("skyg-p-0", Stage.MADE, SERVERS["active"]["id"])


def test_a_port_of_a_server_that_is_gone_is_recreated(project: LittleCloud, lab: Opened) -> None:
    project.holds(NETWORK, "ports", *record("network")["ports"])
    assert made(lab()).stage is Stage.MADE
    (port,) = project.stored[NETWORK, "ports"]
    assert port["id"] != record("network")["ports"][0]["id"]


def test_a_cloud_that_does_not_answer_ends_the_batch(project: LittleCloud, lab: Opened) -> None:
    project.answers("POST", COMPUTE, "/servers", *[Answer("", 503, {"Retry-After": "11"})] * 50)
    with pytest.raises(Unavailable) as raised:
        list(lab().create([NodeSpec(Mark("skyg", "skyg", "p", place), "fake-12", "small") for place in range(50)]))
    assert raised.value.retry_after == 11
    assert len(project.asked("POST", COMPUTE, "/servers")) < 40
