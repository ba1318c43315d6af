# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for images and volumes, as a user calls them, on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.bench import LxcBench
from ansible_collections.sky.clusters.tests.support.module_calls import call
from ansible_collections.sky.clusters.tests.support.site import STATE, Site

pytestmark = pytest.mark.real

ZONE = "tres"
IMAGE = "ta-site"
VOLUME = "ta-box-0-v"


@pytest.fixture
def archive(tmp_path: Path) -> dict[str, str]:
    """A root file system that nodes start from."""
    file = LxcBench().image_file(tmp_path, starts=True)
    return {"name": IMAGE, "source": str(file), "checksum": f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"}


@pytest.fixture
def own(site: Site) -> Iterator[Site]:
    """One node of an image that is not there yet, with a volume."""
    site.content = bare(ZONE, "ta", 1, volumes={"v": 2})
    site.content["clouds"]["here"]["image"] = IMAGE
    yield site
    site.must("destroy", *site.with_data)
    assert call(site, "image", name=IMAGE, state="absent")["image"] == {}


def test_a_node_of_an_added_image_takes_the_volume_that_was_made_ahead(own: Site, archive: dict[str, str]) -> None:
    refused = own.play("provision")
    assert refused.code != 0
    assert f"unknown image '{IMAGE}'" in refused.output

    assert call(own, "image", "--check", **archive)["changed"]
    assert call(own, "image_info", name=IMAGE)["images"] == []
    added = call(own, "image", **archive)
    assert (added["changed"], added["image"]["status"], added["image"]["checksum"]) == (True, "active", archive["checksum"])
    assert call(own, "image", **archive) == {"changed": False, "image": added["image"]}
    assert call(own, "image_info", name=IMAGE)["images"] == [added["image"]]

    small = call(own, "volume", name=VOLUME, size=1)
    assert (small["changed"], small["volume"]["attached"]) == (True, "")
    assert call(own, "volume", "--check", name=VOLUME)["volume"]["size"] == 2
    grown = call(own, "volume", name=VOLUME)
    assert (grown["changed"], grown["volume"]) == (True, small["volume"] | {"size": 2})
    assert not call(own, "volume", name=VOLUME)["changed"]
    assert "cannot shrink to 1" in call(own, "volume", name=VOLUME, size=1)["msg"]

    own.must("provision")
    (volume,) = call(own, "volume_info")["volumes"]
    assert volume == grown["volume"] | {"attached": "ta-box-0", "device": "/dev/sky/v"}
    assert "image ta-site is in use by ta-box-0" in call(own, "image", name=IMAGE, state="absent")["msg"]
    assert f"volume {VOLUME} is attached to ta-box-0" in call(own, "volume", name=VOLUME, state="absent")["msg"]

    own.must("destroy")
    gone = call(own, "volume", name=VOLUME, state="absent")
    assert (gone["changed"], gone["volume"]) == (True, {})
    assert call(own, "volume_info")["volumes"] == []
    assert not (STATE / ZONE).exists()
    assert call(own, "image", name=IMAGE, state="absent")["changed"]
    assert call(own, "image_info", name=IMAGE)["images"] == []
