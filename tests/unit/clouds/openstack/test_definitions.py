# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers are made from: names that the cloud does not know, and what differs between a server and a new one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Definition, Mark, NodeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions, _definitions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, NETWORK
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import LittleCloud, record

Opened = Callable[..., OpenStackCloud]


def spec(**more: Any) -> NodeSpec:
    known: dict[str, Any] = {"image": "fake-12", "flavor": "small", "ssh_user": "debian", "public_ip": True}
    return NodeSpec(Mark("skyg", "skyg", "p", 0), **(known | more))


def defined(cloud: OpenStackCloud, **more: Any) -> Definition:
    (found,) = cloud.definitions([spec(**more)])
    return found


def server(cloud: OpenStackCloud, **metadata: str) -> dict[str, Any]:
    """The recorded server, as this version makes it."""
    found: dict[str, Any] = copy.deepcopy(record("servers")["active"])
    found |= {"image": {"id": cloud._names.image("fake-12").id}, _definitions.ZONE: "nova"}  # which the record leaves out
    found["metadata"] |= _definitions.written(_definitions.noted(spec(), cloud.options, found["image"]["id"])) | metadata
    return found


def test_names_that_the_cloud_does_not_know_are_all_reported(project: LittleCloud, opened: Opened) -> None:
    assert project
    found = defined(opened(network="lap"), flavor="smal", image="fake-13")
    starts = ("unknown flavor 'smal'; did you mean 'small'?", "unknown image 'fake-13'", "unknown network 'lap'")
    assert [sentence.startswith(start) for sentence, start in zip(found.unknown, starts, strict=True)] == [True] * 3
    assert found.parts == {}


def test_an_overlay_on_the_addresses_of_a_named_network_is_refused(project: LittleCloud, opened: Opened) -> None:
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab", "subnets": ["s", "t", "u"]})
    nets = {"s": "10.99.7.0/24", "t": "192.168.0.0/24", "u": "2001:db8::/64"}
    project.holds(NETWORK, "subnets", *({"id": key, "network_id": "n", "cidr": cidr} for key, cidr in nets.items()))
    found = defined(opened(network="lab", overlay="10.99.0.0/16"))
    assert found.unknown == ("overlay.range: 10.99.0.0/16 overlaps with 10.99.7.0/24 of network 'lab'; choose another range",)
    assert defined(opened(network="lab", overlay="10.98.0.0/16")).unknown == ()
    assert defined(opened(network="lab")).unknown == ()


def differences(cloud: OpenStackCloud, listed: dict[str, Any], **more: Any) -> dict[str, tuple[str, str]]:
    have, want = _definitions.made(listed), defined(cloud, **more).parts
    return {name: (have[name], value) for name, value in want.items() if have.get(name, value) != value}


def test_a_server_of_this_version_differs_in_nothing(project: LittleCloud, opened: Opened) -> None:
    assert project
    cloud = opened()
    listed = server(cloud)
    assert _definitions.made(listed).keys() >= defined(cloud).parts.keys()  # every part can be compared
    assert differences(cloud, listed) == {}


@pytest.mark.parametrize(
    ("settings", "change", "name"),
    [
        ({"network": "lab"}, {}, "network"),
        ({"availability_zone": "other"}, {}, "availability_zone"),
        ({"boot_volume": 20}, {}, "boot_volume"),
        ({"config_drive": False}, {}, "config_drive"),
        ({"anti_affinity": True}, {}, "anti_affinity"),
        ({}, {"ssh_user": "root"}, "ssh_user"),
        ({}, {"public_ip": False}, "public_ip"),
        ({}, {"extra": {"hypervisor_hostname": "h1"}}, "extra"),
    ],
)
def test_every_option_that_is_fixed_at_birth_shows(
    project: LittleCloud, opened: Opened, settings: dict[str, Any], change: dict[str, Any], name: str
) -> None:
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab"})
    listed = server(opened())
    assert name in differences(opened(**settings), listed, **change)


def test_a_flavor_and_an_image_that_were_recreated_under_their_names_show(project: LittleCloud, opened: Opened) -> None:
    listed = server(opened())
    (flavor,) = [flavor for flavor in project.stored[COMPUTE, "flavors"] if flavor["name"] == "small"]
    flavor.update(id="another", ram=4096)
    found = differences(opened(), listed)
    assert found["memory"] == ("1536", "4096")
    listed["image"] = {"id": "the old one"}
    assert differences(opened(), listed)["id of the image"][0] == "the old one"


def test_a_server_of_an_older_version_shows_no_false_difference(project: LittleCloud, opened: Opened) -> None:
    assert project
    listed = server(opened(), sky_made="")
    assert not {"boot_volume", "config_drive", "anti_affinity", "ssh_user", "extra"} & differences(opened(boot_volume=5), listed, ssh_user="x").keys()
    for broken in ("[1]", "{", "null"):
        assert "ssh_user" not in _definitions.made(server(opened(), sky_made=broken))


def test_the_note_fits_into_one_value_of_metadata() -> None:
    options = OpenStackOptions(image="i", flavor="f", boot_volume=16384, anti_affinity=True)
    longest = spec(ssh_user="u" * 32, extra={f"key_{place}": "v" * 300 for place in range(50)})
    (value,) = _definitions.written(_definitions.noted(longest, options, "0" * 36)).values()
    assert len(value) <= 255


def test_two_entries_that_lead_to_one_project_are_one_place(project: LittleCloud, opened: Opened) -> None:
    assert project
    place = opened().place()
    assert place == opened(region="").place() == opened(network="lab").place()
    assert place.startswith("project ")
