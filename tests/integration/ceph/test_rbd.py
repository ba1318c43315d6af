# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS whose volume is an image in a real Ceph (RBD), as on OpenStack with Ceph: written, destroyed, built again elsewhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.clouds.ceph import main as ceph
from ansible_collections.sky.clusters.tests.support.hdfs import address, files, head, healthy, page, put
from ansible_collections.sky.clusters.tests.support.site import STATE, Site, lasting

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("store")]

ZONE = "trbd"
NODE = f"{ZONE}-box-0"
FILE = STATE / ZONE / f"volumes/{NODE}-hdfs.img"  # of the volume
CONTENT = {f"/user/sky/{name}": os.urandom(mib << 20) for name, mib in (("small", 1), ("large", 150))}

Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def site(store: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: ARG001  # the Ceph must be there
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": ZONE,
        "clouds": {"here": {"provider": "lxc", "zone": ZONE, "packages": ["openjdk-17-jre-headless"], "flavor": "medium"}},
        "pools": {"box": {"cloud": "here", "count": 1, "roles": ["hdfs_namenode", "hdfs_datanode"], "volumes": {"hdfs": 1}}},
    }
    with lasting(tmp_path_factory.mktemp("rbd"), ZONE, content) as made:
        yield made


@pytest.fixture(scope="module")
def image(site: Site) -> Iterator[Path]:
    """The image, as a file of this machine, in the place of the file of the node's volume, which no node has had a file system on."""
    site.must("provision")
    site.must("destroy")
    with ceph.image("sky-hdfs", 1) as file:
        subprocess.run(["mount", "--bind", str(file), str(FILE)], check=True)
        try:
            yield file
        finally:
            site.must("destroy")
            subprocess.run(["umount", str(FILE)], check=True)


def unchanged(site: Site) -> None:
    for path, content in CONTENT.items():
        assert hashlib.sha256(files(site).call(path, "OPEN")).digest() == hashlib.sha256(content).digest(), path


@pytest.mark.usefixtures("image")
def test_hdfs_is_written_to_the_image(site: Site, figure: Figure) -> None:
    site.must("cluster")
    began = time.monotonic()
    for path, content in CONTENT.items():
        put(site, path, content, 1)
    figure(f"{sum(map(len, CONTENT.values())) >> 20} MiB to HDFS on an image of Ceph: {time.monotonic() - began:.1f} s")
    unchanged(site)
    assert ceph.used("sky-hdfs") > 151 << 20  # in Ceph, not on the disk of this machine


@pytest.mark.usefixtures("image")
def test_it_is_there_after_the_cluster_was_destroyed_and_built_with_other_addresses(site: Site) -> None:
    before = address(site, head(site))
    site.must("destroy")
    site.content["clouds"]["here"]["network"] = "10.97.9.0/24"
    site.must("cluster")
    assert address(site, head(site)) != before
    unchanged(site)
    healthy(page(site))
