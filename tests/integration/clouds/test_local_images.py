# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image goes from a Marketplace to this machine, a node starts from it, and it goes back; its checksum is always the same.

The Marketplace is that of a StratusLab test server in this process: no machine is needed there.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import site as stratuslab
from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.bench import LxcBench
from ansible_collections.sky.clusters.tests.support.module_calls import call
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE, CLUSTER, NODE = "tslcopy", "tslc", "tslc-box-0"
IMAGE, BACK = "tslc-image", "tslc-back"
# What a node needs to start is less than half of an image
LEFT_OUT = ("./usr/lib/jvm", "./usr/share/doc", "./usr/share/locale", "./usr/share/man", "./usr/share/zoneinfo", "./var/cache", "./var/lib/apt/lists")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A root file system that nodes start from, compressed in a way that the Marketplace does not know: it is the content of an image itself."""
    root, file = LxcBench()._built(), tmp_path_factory.mktemp("archive") / "root.tar.zst"
    left_out = [f"--exclude={path}/*" for path in LEFT_OUT]
    subprocess.run(["tar", "--create", "--numeric-owner", "--zstd", *left_out, f"--file={file}", f"--directory={root}", "."], check=True)
    return file.read_bytes()


@pytest.fixture(scope="module")
def lal(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stratuslab.Site]:
    """A site whose Marketplace has the archive; somebody else than the user has published it, as raw."""
    with stratuslab.running(tmp_path_factory.mktemp("lal")) as made:
        mary = made.authority.issue("mary", "CN=Mary Tester,O=StratusLab Project,C=EU", "mary.tester@example.org")
        made.publish(archive, signer=mary)
        yield made


@pytest.fixture(scope="module")
def site(lal: stratuslab.Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster file with both clouds. What was on the machine before is there after, and nothing else."""
    before = machine_state(ZONE)
    folder: Path = tmp_path_factory.mktemp("copy")
    content = bare(ZONE, CLUSTER, 1, {"image": IMAGE})
    user = lal.user_file(folder / "alice.cfg", pem_certificate=str(lal.jane.certificate), pem_key=str(lal.jane.key))
    known = {"provider": "stratuslab", "user_file": str(user), "ca_file": str(lal.authority.file)}
    content["clouds"]["lal"] = known | {"image": lal.marketplace.entries[0].identifier}
    made = Site(folder, CLUSTER, content)
    yield made
    made.must("destroy")
    assert call(made, "image", cloud="here", name=IMAGE, state="absent")["image"] == {}
    assert machine_state(ZONE) == before


def test_an_image_of_a_marketplace_is_copied_with_its_checksum(
    site: Site, lal: stratuslab.Site, archive: bytes, figure: Callable[[str], None]
) -> None:
    identifier, began = lal.marketplace.entries[0].identifier, time.monotonic()
    asked = {"from_cloud": "lal", "to_cloud": "here", "image": identifier, "name": IMAGE}
    assert "if it is an archive, set format: tar" in call(site, "image_copy", **asked)["msg"]
    copied = call(site, "image_copy", **asked, format="tar")
    assert (copied["changed"], copied["image"]["checksum"]) == (True, f"sha256:{hashlib.sha256(archive).hexdigest()}")
    figure(f"an archive of {len(archive) / 2**20:.0f} MiB from a Marketplace to the local cloud: {time.monotonic() - began:.0f} s")
    assert not call(site, "image_copy", **asked, format="tar")["changed"]


def test_a_node_starts_from_it(site: Site) -> None:
    site.must("provision")
    assert site.ssh(NODE, "hostname").split() == [NODE]


def test_it_is_copied_back_with_the_same_checksum(site: Site, lal: stratuslab.Site, archive: bytes) -> None:
    asked = {"from_cloud": "here", "to_cloud": "lal", "image": IMAGE, "name": BACK}
    copied = call(site, "image_copy", **asked, properties={"os": "debian", "visibility": "public"})
    known = {key: copied["image"][key] for key in ("name", "ours", "status", "checksum", "format")}
    checksum = f"sha256:{hashlib.sha256(archive).hexdigest()}"
    assert known == {"name": BACK, "ours": True, "status": "active", "checksum": checksum, "format": "tar"}
    (disk,) = [disk for disk in lal.pdisk.disks.values() if disk.tag.endswith(f" {BACK}")]
    assert (disk.visibility, lal.pdisk.file(disk).read_bytes()) == ("PUBLIC", archive)
    assert not call(site, "image_copy", **asked, properties={"os": "debian"})["changed"]
    # without a word of its format, since who added it noted that
    assert not call(site, "image_copy", from_cloud="lal", to_cloud="here", image=BACK, name=IMAGE)["changed"]
