# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in Glance: what is said of them, what is sent, and what is believed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, ImageSpec, Invalid, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import IMAGE, Api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._images import PART, Images, _Content
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud

MARK = "sky/1 ada"
CONTENT = b'"' + b"x" * (PART + PART // 2) + b'"'  # JSON, which is all that the little cloud reads
SPEC = ImageSpec("img", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
MADE = {"id": "i-1", "name": "img", "status": "queued", "sky": MARK, "sky_checksum": SPEC.checksum}
WHOLE = MADE | {"status": "active", "size": len(CONTENT), "os_hash_algo": "sha512", "os_hash_value": hashlib.sha512(CONTENT).hexdigest()}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    place = tmp_path / "image"
    place.write_bytes(CONTENT)
    with place.open("rb") as opened:
        yield opened


@pytest.fixture
def images(cloud: LittleCloud, api: Api) -> Images:
    """The images of a cloud that has none, and takes one."""
    cloud.holds(IMAGE, "images")
    cloud.answers("POST", IMAGE, "/images", Answer(MADE, 201))
    cloud.answers("PUT", IMAGE, "/images/i-1/file", Answer(None, 204))
    return Images(api, MARK)


def sent(content: _Content) -> list[bytes]:
    return list(content)


def test_a_file_is_sent_whole(file: BinaryIO) -> None:
    content = _Content(file, SPEC)
    assert len(content) == len(CONTENT)
    assert b"".join(sent(content)) == CONTENT
    content.check(WHOLE)


def test_the_last_part_of_a_file_that_is_another_is_held_back(file: BinaryIO) -> None:
    came = b""
    with pytest.raises(CloudError, match=f"the file of image img has the checksum {SPEC.checksum}, not sha256:00"):
        for part in _Content(file, dataclasses.replace(SPEC, checksum=f"sha256:{'0' * 64}")):
            came += part
    assert len(came) < len(CONTENT)


@pytest.mark.parametrize("change", [{"status": "queued"}, {"size": 0}, {"os_hash_value": "0" * 128}])
def test_what_did_not_arrive_whole_is_not_believed(file: BinaryIO, change: dict[str, Any]) -> None:
    content = _Content(file, SPEC)
    sent(content)
    with pytest.raises(CloudError, match="image img was not uploaded completely"):
        content.check(WHOLE | change)


def test_the_mark_is_part_of_the_call_that_creates(cloud: LittleCloud, images: Images, file: BinaryIO) -> None:
    cloud.answers("GET", IMAGE, "/images/i-1", Answer(WHOLE))
    spec = dataclasses.replace(SPEC, min_disk=4, min_memory=512, properties={"architecture": "x86_64", "visibility": "public"})
    made = images.add(spec, file)
    assert (made.id, made.status, made.ours, made.checksum) == ("i-1", "active", True, SPEC.checksum)
    (asked,) = cloud.asked("POST", IMAGE, "/images")
    assert asked.body == {
        "name": "img",
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "private",
        "min_disk": 4,
        "min_ram": 512,
        "architecture": "x86_64",
        "sky": MARK,
        "sky_checksum": SPEC.checksum,
    }


def test_an_archive_is_raw_to_glance_and_an_archive_to_who_reads_it(cloud: LittleCloud, images: Images, file: BinaryIO) -> None:
    cloud.answers("GET", IMAGE, "/images/i-1", Answer(WHOLE | {"disk_format": "raw", "sky_format": "tar"}))
    made = images.add(dataclasses.replace(SPEC, format="tar"), file)
    (asked,) = cloud.asked("POST", IMAGE, "/images")
    assert (asked.body["disk_format"], asked.body["sky_format"], made.format) == ("raw", "tar", "tar")


def test_an_upload_that_fails_leaves_nothing(cloud: LittleCloud, images: Images, file: BinaryIO) -> None:
    cloud.reactions.pop(("PUT", IMAGE, "/images/i-1/file"))
    cloud.answers("PUT", IMAGE, "/images/i-1/file", Answer({"message": "the store is full of sand"}, 500))
    with pytest.raises(Unavailable, match="the store is full of sand"):
        images.add(SPEC, file)
    assert [asked.path for asked in cloud.asked("DELETE", IMAGE)] == ["/images/i-1"]


@pytest.mark.parametrize(
    ("change", "content", "said"),
    [
        ({"format": "qcow3"}, CONTENT, "unknown format 'qcow3' of image img: known: raw, qcow2"),
        ({"format": "qcow2"}, CONTENT, "the file of image img is not qcow2: the format qcow2 is wrong"),
        ({"format": "raw"}, b"QFI\xfb and so on", "the file of image img is qcow2: the format raw is wrong"),
        ({"properties": {"sky": "sky/1 eve"}}, CONTENT, "properties.sky: names that begin with 'sky' are reserved for marks"),
    ],
)
def test_what_glance_could_not_use_is_refused_before_anything_is_made(
    cloud: LittleCloud, images: Images, tmp_path: Path, change: dict[str, Any], content: bytes, said: str
) -> None:
    (tmp_path / "other").write_bytes(content)
    with (tmp_path / "other").open("rb") as other, pytest.raises(Invalid) as error:
        images.add(dataclasses.replace(SPEC, **change), other)
    assert str(error.value).startswith(said)
    assert cloud.asked("POST", IMAGE) == []


def test_a_name_of_somebody_else_is_left_alone(cloud: LittleCloud, images: Images, file: BinaryIO) -> None:
    cloud.holds(IMAGE, "images", MADE | {"sky": "sky/1 eve"})
    with pytest.raises(Invalid, match="the name img is taken by image i-1, which does not have the mark 'sky/1 ada'"):
        images.add(SPEC, file)
    assert cloud.asked("POST", IMAGE) == cloud.asked("DELETE", IMAGE) == []


def test_the_file_of_an_image_is_read_back(cloud: LittleCloud, images: Images) -> None:
    cloud.answers("GET", IMAGE, "/images/i-1/file", Answer({"any": "content"}), Answer({"message": "no"}, 404))
    read: list[bytes] = []
    image = images._image(WHOLE)
    images.fetch(image, read.append)
    assert b"any" in b"".join(read)
    with pytest.raises(Invalid, match=r"there is no image img \(i-1\)"):
        images.fetch(image, read.append)
