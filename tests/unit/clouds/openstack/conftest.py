# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A little cloud, and what logs in there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions, _network
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, IMAGE, NETWORK, VOLUME, Api
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import LittleCloud, clouds_yaml, record, running


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleCloud]:
    """A cloud that the test's clouds.yaml, and nothing else in the environment, leads to."""
    for name in [name for name in os.environ if name.startswith("OS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(_network, "SETTLED", 0.0)
    with running() as found:
        file = tmp_path / "clouds.yaml"
        file.write_text(yaml.safe_dump(clouds_yaml(found)), encoding="utf-8")
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
        yield found


@pytest.fixture
def options() -> Callable[..., OpenStackOptions]:
    """Options of a cloud entry, with others where given."""
    known: dict[str, Any] = {"image": "debian-12", "flavor": "small", "cloud": "little"}
    return lambda **more: OpenStackOptions(**(known | more))


@pytest.fixture
def api(cloud: LittleCloud, options: Callable[..., OpenStackOptions]) -> Api:
    """The calls of the little cloud's user. It is there before they are."""
    assert cloud.url
    return Api(options())


@pytest.fixture
def project(cloud: LittleCloud) -> LittleCloud:
    """The cloud with an empty project in it."""
    catalog, public = record("catalog"), {"id": "e7b54676-1c2c-4738-a7be-7b6e6cf2f6b1", "name": "public", "router:external": True, "subnets": ["s"]}
    cloud.holds(COMPUTE, "flavors", *catalog["flavors"])
    cloud.holds(IMAGE, "images", *catalog["images"])
    cloud.holds(NETWORK, "networks", public)
    for collection in ("ports", "floatingips", "subnets", "routers", "security-groups", "security-group-rules"):
        cloud.holds(NETWORK, collection)
    for collection in ("servers", "os-server-groups", "os-keypairs"):
        cloud.holds(COMPUTE, collection)
    for collection in ("volumes", "attachments"):
        cloud.holds(VOLUME, collection)
    return cloud


@pytest.fixture
def opened(project: LittleCloud, options: Callable[..., OpenStackOptions]) -> Callable[..., OpenStackCloud]:
    """Opens the cloud for a cluster of an owner, with other options where given."""
    assert project.url
    known = {"image": "fake-12", "external_network": "public"}
    return lambda cluster="skyg", owner="", overlay="", **more: OpenStackCloud(
        "one", options(**(known | more)), Scope(cluster, owner, ("192.0.2.0/24",), overlay=overlay)
    )
