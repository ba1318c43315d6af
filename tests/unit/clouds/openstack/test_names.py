# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of a cluster file, looked up in the cloud."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Invalid
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, IMAGE, NETWORK, Api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._names import Flavor, Image, Names
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import LittleCloud


def test_flavors_by_name_and_by_identifier(project: LittleCloud, api: Api) -> None:
    names = Names(api)
    small = Flavor("a55b8b59-cc5b-49da-a339-29851912f941", "small", 1, 1536, 3)
    assert names.flavor("small") == names.flavor(small.id) == small
    assert len(project.asked("GET", COMPUTE)) == 1  # each list is asked for once


def test_images_by_name_and_by_identifier(project: LittleCloud, api: Api) -> None:
    names = Names(api)
    debian = Image("abcc7c08-ad91-4057-9295-6265f821af98", "debian-12", 0, 0, 734003200)
    assert names.image("debian-12") == names.image(debian.id) == names.image("debian-12") == debian
    assert len(project.asked("GET", IMAGE)) == 3


def test_networks_by_name_and_by_identifier(project: LittleCloud, api: Api) -> None:
    names = Names(api)
    assert project.stored
    assert names.network("public")["id"] == names.network("e7b54676-1c2c-4738-a7be-7b6e6cf2f6b1")["id"]


def test_what_is_not_there_is_answered_with_the_nearest(project: LittleCloud, api: Api) -> None:
    names = Names(api)
    with pytest.raises(Invalid, match=r"unknown flavor 'smal'.*small"):
        names.flavor("smal")
    with pytest.raises(Invalid, match=r"unknown image 'debian-13'.*debian-12"):
        names.image("debian-13")
    with pytest.raises(Invalid, match=r"unknown network 'publik'.*public"):
        names.network("publik")
    for image in project.stored[IMAGE, "images"]:
        image["status"] = "queued"
    with pytest.raises(Invalid, match=r"^unknown image 'debian-12'"):
        names.image("debian-12")


def test_of_two_of_one_name_none_is_taken(project: LittleCloud, api: Api) -> None:
    project.holds(IMAGE, "images", {"id": "second", "name": "debian-12", "status": "active"})
    project.holds(NETWORK, "networks", {"id": "second", "name": "public"})
    with pytest.raises(Invalid, match=r"^2 images have the name 'debian-12': use the identifier of one \(abcc7c08-.*, second\)$"):
        Names(api).image("debian-12")
    with pytest.raises(Invalid, match=r"^2 networks have the name 'public'"):
        Names(api).network("public")
    assert Names(api).image("second").size == 0


def test_a_thousand_names_make_no_long_sentence(project: LittleCloud, api: Api) -> None:
    project.holds(COMPUTE, "flavors", *({"id": str(n), "name": f"size-{n}", "vcpus": 1, "ram": 1, "disk": 1} for n in range(1000)))
    with pytest.raises(Invalid) as raised:
        Names(api).flavor("nothing-like-it")
    assert len(str(raised.value)) < 500
