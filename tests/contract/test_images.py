# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cloud must do with images, whatever the provider."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Cloud, CloudError, Image, ImageSpec, Invalid, Stage
from ansible_collections.sky.clusters.tests.support.bench import Bench, events_by_name

NAME = "sky-contract"


@pytest.fixture
def bench(cloud_factory: Bench) -> Iterator[Bench]:
    """The cloud's bench; images that a test left are taken away, once no node stands on them."""
    yield cloud_factory
    cloud_factory.clear()
    for owner in ("", "someone-else"):
        cloud = cloud_factory("a", owner)
        for image in _named(cloud):
            if image.ours:
                cloud.delete_image(image)


def _named(cloud: Cloud, name: str = NAME) -> list[Image]:
    return [image for image in cloud.images() if image.name == name]


def _spec(file: Path, name: str = NAME) -> ImageSpec:
    return ImageSpec(name, f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")


def _added(cloud: Cloud, file: Path) -> Image:
    with file.open("rb") as content:
        return cloud.add_image(_spec(file), content)


def test_an_image_is_added_once(bench: Bench, tmp_path: Path) -> None:
    cloud, file = bench("a"), bench.image_file(tmp_path)
    assert _named(cloud) == []
    made = _added(cloud, file)
    assert (made.name, made.status, made.ours, made.checksum, made.size) == (NAME, "active", True, _spec(file).checksum, file.stat().st_size)
    assert _named(cloud) == [made]
    assert _added(bench("a1"), file) == made  # an image belongs to no cluster
    assert _named(cloud) == [made]


def test_an_image_whose_file_is_not_as_its_checksum_says_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    cloud, file = bench("a"), bench.image_file(tmp_path)
    wrong = dataclasses.replace(_spec(file), checksum=f"sha256:{'0' * 64}")
    with file.open("rb") as content, pytest.raises(CloudError, match=f"{_spec(file).checksum}, not {wrong.checksum}"):
        cloud.add_image(wrong, content)
    assert _named(cloud) == []
    assert bench.halves(NAME) == 0
    assert any(NAME in sentence for sentence in cloud.shortages([bench.spec(cloud, 0, image=NAME)], []))


def test_an_image_with_another_checksum_takes_the_place_of_the_old_one(bench: Bench, tmp_path: Path) -> None:
    cloud = bench("a")
    old = _added(cloud, bench.image_file(tmp_path))
    new = _added(cloud, bench.image_file(tmp_path, "two"))
    assert new.checksum != old.checksum
    assert _named(cloud) == [new]
    cloud.delete_image(old)  # gone, or another by now
    assert _named(cloud) == [new]


def test_an_image_that_was_cut_short_is_recreated(bench: Bench, tmp_path: Path) -> None:
    cloud, file = bench("a"), bench.image_file(tmp_path)
    bench.half_image(NAME)
    assert bench.halves(NAME) == 1
    assert [image for image in _named(cloud) if image.status == "active"] == []
    made = _added(cloud, file)
    assert _named(cloud) == [made]
    assert bench.halves(NAME) == 0


def test_an_image_of_somebody_else_is_left_alone(bench: Bench, tmp_path: Path) -> None:
    theirs = _added(bench("a", "someone-else"), bench.image_file(tmp_path))
    cloud = bench("a")
    (seen,) = _named(cloud)
    assert (seen.id, seen.ours) == (theirs.id, False)
    with pytest.raises(CloudError, match=NAME):
        cloud.delete_image(seen)
    with pytest.raises(CloudError, match=f"the name {NAME} is taken"):
        _added(cloud, bench.image_file(tmp_path, "two"))
    assert [image.id for image in _named(cloud)] == [theirs.id]


def test_an_image_is_deleted_once(bench: Bench, tmp_path: Path) -> None:
    cloud = bench("a")
    made = _added(cloud, bench.image_file(tmp_path))
    for _time in range(2):
        cloud.delete_image(made)
        assert _named(cloud) == []


def test_the_file_of_an_image_is_read_back(bench: Bench, tmp_path: Path) -> None:
    cloud, file = bench("a"), bench.image_file(tmp_path)
    made, found = _added(cloud, file), list[bytes]()
    if not bench.gives_images:
        with pytest.raises(Invalid, match="cannot give images back"):
            cloud.fetch_image(made, found.append)
        return
    cloud.fetch_image(made, found.append)
    assert b"".join(found) == file.read_bytes()
    cloud.delete_image(made)
    with pytest.raises(Invalid, match=NAME):
        cloud.fetch_image(made, found.append)


def test_images_that_were_not_added_are_listed_and_left_alone(bench: Bench) -> None:
    cloud = bench("a")
    (given,) = _named(cloud, bench.options.image)
    assert (given.ours, given.status) == (False, "active")
    with pytest.raises(CloudError, match=bench.options.image):
        cloud.delete_image(given)
    assert _named(cloud, bench.options.image) == [given]


def test_nodes_are_made_of_an_added_image(bench: Bench, tmp_path: Path) -> None:
    cloud = bench("a")
    image = _added(cloud, bench.image_file(tmp_path, starts=True))
    spec = bench.spec(cloud, 0, image=NAME)
    assert cloud.shortages([spec], []) == []
    assert events_by_name(list(cloud.create([spec])))["a-p-0"].stage is Stage.MADE
    (node,) = bench.settled(cloud).nodes
    assert (node.state.value, node.image) == ("running", NAME)
    with contextlib.suppress(CloudError):  # a cloud whose nodes are copies need not refuse
        cloud.delete_image(image)
    assert [(each.id, each.state.value) for each in bench.settled(cloud).nodes] == [(node.id, "running")]
