# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images copied between clouds, with their checksum."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, ImageSpec, Invalid, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import copied
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions

CONTENT = b"the content of an image " * 4000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
PLAIN_SPEC = ImageSpec("", "")
Opened = Callable[..., StratusLabCloud]


@pytest.fixture
def memory(tmp_path: Path) -> MemoryCloud:
    return MemoryCloud("memory", MemoryOptions(str(tmp_path / "world")), Scope("a"))


def test_from_a_marketplace_to_another_cloud_and_back(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    identifier = site.publish(CONTENT).identifier
    lal = opened()
    done = copied(lal, memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert (done.changed, done.after["name"], done.after["checksum"], done.after["size"]) == (True, "copy", CHECKSUM, len(CONTENT))
    again = copied(lal, memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert not again.changed


def test_an_added_image_is_read_from_its_disk(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    lal, file = opened(), tmp_path / "file"
    file.write_bytes(CONTENT)
    with file.open("rb") as content:
        made = lal.add_image(ImageSpec("added", CHECKSUM), content)
    assert made.checksum == CHECKSUM
    done = copied(lal, memory, ("added", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == CHECKSUM
    lal.delete_image(made)


def test_a_compressed_image_on_the_web_is_read(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    """In two parts, as programs write it that compress side by side."""
    content = b"compressed " * 1000
    served = gzip.compress(content[:4000]) + gzip.compress(content[4000:])
    identifier = site.publish(content, served=served, known={"dcterms:compression": "gz"}).identifier
    done = copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert done.after["checksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_content_that_is_not_as_described_is_not_copied(site: Site, opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    identifier = site.publish(b"what is described", served=b"what is served!!!").identifier
    with pytest.raises(CloudError, match=rf"cloud lal: image {identifier}: its content has the SHA-1 [0-9a-f]+, not"):
        copied(opened(), memory, (identifier, "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    assert [image.name for image in memory.images()] == ["debian-12", "debian-13"]


def test_an_image_that_is_not_there_is_named(opened: Opened, memory: MemoryCloud, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cloud lal: 0 images are called none, one is needed"):
        copied(opened(), memory, ("none", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
    with pytest.raises(Invalid, match="a cloud of provider memory cannot give images back"):
        copied(memory, opened(), ("debian-12", "copy"), PLAIN_SPEC, str(tmp_path), False, False)  # noqa: FBT003
