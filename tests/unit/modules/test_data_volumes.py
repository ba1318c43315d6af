# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a volume is checked before a file system is created on it; mounting is tested on real nodes (extensions/molecule/node)."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.modules import data_volumes
from ansible_collections.sky.clusters.plugins.modules.data_volumes import Mounter, Owner, VolumeFault, _named

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Node:
    """What a module has of Ansible: its parameters, and real commands."""

    check_mode = False

    def __init__(self, **volume: Any) -> None:
        self.params = {"volumes": [volume]}

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH})
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    file = tmp_path / "disk"
    with file.open("wb") as handle:
        handle.truncate(4 << 20)
    return file


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labels of the disks that would be mounted next."""
    found: list[str] = []
    monkeypatch.setattr(Mounter, "_mount", lambda _self, _volume, _device, signature: found.append(signature.label))
    return found


def mounter(disk: Path) -> Mounter:
    node: Any = Node(name="data", device=str(disk), label="sky123456789", fs="ext4", mount=str(disk.parent / "nowhere"))
    return Mounter(node)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PATH": PATH})


def test_a_file_system_is_created_once_on_a_blank_disk(disk: Path, mounted: list[str]) -> None:
    first, second = mounter(disk), mounter(disk)
    first.all()
    second.all()
    assert (first.actions, second.actions) == ([f"made ext4 on {disk}"], [])
    assert mounted == ["sky123456789"] * 2


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (["mkfs.ext4", "-q", "-L", "photos"], "ext4 with the label 'photos'"),
        (["mkfs.ext4", "-q"], "ext4 with the label ''"),
        (["mkswap"], "swap with the label ''"),
    ],
)
def test_a_disk_with_any_signature_is_not_changed(disk: Path, mounted: list[str], make: list[str], what: str) -> None:
    run(*make, str(disk))
    before = disk.read_bytes()
    with pytest.raises(VolumeFault, match=f"has {what} instead of the label sky123456789; it was not changed"):
        mounter(disk).all()
    assert disk.read_bytes() == before
    assert mounted == []


# devices that udev names


@pytest.fixture
def by_id(tmp_path: Path) -> Path:
    """A folder as udev keeps it: links to devices, several to one."""
    folder = tmp_path / "by-id"
    folder.mkdir()
    for name, device in {
        "virtio-8b999d06-68f9-4617-8": "vdb",
        "scsi-0QEMU_QEMU_HARDDISK_8b999d06-68f9-4617-8e0f-7b2783e9821e": "vdb",
        "virtio-8b999d06-68f9-4617-8-part1": "vdb1",
        "virtio-72931109-f34c-43b7-a": "vdc",
        "virtio-72931109-f34c-43b7-b": "vdd",
    }.items():
        (tmp_path / device).touch()
        (folder / name).symlink_to(tmp_path / device)
    return folder


def test_a_pattern_stands_for_the_one_device_that_it_matches(by_id: Path) -> None:
    assert _named(f"{by_id}/*8b999d06-68f9-4617-8*") == str(by_id.parent / "vdb")  # by both its links, and not by its partition


@pytest.mark.parametrize("pattern", ["*72931109-f34c-43b7-*", "*00000000-0000-0000-0*", "*-part1"])
def test_a_pattern_that_matches_no_or_several_devices_is_kept(by_id: Path, pattern: str) -> None:
    assert _named(f"{by_id}/{pattern}") == f"{by_id}/{pattern}"


def test_a_path_is_kept(by_id: Path) -> None:
    path = f"{by_id}/virtio-72931109-f34c-43b7-a"
    assert (_named(path), _named("/dev/nowhere"), _named("")) == (path, "/dev/nowhere", "")


def test_the_disk_that_a_pattern_matches_is_used(disk: Path, by_id: Path, mounted: list[str]) -> None:
    (by_id / "virtio-00000000-0000-0000-0").symlink_to(disk)
    node: Any = Node(name="data", device=f"{by_id}/*00000000-0000-0000-0*", label="sky123456789", fs="ext4", mount=str(disk.parent / "nowhere"))
    worker = Mounter(node)
    worker.all()
    assert worker.actions == [f"made ext4 on {disk}"]
    assert mounted == ["sky123456789"]


def test_a_pattern_that_matches_no_disk_is_reported_unchanged(by_id: Path) -> None:
    node: Any = Node(name="data", device=f"{by_id}/*11111111-*", label="sky987654321", fs="ext4", mount=str(by_id / "nowhere"))
    with pytest.raises(
        VolumeFault, match=r"^volume data: its device .*/by-id/\*11111111-\* does not exist, and no device has its label sky987654321$"
    ):
        Mounter(node).all()


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The top folder of a mounted volume."""
    monkeypatch.setattr(data_volumes, "_mounted_at", lambda path: "/dev/x" if path == str(tmp_path) else "")
    tmp_path.chmod(0o755)
    return tmp_path


def owner(folder: Path, **wanted: Any) -> Owner:
    node: Any = Node(**{"name": "sets", "mount": str(folder), "owner": "", "group": "", "mode": "", "if_unused": False} | wanted)
    return Owner(node)


def test_a_top_folder_is_given_away_once_and_what_is_in_it_stays(top: Path) -> None:
    (top / "file").write_text("x")
    before = (top / "file").stat()
    me = pwd.getpwuid(os.getuid()).pw_name
    for actions in ([f"{top}: owner {me}, mode 2775"], []):
        asked = owner(top, owner=me, mode="2775")
        asked.all()
        assert asked.actions == actions
    assert stat.S_IMODE(top.stat().st_mode) == 0o2775
    assert (top / "file").stat() == before


def test_without_an_owner_nobody_changes_it(top: Path) -> None:
    asked = owner(top)
    asked.all()
    assert asked.actions == []


@pytest.fixture
def of_root(top: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The top folder, as one that belongs to root, whoever runs the tests."""
    mine = top.stat()
    monkeypatch.setattr(data_volumes, "ROOT", (mine.st_uid, mine.st_gid))
    return top


def test_a_default_applies_to_a_folder_as_it_was_created(of_root: Path) -> None:
    (of_root / "lost+found").mkdir()
    for actions in ([f"{of_root}: mode 0775"], []):
        asked = owner(of_root, mode="0775", if_unused=True)
        asked.all()
        assert asked.actions == actions
    assert stat.S_IMODE(of_root.stat().st_mode) == 0o775


@pytest.mark.parametrize("used", ["file", "mode", "owner"])
def test_a_default_leaves_a_folder_in_use_as_it_is(of_root: Path, monkeypatch: pytest.MonkeyPatch, used: str) -> None:
    if used == "file":
        (of_root / "file").touch()
    elif used == "mode":
        of_root.chmod(0o700)
    else:
        monkeypatch.setattr(data_volumes, "ROOT", (os.getuid() + 1, os.getgid()))
    before = of_root.stat()
    asked = owner(of_root, owner="nobodyhere", mode="0775", if_unused=True)
    asked.all()
    assert asked.actions == []
    assert of_root.stat() == before


def test_an_owner_who_does_not_exist_is_named(top: Path) -> None:
    with pytest.raises(VolumeFault, match=r"volumes\.sets\.owner: \S+ has no owner named 'nobodyhere'"):
        owner(top, owner="nobodyhere").all()


def test_a_volume_that_is_not_mounted_is_not_given_away(top: Path) -> None:
    with pytest.raises(VolumeFault, match="is not mounted"):
        owner(top / "elsewhere", mode="0700").all()
