# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A NameNode is formatted once, on a volume that is its own and empty; tests/integration/storage has it with real HDFS."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.modules import hdfs_storage
from ansible_collections.sky.clusters.plugins.modules.hdfs_storage import StorageError, copies, look

ME = pwd.getpwuid(os.getuid()).pw_name
FORMAT = """#!/bin/sh
set -e
mkdir "$1/current"
echo half > "$1/current/fsimage"
[ ! -e {stop} ] || {{ echo killed >&2; exit 1; }}
echo "clusterID=$2" > "$1/current/VERSION"
"""


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted volume, with a format that stops half-way while a file `stop` is there."""
    program = tmp_path / "format"
    program.write_text(FORMAT.format(stop=tmp_path / "stop"))
    program.chmod(0o755)
    monkeypatch.setattr(hdfs_storage, "FORMAT", str(program))
    monkeypatch.setattr(os.path, "ismount", lambda _path: True)
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def asked(volume: Path, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {"cluster_id": "", "format": False, "further": [], "held": [], "replication": None, "datanodes": 1, "most_copies": 3, "user": ME}
    return look({"path": str(volume), "cluster": "demo", **given, **more}, check)


def holds(folder: Path, cluster_id: str) -> None:
    (folder / "current").mkdir(parents=True)
    (folder / "current/VERSION").write_text(f"#Sat\nnamespaceID=1\nclusterID={cluster_id}\n")


def test_a_blank_volume_is_formatted_once(volume: Path) -> None:
    assert asked(volume) == {"changed": False, "name": "", "data": "", "replication": 0, "copies": 1}
    first = asked(volume, format=True)
    assert first["changed"]
    assert first["name"].startswith("demo-")
    again = asked(volume, format=True)
    assert (again["changed"], again["name"]) == (False, first["name"])
    assert json.loads((volume / ".sky/hdfs.json").read_text()) == {"cluster": "demo", "cluster_id": first["name"]}


def test_check_mode_formats_nothing(volume: Path) -> None:
    assert asked(volume, check=True, format=True)["changed"]
    assert list(volume.iterdir()) == []


def test_a_format_that_was_killed_half_way_is_made_again(volume: Path) -> None:
    (volume.parent / "stop").touch()
    with pytest.raises(StorageError, match="could not be formatted: killed"):
        asked(volume, format=True)
    assert not (volume / "name").exists()
    assert (volume / ".sky-hdfs-format/current/fsimage").exists()
    (volume.parent / "stop").unlink()
    assert asked(volume, format=True)["name"]
    assert [path.name for path in volume.iterdir() if path.name.startswith(".sky-hdfs")] == []


def test_a_folder_that_is_not_whole_is_left_as_it_is(volume: Path) -> None:
    (volume / "name/current").mkdir(parents=True)
    (volume / "name/current/edits_1").write_text("edits")
    with pytest.raises(StorageError, match=r"holds files but no usable current/VERSION.*restore it"):
        asked(volume, format=True)
    assert (volume / "name/current/edits_1").read_text() == "edits"


def test_a_volume_that_has_lost_its_namenode_is_not_formatted_again(volume: Path) -> None:
    cluster_id = asked(volume, format=True)["name"]
    (volume / "name").rename(volume.parent / "lost")
    with pytest.raises(StorageError, match=f"held the NameNode of {cluster_id}"):
        asked(volume, format=True)
    assert not (volume / "name").exists()


def test_no_format_while_datanodes_hold_blocks(volume: Path) -> None:
    with pytest.raises(StorageError, match="DataNodes hold blocks of demo-11111111, which a new NameNode could not read"):
        asked(volume, format=True, held=["demo-11111111"])
    assert list(volume.iterdir()) == []


def test_a_lost_volume_is_filled_from_a_copy_and_not_formatted(volume: Path) -> None:
    """By the NameNode itself, when it starts."""
    holds(volume.parent / "copy/name", "demo-11111111")
    found = asked(volume, format=True, held=["demo-11111111"], further=[str(volume.parent / "copy/name")])
    assert found["name"] == "demo-11111111"
    assert not (volume / "name").exists()
    holds(volume.parent / "foreign/name", "other-22222222")
    with pytest.raises(StorageError, match="of cluster 'other'"):
        asked(volume, format=True, further=[str(volume.parent / "foreign/name")])


def test_nothing_is_formatted_beside_the_volume(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda _path: False)
    with pytest.raises(StorageError, match="is not mounted"):
        asked(volume, format=True)


def test_a_volume_of_another_cluster_is_refused_by_name(volume: Path) -> None:
    holds(volume / "data", "other-22222222")
    with pytest.raises(
        StorageError, match=r"holds blocks of the HDFS other-22222222 of cluster 'other', and that of cluster 'demo' is demo-11111111"
    ):
        asked(volume, cluster_id="demo-11111111")
    holds(volume / "name", "my-lab-33333333")
    with pytest.raises(StorageError, match=r"belongs to the HDFS my-lab-33333333 of cluster 'my-lab', not to cluster 'demo'"):
        asked(volume)
    assert asked_ids(volume) == ("other-22222222", "my-lab-33333333")


def asked_ids(volume: Path) -> tuple[str, str]:
    return hdfs_storage.identifier(volume / "data"), hdfs_storage.identifier(volume / "name")


def test_its_own_blocks_are_accepted(volume: Path) -> None:
    holds(volume / "data", "demo-11111111")
    assert asked(volume, cluster_id="demo-11111111")["data"] == "demo-11111111"


def test_the_number_of_copies_is_kept_on_the_volume(volume: Path) -> None:
    asked(volume, format=True)
    assert asked(volume, replication=2)["changed"]
    assert asked(volume, datanodes=1) == asked(volume, datanodes=1) | {"changed": False, "replication": 2, "copies": 2}


@pytest.mark.parametrize(
    ("most", "datanodes", "in_force", "wanted"),
    [
        (3, 1, 0, 1),
        (3, 2, 1, 2),
        (3, 8, 2, 3),
        (3, 2, 3, 3),  # fewer DataNodes are no wish for fewer copies
        (2, 2, 3, 2),  # this is
        (2, 1, 3, 1),
        (3, 0, 0, 1),
    ],
)
def test_copies_grow_with_the_datanodes_and_become_fewer_on_request_only(most: int, datanodes: int, in_force: int, wanted: int) -> None:
    assert copies(most, datanodes, in_force) == wanted
