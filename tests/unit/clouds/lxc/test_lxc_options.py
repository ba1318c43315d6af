# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster file may say about the local cloud."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import Faults, read, schema
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions


def options(**data: Any) -> LxcOptions:
    faults = Faults()
    found = read(LxcOptions, data, "clouds.here", faults)
    assert faults.found == [] and found is not None
    return found


def test_nothing_need_be_said() -> None:
    found = options()
    assert (found.zone, found.network, found.image, found.flavor, found.ssh_user) == ("default", "10.88.0.0/24", "debian-12", "small", "root")
    assert sorted(found.all_flavors) == ["large", "medium", "small", "xlarge"]


def test_a_site_adds_flavors_and_images() -> None:
    found = options(flavors={"tiny": {"cores": 1, "memory": 256}}, images={"spark": {"packages": ["openjdk-17-jre-headless"]}}, zone="lab2")
    assert (found.all_flavors["tiny"].memory, found.all_flavors["small"].memory) == (256, 1024)
    assert found.all_images["spark"].packages == ("openjdk-17-jre-headless",)
    assert found.all_images["spark"].suite == "bookworm"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"zone": "Default"}, "clouds.here.zone: must be a name of at most 8 letters and digits, got 'Default'"),
        (
            {"network": "8.8.8.0/24"},
            "clouds.here.network: must be a private IPv4 network of 8 to 65536 addresses such as 10.88.0.0/24, got '8.8.8.0/24'",
        ),
        ({"network": "10.88.0.0"}, "got '10.88.0.0'"),
        ({"network": "10.88.0.1/24"}, "has host bits set"),
        ({"network": 5}, "got 5"),
        ({"resolvers": ["dns.example.org"]}, "clouds.here.resolvers[0]: must be an IP address, got 'dns.example.org'"),
        ({"flavors": {"big": {"cores": 0, "memory": 512}}}, "clouds.here.flavors.big.cores: must be 1 or more, got 0"),
        ({"path": "relative"}, "clouds.here.path: must be an absolute path, got 'relative'"),
        ({"packages": ["rm -rf"]}, "clouds.here.packages[0]: must be the name of a Debian package, got 'rm -rf'"),
    ],
)
def test_faults_name_their_place(data: dict[str, Any], fault: str) -> None:
    faults = Faults()
    assert read(LxcOptions, data, "clouds.here", faults) is None
    assert len(faults.found) == 1 and fault in faults.found[0], faults.found


def test_zones_have_networks_of_their_own() -> None:
    networks = [ipaddress.ip_network(options(zone=name).network) for name in ("default", "a", "b", "test1", "test2", "zzzzzzzz")]
    assert len(set(networks)) == len(networks)
    assert all(network.subnet_of(ipaddress.ip_network("10.88.0.0/13")) for network in networks)  # type: ignore[arg-type]


def test_every_option_is_documented_in_the_schema() -> None:
    described = schema(LxcOptions)["properties"]
    assert "all_flavors" not in described and all(item["description"] for item in described.values())
