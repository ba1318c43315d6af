# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for volumes and images, on clouds in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Cloud,
    CloudError,
    ImageSpec,
    Mark,
    NodeSpec,
    Scope,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import (
    CloudEntry,
    Cluster,
    ClusterFileError,
    DataVolume,
    Pool,
)
from ansible_collections.sky.clusters.plugins.module_utils._engine import _data_volume, _image
from ansible_collections.sky.clusters.plugins.module_utils._engine._data_volume import Wanted
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import Change, only
from ansible_collections.sky.clusters.plugins.modules import image, image_info, share_access, volume, volume_info
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

NAME = "demo-worker-0-data"
MODULES = {"image": image, "image_info": image_info, "share_access": share_access, "volume": volume, "volume_info": volume_info}


class Place:
    """Two clouds in memory, and a cluster whose workers are in the first."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        options = MemoryOptions(str(folder))
        self.clouds: dict[str, Cloud] = {name: MemoryCloud(name, options, Scope("demo")) for name in ("one", "two")}
        pools = {
            "worker": Pool(cloud="one", count=1, volumes={"data": DataVolume(5), "fast": DataVolume(1, type="fast")}),
            "far": Pool(cloud="two", count=0),
        }
        self.cluster = Cluster("demo", {name: CloudEntry("memory", options) for name in self.clouds}, pools)
        self.told: list[str] = []

    def present(self, name: str = NAME, check: bool = False, **more: Any) -> Change:
        return _data_volume.present(self.cluster, self.clouds, Wanted(name, **more), check, self.told.append)

    def absent(self, name: str = NAME, check: bool = False, **clouds: Cloud) -> Change:
        return _data_volume.absent(clouds or self.clouds, name, check, self.told.append)

    def node(self) -> None:
        """Make the node that the volume belongs to."""
        cloud = self.clouds["one"]
        list(cloud.create([NodeSpec(Mark(cloud.owner, "demo", "worker", 0), "debian-12", "small", volumes=(VolumeSpec(NAME, 5),))]))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "world")


# --- volume ---------------------------------------------------------------------------------------------------------------------------------


def test_a_volume_is_created_once_as_the_file_describes_it(place: Place) -> None:
    made = place.present()
    assert (made.changed, made.before) == (True, {})
    assert {key: made.after[key] for key in ("name", "cloud", "node", "size", "type", "attached")} == {
        "name": NAME,
        "cloud": "one",
        "node": "demo-worker-0",
        "size": 5,
        "type": "",
        "attached": "",
    }
    writes = place.world.writes()
    again = place.present()
    assert (again.changed, again.before, again.after) == (False, made.after, made.after)
    assert place.world.writes() == writes
    assert place.world.volumes()[NAME]["mark"] == "sky/1 tester demo worker 0"


def test_the_type_is_that_of_the_file(place: Place) -> None:
    assert place.present("demo-worker-0-fast").after["type"] == "fast"


def test_a_volume_is_extended_to_the_current_size_in_the_file(place: Place) -> None:
    small = place.present(size=2)
    foretold = place.present(check=True)
    assert (foretold.changed, foretold.before["size"], foretold.after["size"]) == (True, 2, 5)
    assert place.world.volumes()[NAME]["size"] == 2
    grown = place.present()
    assert (grown.changed, grown.after["size"], grown.after["id"]) == (True, 5, small.after["id"])
    assert grown.result("volume")["diff"] == {"before": dict(small.after), "after": dict(grown.after)}


def test_check_mode_changes_nothing_and_takes_no_lock(place: Place) -> None:
    outcome = place.present(check=True)
    assert (outcome.changed, outcome.after["size"]) == (True, 5)
    place.present()
    calls = place.world.writing_calls()
    assert place.absent(check=True).changed
    assert place.world.writing_calls() == calls
    assert place.world.calls("lock") == 1


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("demo-worker-0", {}, "'demo-worker-0' is not a data volume name of cluster demo: expected demo-POOL-INDEX-VOLUME"),
        ("demo-wroker-0-data", {}, "name: volume demo-wroker-0-data belongs to pool 'wroker', which is not in the file; did you mean 'worker'?"),
        ("demo-worker-0-logs", {}, "size: is required, 1 GiB or more: pools.worker.volumes does not list this volume"),
        ("demo-worker-0-logs", {"size": -1}, "size: is required, 1 GiB or more: pools.worker.volumes does not list this volume"),
        (NAME, {"size": 6}, "size: pools.worker.volumes.data says 5 GiB, and a volume cannot shrink: change the file first"),
        (NAME, {"type": "slow"}, "type: pools.worker.volumes.data says '', not 'slow': change the file first"),
    ],
)
def test_a_volume_that_is_not_in_the_file_is_refused(place: Place, name: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises((ClusterFileError, CloudError)) as error:
        place.present(name, **more)
    assert str(error.value) == said
    assert place.world.writing_calls() == 0


def test_a_volume_does_not_shrink_and_keeps_its_type(place: Place) -> None:
    place.present("demo-worker-0-logs", size=3)
    with pytest.raises(CloudError, match="size: volume demo-worker-0-logs has 3 GiB and cannot shrink to 2"):
        place.present("demo-worker-0-logs", size=2)
    with pytest.raises(CloudError, match="type: volume demo-worker-0-logs is of type '', which cannot become 'fast'"):
        place.present("demo-worker-0-logs", size=3, type="fast")


def test_what_the_cloud_lacks_is_reported_before_anything_is_created(place: Place) -> None:
    with pytest.raises(CloudError, match=r"volume demo-worker-0-logs cannot be created in cloud one: .* no type gold here"):
        place.present("demo-worker-0-logs", size=1, type="gold", check=True)
    assert place.world.writing_calls() == 0


def test_a_lost_answer_creates_no_duplicate(place: Place) -> None:
    place.world.fault("create_volumes", "lost")
    assert place.present().changed
    assert place.world.calls("create_volumes") == 2
    assert [write for write in place.world.writes() if write[0] == "create"] == [["create", "volume", NAME]]


def test_exactly_one_kept_volume_is_deleted(place: Place) -> None:
    made = place.present()
    place.present("demo-worker-1-data")
    gone = place.absent()
    assert (gone.changed, gone.before, gone.after) == (True, made.after, {})
    assert list(place.world.volumes()) == ["demo-worker-1-data"]
    assert place.absent() == Change()


def test_a_volume_that_is_in_use_or_another_owners_is_not_deleted(place: Place) -> None:
    place.node()
    for check in (True, False):
        with pytest.raises(CloudError, match=f"cloud one: volume {NAME} is attached to demo-worker-0: it is left alone"):
            place.absent(check=check)
    place.world.remove_node("demo-worker-0")
    place.world.set_volume(NAME, mark="sky/1 eve demo worker 0")
    for call in (place.absent, place.present):
        with pytest.raises(CloudError, match=f"cloud one: volume {NAME} belongs to eve, not to tester: it is left alone"):
            call()
    place.world.set_volume(NAME, mark="")
    for call in (place.absent, place.present):
        with pytest.raises(CloudError, match=f"cloud one: something named {NAME} exists and is not ours"):
            call()
    assert len(place.world.cloud("one")["volumes"]) == 1


def test_a_volume_of_two_clouds_is_deleted_in_the_one_that_is_named(place: Place) -> None:
    for cloud in place.clouds.values():
        list(cloud.create_volumes([VolumeSpec(NAME, 1)]))
    with pytest.raises(CloudError, match=r"is in 2 clouds \(one, two\): choose one with the option cloud"):
        place.absent()
    assert place.absent(two=place.clouds["two"]).changed
    assert (list(place.world.volumes()), list(place.world.volumes(cloud="two"))) == ([NAME], [])


def test_a_run_at_work_is_waited_for(place: Place) -> None:
    with _held(place.clouds["one"]), pytest.raises(CloudError, match="locked by a run"):
        place.clouds["one"].lock("somebody", 60)
    place.present()
    lease = place.clouds["one"].lock("somebody", 60)  # it was released
    place.clouds["one"].unlock(lease)


@contextlib.contextmanager
def _held(cloud: Cloud) -> Iterator[None]:
    lease = cloud.lock("a run", 60)
    yield
    cloud.unlock(lease)


# --- image ----------------------------------------------------------------------------------------------------------------------------------


def _spec(content: bytes = b"one", name: str = "img") -> ImageSpec:
    return ImageSpec(name, f"sha256:{hashlib.sha256(content).hexdigest()}")


def _file(content: bytes) -> Callable[[], contextlib.AbstractContextManager[BinaryIO]]:
    return lambda: contextlib.nullcontext(io.BytesIO(content))


def _unread() -> contextlib.AbstractContextManager[BinaryIO]:
    raise AssertionError("the file was opened")


def test_an_image_is_fetched_and_added_once(place: Place) -> None:
    cloud = place.clouds["one"]
    assert _image.present(cloud, _spec(), _unread, force=False, check=True).changed
    made = _image.present(cloud, _spec(), _file(b"one"), force=False, check=False)
    assert (made.changed, made.before, made.after["status"], made.after["ours"], made.after["cloud"]) == (True, {}, "active", True, "one")
    again = _image.present(cloud, _spec(), _unread, force=True, check=False)
    assert (again.changed, again.after) == (False, made.after)


def test_another_checksum_is_refused_unless_forced(place: Place) -> None:
    cloud = place.clouds["one"]
    old = _image.present(cloud, _spec(), _file(b"one"), force=False, check=False)
    for check in (True, False):
        with pytest.raises(CloudError) as error:
            _image.present(cloud, _spec(b"two"), _unread, force=False, check=check)
        assert str(error.value) == (
            f"cloud one: image img exists with the checksum {_spec().checksum}, not {_spec(b'two').checksum}: "
            "choose another name, or replace it with force: true"
        )
    new = _image.present(cloud, _spec(b"two"), _file(b"two"), force=True, check=False)
    assert (new.changed, new.before, new.after["checksum"]) == (True, old.after, _spec(b"two").checksum)
    assert [each.id for each in cloud.images() if each.name == "img"] == [new.after["id"]]


def test_an_incomplete_image_is_created_again(place: Place) -> None:
    cloud = place.clouds["one"]
    made = _image.present(cloud, _spec(), _file(b"one"), force=False, check=False)
    with place.world.tamper() as state:
        state["clouds"]["one"]["images"][made.after["id"]].update(status="queued")
    again = _image.present(cloud, _spec(), _file(b"one"), force=False, check=False)
    assert (again.changed, again.before["status"], again.after["status"]) == (True, "queued", "active")
    assert [each.status for each in cloud.images() if each.name == "img"] == ["active"]


def test_images_of_others_are_not_changed(place: Place) -> None:
    cloud = place.clouds["one"]
    with pytest.raises(CloudError, match=r"cloud one: the name debian-12 is taken by image debian-12, which is not ours: choose another name"):
        _image.present(cloud, _spec(name="debian-12"), _unread, force=True, check=False)
    with pytest.raises(CloudError, match=r"cloud one: image debian-12 \(debian-12\) is not ours: it is left alone"):
        _image.absent(cloud, "debian-12", check=True)


def test_an_image_is_deleted_once(place: Place) -> None:
    cloud = place.clouds["one"]
    made = _image.present(cloud, _spec(), _file(b"one"), force=False, check=False)
    assert _image.absent(cloud, "img", check=True).changed
    assert len(place.world.cloud("one")["images"]) == 1
    gone = _image.absent(cloud, "img", check=False)
    assert (gone.changed, gone.before, gone.after) == (True, made.after, {})
    assert _image.absent(cloud, "img", check=False) == Change()
    assert place.world.cloud("one")["images"] == {}


def test_a_refusal_names_the_cloud(place: Place) -> None:
    cloud = place.clouds["one"]
    with pytest.raises(CloudError, match=rf"^cloud one: the file of image img has the checksum {_spec(b'two').checksum}, not {_spec().checksum}$"):
        _image.present(cloud, _spec(), _file(b"two"), force=False, check=False)
    assert place.world.cloud("one")["images"] == {}
    place.world.fault("images", "denied")
    with pytest.raises(CloudError, match=r"^cloud one: images in cloud one: denied, says the cloud$"):
        _image.absent(cloud, "img", check=False)


def test_one_of_several_images_of_a_name_is_read_by_its_identifier(place: Place) -> None:
    cloud = place.clouds["one"]
    made = [
        _image.present(cloud, _spec(word, name), _file(word), force=False, check=False).after["id"] for name, word in (("img", b"1"), ("x", b"2"))
    ]
    with place.world.tamper() as state:
        state["clouds"]["one"]["images"][made[1]].update(name="img")
    with pytest.raises(CloudError) as error, _image.fetched(cloud, "img", "/tmp"):
        pass
    assert str(error.value) == f"cloud one: 2 images are called img, one is needed: name it by its identifier: {', '.join(sorted(made))}"
    with pytest.raises(CloudError, match="cannot give images back"), _image.fetched(cloud, made[1], "/tmp"):
        pass  # it was found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"checksum": "md5:123"}, "checksum: must be 'sha256:' and 64 hexadecimal digits, got 'md5:123'"),
        ({"min_disk": -1}, "min_disk: must be 0 or more, got -1"),
        ({"min_memory": -1}, "min_memory: must be 0 or more, got -1"),
    ],
)
def test_faults_name_the_option(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CloudError) as error:
        _image.checked(dataclasses.replace(_spec(), **change))
    assert str(error.value) == said
    assert _image.checked(dataclasses.replace(_spec(), checksum=_spec().checksum.upper().replace("SHA", "sha"))) == _spec()


def test_one_of_several_clouds_is_named(place: Place) -> None:
    with pytest.raises(ClusterFileError, match="cloud: is required because the cluster has several: one, two"):
        only(place.clouds)
    assert only({"one": place.clouds["one"]}) is place.clouds["one"]


# --- documentation --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "module"), MODULES.items())
def test_examples_are_accepted_and_every_option_is_described(name: str, module: Any) -> None:
    described = yaml.safe_load(module.DOCUMENTATION)["options"]
    shared = {"cluster", "clouds", "pools", "settings"}
    assert set(described) == set(module.SPEC) - shared
    for option, spec in module.SPEC.items():
        if option not in shared:
            assert {key: described[option].get(key) for key in ("type", "default", "choices", "required")} == {
                key: spec.get(key) for key in ("type", "default", "choices", "required")
            }
    examples = [(task["name"], task[f"sky.clusters.{name}"]) for task in yaml.safe_load(module.EXAMPLES)]
    assert examples
    for title, given in examples:
        assert _faults(module, given | {"clouds": {}, "pools": {}, "settings": {}}) == [], title


def _faults(module: ModuleType, given: dict[str, Any]) -> list[str]:
    validator = ArgumentSpecValidator(module.SPEC, required_if=getattr(module, "REQUIRED_IF", None))
    return list(validator.validate(given).error_messages)
