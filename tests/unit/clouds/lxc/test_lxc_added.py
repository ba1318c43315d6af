# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that are brought to the local cloud: archives, as they are unpacked, refused and deleted."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import ImageSpec, Invalid, MarkError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import _images
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import added, images, records
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.added import Added
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import NodePlace, Zone
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.records import NodeRecord

MARK = "sky/1 ada"
PROGRAMS = ("usr/sbin/init", "usr/sbin/sshd", "usr/bin/python3")


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone("lab", tmp_path / "state", ipaddress.IPv4Network("10.88.9.0/24"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system that nodes could be made of."""
    folder = tmp_path / "root"
    for path in ("etc/ssh", "usr/bin", "usr/sbin"):
        (folder / path).mkdir(parents=True)
    for name in ("passwd", "group", "shadow"):
        (folder / "etc" / name).write_text("root:x:0:0::/root:/bin/sh\n")
    (folder / "etc/ssh/ssh_host_ed25519_key").write_text("everybody's")
    for link in ("bin", "sbin"):
        (folder / link).symlink_to(f"usr/{link}")
    for program in PROGRAMS:
        shutil.copy2("/bin/true", folder / program)
    return folder


def archive(root: Path, *options: str) -> Path:
    file = root.parent / "image.tar"
    subprocess.run(["tar", "--create", f"--file={file}", f"--directory={root}", *options, "."], check=True)
    return file


def checksum(file: Path) -> str:
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def add(zone: Zone, file: Path, name: str = "img", mark: str = MARK, given_up: Callable[[], bool] = lambda: False, **more: str) -> Added:
    wanted = {"name": name, "mark": mark, "checksum": checksum(file)} | more
    with file.open("rb") as content:
        return added.add(zone, wanted, content, images.finish, given_up)


def stored(zone: Zone) -> list[str]:
    return sorted(entry.name for entry in zone.images.iterdir())


@pytest.mark.parametrize("packed", [(), ("--gzip",), ("--bzip2",), ("--xz",), ("--zstd",)])
def test_an_archive_is_unpacked_and_noted(zone: Zone, root: Path, packed: tuple[str, ...]) -> None:
    file = archive(root, *packed)
    image = add(zone, file)
    assert (image.name, image.mark, image.checksum, image.size, image.architecture) == (
        "img",
        MARK,
        checksum(file),
        file.stat().st_size,
        platform.machine(),
    )
    assert stored(zone) == [image.base, "img.json"]
    made = zone.images / image.base / "root"
    assert not (made / "etc/ssh/ssh_host_ed25519_key").exists()
    assert "PasswordAuthentication no" in (made / "etc/ssh/sshd_config.d/00-sky.conf").read_text()
    assert (made / "etc/systemd/system/systemd-udevd.service").readlink() == Path("/dev/null")
    assert images.Images(zone).ensure(images.Recipe("img", ""), lambda _text: None, lambda: False) == image.base
    assert add(zone, file) == image


def test_the_archive_is_kept_for_root_and_read_back(zone: Zone, root: Path, tmp_path: Path) -> None:
    file = archive(root, "--gzip")
    image = add(zone, file)
    kept = zone.images / image.base / added.ARCHIVE
    assert kept.stat().st_mode & 0o777 == 0o600
    with (tmp_path / "out").open("w+b") as out:
        added.fetch(zone, "img", image.base, out)
    assert (tmp_path / "out").read_bytes() == file.read_bytes()
    for name, base in (("img", "img-0123456789ab"), ("none", image.base)):
        with (
            (tmp_path / "out").open("r+b") as out,
            pytest.raises(HostError, match=rf"^there is no image {name} \({base}\) on this machine any more$"),
        ):
            added.fetch(zone, name, base, out)
    kept.unlink()  # as in an image of an earlier version
    with (tmp_path / "out").open("r+b") as out, pytest.raises(HostError, match=r"^the file of image img was not kept, .* delete the image, and add"):
        added.fetch(zone, "img", image.base, out)


def test_a_record_that_was_not_written_is_written_by_the_next(zone: Zone, root: Path) -> None:
    image = add(zone, archive(root))
    added.record_file(zone, "img").unlink()
    assert added.names(zone) == []
    assert dataclasses.replace(add(zone, archive(root)), created=image.created) == image


def test_a_file_that_is_not_as_it_was_said_leaves_nothing(zone: Zone, root: Path) -> None:
    file = archive(root)
    with pytest.raises(HostError, match=f"the file of image img has the checksum {checksum(file)}, not sha256:00"):
        add(zone, file, checksum=f"sha256:{'0' * 64}")
    assert stored(zone) == []


def _no_archive(root: Path) -> Path:
    file = root.parent / "image.tar"
    file.write_bytes(b"no archive" * 1000)
    return file


def _cut_short(root: Path) -> Path:
    file = archive(root, "--gzip")
    file.write_bytes(file.read_bytes()[:2000])
    return file


def _without_shadow(root: Path) -> Path:
    (root / "etc/shadow").unlink()
    (root / "usr/sbin/sshd").unlink()
    return archive(root)


def _one_folder_deep(root: Path) -> Path:
    return archive(root, "--transform=s,^./,rootfs/,")


def _with_a_way_out(root: Path) -> Path:
    shutil.rmtree(root / "etc/ssh")
    (root / "etc/ssh").symlink_to("/etc/ssh")
    return archive(root)


def _of_another_machine(root: Path) -> Path:
    other = 183 if platform.machine() != "aarch64" else 62
    for program in PROGRAMS:
        text = (root / program).read_bytes()
        (root / program).write_bytes(text[:18] + other.to_bytes(2, "little") + text[20:])
    return archive(root)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_no_archive, "the file of image img cannot be unpacked as a tar archive: "),
        (_cut_short, "the file of image img cannot be unpacked as a tar archive: "),
        (_without_shadow, "the archive of image img is not a root file system for a node: it lacks etc/shadow, sbin/sshd"),
        (_one_folder_deep, "the archive of image img is not a root file system for a node: it lacks etc/passwd, etc/group, etc/shadow, sbin/init"),
        (_with_a_way_out, "image img cannot be used: its etc/ssh is a link"),
        (_of_another_machine, f"this machine is {platform.machine()}"),
    ],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(zone: Zone, root: Path, make: Callable[[Path], Path], said: str) -> None:
    with pytest.raises(HostError) as error:
        add(zone, make(root))
    assert said in str(error.value)
    assert error.value.kind == "invalid"
    assert stored(zone) == []


def test_unpacking_stops_with_the_run_that_asked(zone: Zone, root: Path) -> None:
    with pytest.raises(HostError, match="unpacking the image img was stopped"):
        add(zone, archive(root), given_up=lambda: True)
    assert stored(zone) == []


def test_what_a_killed_run_left_is_taken_away(zone: Zone, root: Path) -> None:
    (zone.images / ".building-img-0123-left/root").mkdir(parents=True)
    image = add(zone, archive(root))
    assert stored(zone) == [image.base, "img.json"]


def test_another_checksum_takes_the_place_unless_a_node_uses_the_old_one(zone: Zone, root: Path) -> None:
    old = add(zone, archive(root))
    (root / "etc/motd").write_text("two")
    two = add(zone, archive(root))
    assert stored(zone) == sorted([two.base, "img.json"])
    assert two.base != old.base
    node(zone, base=two.base)
    (root / "etc/motd").write_text("three")
    three = add(zone, archive(root))
    assert stored(zone) == sorted([two.base, three.base, "img.json"])
    assert added.bases(zone) == {three.base}


def test_the_name_of_another_owner_is_refused(zone: Zone, root: Path) -> None:
    add(zone, archive(root), mark="sky/1 eve")
    with pytest.raises(HostError, match="the name img is taken by an image that is marked 'sky/1 eve', not 'sky/1 ada'"):
        add(zone, archive(root))


def node(zone: Zone, **more: Any) -> None:
    place = NodePlace(zone, "a-p-0")
    place.folder.mkdir(parents=True)
    fixed: dict[str, Any] = {"flavor": "small", "cores": 1, "memory": 512, "address": "10.88.9.2", "mac": "", "cpus": [0], "user": "root"}
    records.save(place.record, NodeRecord(mark="sky/1 ada a p 0", id="1", created="", **({"image": "img", "base": ""} | fixed | more)))


@pytest.mark.parametrize("begun", [True, False])
def test_an_image_that_a_node_uses_is_not_deleted(zone: Zone, root: Path, begun: bool) -> None:
    image = add(zone, archive(root))
    node(zone, base="" if begun else image.base)
    with pytest.raises(HostError, match="image img is in use by a-p-0: it is left alone"):
        added.delete(zone, "img", image.base, MARK)
    assert stored(zone) == [image.base, "img.json"]


def test_exactly_the_image_that_was_meant_is_deleted(zone: Zone, root: Path) -> None:
    image = add(zone, archive(root))
    added.delete(zone, "img", "img-of-yesterday", MARK)
    with pytest.raises(HostError, match="image img is marked 'sky/1 ada', not 'sky/1 eve': it is left alone"):
        added.delete(zone, "img", image.base, "sky/1 eve")
    assert stored(zone) == [image.base, "img.json"]
    for _time in range(2):
        added.delete(zone, "img", image.base, MARK)
        assert stored(zone) == []
    with pytest.raises(HostError, match="there is no image img on this machine any more"):
        images.Images(zone).ensure(images.Recipe("img", ""), lambda _text: None, lambda: False)


def test_images_that_were_added_outlive_those_that_nobody_uses(zone: Zone, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = add(zone, archive(root))
    (zone.images / "old-0123/root").mkdir(parents=True)
    monkeypatch.setattr(images, "KEPT", -1)
    images.Images(zone)._clear()
    assert stored(zone) == [image.base, "img.json"]


def test_recipes_and_added_images_are_listed(zone: Zone, root: Path) -> None:
    image = add(zone, archive(root))
    found = {each.name: each for each in _images.listed(zone, ["debian-12"], MARK)}
    assert {name: (each.id, each.ours, each.format, each.status) for name, each in found.items()} == {
        "debian-12": ("debian-12", False, "recipe", "active"),
        "img": (image.base, True, "tar", "active"),
    }
    assert [each.ours for each in _images.listed(zone, [], "sky/1 eve")] == [False]


def test_a_damaged_record_is_one_sentence(zone: Zone) -> None:
    zone.images.mkdir(parents=True)
    for text in ("{", "[]", json.dumps({"mark": MARK})):
        added.record_file(zone, "img").write_text(text)
        with pytest.raises(MarkError, match=r"the record .*/img.json of image img is damaged"):
            _images.listed(zone, [], MARK)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../x"}, "name: must be a name"),
        ({"name": "debian-12"}, "the name debian-12 is that of a recipe"),
        (
            {"format": "raw"},
            "image img: the local cloud accepts archives of root file systems, compressed or not, and no file of format 'raw': if it is an",
        ),
        ({"min_disk": 1}, "image img: the local cloud's images have no min_disk, min_memory or properties"),
    ],
)
def test_what_the_local_cloud_does_not_have_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    spec = dataclasses.replace(ImageSpec("img", f"sha256:{'0' * 64}"), **change)
    (tmp_path / "file").write_text("")
    with (tmp_path / "file").open("rb") as file, pytest.raises(Invalid) as error:
        _images.request(spec, ["debian-12"], MARK, file)
    assert str(error.value).startswith(said)
