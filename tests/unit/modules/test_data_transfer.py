# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are copied whole or not at all; tests/integration/storage has it with real nodes and file systems."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.data_transfer import arrive, packed
from ansible_collections.sky.clusters.plugins.modules import data_transfer
from ansible_collections.sky.clusters.plugins.modules.data_transfer import TransferError, get, put, store

ME = pwd.getpwuid(os.getuid()).pw_name
HDFS = """#!/bin/sh
# A file system of Hadoop in the folder {root}: what is asked of the real command
case "$2 $3" in
"-test -d") test -d "{root}/${{4#hdfs://}}" ;;
"-put -f") cp -r -- "$4" "{root}/${{5#hdfs://}}" ;;
*) [ -e "{root}/${{3#hdfs://}}" ] || {{ echo "get: No such file or directory" >&2; exit 1; }}; cp -r -- "{root}/${{3#hdfs://}}" "$4" ;;
esac
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The URL of a folder in each kind of place."""
    (tmp_path / "node").mkdir()
    (tmp_path / "hadoop/in").mkdir(parents=True)
    program = tmp_path / "hdfs"
    program.write_text(HDFS.format(root=tmp_path / "hadoop"))
    program.chmod(0o755)
    monkeypatch.setattr(data_transfer, "HDFS", str(program))
    return {"file": f"file://{tmp_path / 'node'}", "hdfs": "hdfs:///in"}


def staged(tmp_path: Path, content: str | dict[str, str]) -> dict[str, Any]:
    """What the action has brought to the node."""
    if isinstance(content, str):
        (tmp_path / "data").write_text(content)
        return {"staged": str(tmp_path / "data"), "folder": False}
    folder = tmp_path / "source"
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return {"staged": str(packed(folder, tmp_path)), "folder": True}


def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / f"scratch{len(list(tmp_path.glob('scratch*')))}"
    folder.mkdir()
    return folder


def fetched(tmp_path: Path, url: str) -> Path:
    target = tmp_path / "fetched"
    found = get({"source": url, "user": ME, "staged": str(target)}, scratch(tmp_path))
    assert (target.stat().st_uid, stat.S_IMODE(target.stat().st_mode)) == (tmp_path.stat().st_uid, 0o600)
    arrive(target, tmp_path / "dest", found["folder"])
    return tmp_path / "dest"


@pytest.mark.parametrize("kind", ["file", "hdfs"])
def test_a_file_there_and_back(tmp_path: Path, places: dict[str, str], kind: str) -> None:
    url = places[kind]
    for content in ("first", "second"):  # one that exists is replaced
        done = put({"source": "/home/me/a.csv", "dest": f"{url}/", "user": ME, **staged(tmp_path, content)}, scratch(tmp_path))
        assert done == {"place": f"{store(url, ME)[1]}/a.csv", "bytes": len(content)}
    assert fetched(tmp_path, f"{url}/a.csv").read_text() == "second"


@pytest.mark.parametrize("kind", ["file", "hdfs"])
def test_a_folder_there_and_back_and_never_over_another(tmp_path: Path, places: dict[str, str], kind: str) -> None:
    given = {"source": "/home/me/set", "dest": places[kind], "user": ME}
    put(given | staged(tmp_path, {"a": "1", "b/c": "2"}), scratch(tmp_path))
    back = fetched(tmp_path, f"{places[kind]}/set")
    assert {str(path.relative_to(back)): path.read_text() for path in back.rglob("*") if path.is_file()} == {"a": "1", "b/c": "2"}
    with pytest.raises(TransferError, match="exists and is a folder: nothing was changed"):
        put(given | staged(tmp_path, "file"), scratch(tmp_path))


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, places: dict[str, str]) -> None:
    (tmp_path / "node/there").write_text("a file")
    with pytest.raises(TransferError, match="Not a directory"):
        put({"source": "a", "dest": f"{places['file']}/there/b", "user": ME, **staged(tmp_path, "x")}, scratch(tmp_path))
    assert [path.name for path in (tmp_path / "node").iterdir()] == ["there"]


def test_what_is_not_there_is_named(tmp_path: Path, places: dict[str, str]) -> None:
    with pytest.raises(TransferError, match="No such file or directory"):
        fetched(tmp_path, f"{places['file']}/missing")
    with pytest.raises(TransferError, match="No such file or directory"):
        fetched(tmp_path, "hdfs:///missing")


@pytest.mark.parametrize("url", ["", "data.csv", "/data/in", "ftp://x/y", "s3a:///key", "file://host/x", "hdfs:in"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(TransferError, match=r"must be a URL such as hdfs:///in/data\.csv"):
        store(url, ME)


def test_a_node_without_the_command_has_no_such_file_system() -> None:
    with pytest.raises(TransferError, match=r"this node has no s3a file system; name a node that has one \(sky_node\)"):
        store("s3a://bucket/key", ME)


def test_a_folder_from_a_node_stays_below_its_name(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil", "w") as archive:
        member = tarfile.TarInfo("../outside")
        archive.addfile(member)
    with pytest.raises(subprocess.CalledProcessError):
        arrive(tmp_path / "evil", tmp_path / "dest", is_folder=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil"]
