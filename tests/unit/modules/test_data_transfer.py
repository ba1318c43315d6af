# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are copied whole or not at all; tests/integration/storage has it with real nodes and file systems."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.action.data_transfer import arrive, destination, origin, packed, receive
from ansible_collections.sky.clusters.plugins.modules import data_transfer
from ansible_collections.sky.clusters.plugins.modules.data_transfer import TransferError, foretold, get, put, store

ME = pwd.getpwuid(os.getuid()).pw_name
HDFS = """#!/bin/sh
# A file system of Hadoop in the folder {root}: what is asked of the real command. It has no room for a file named full
case "$2 $3" in
"-test -d"|"-test -e") test "$3" "{root}/${{4#hdfs://}}" ;;
"-put -f") cp -r -- "$4" "{root}/${{5#hdfs://}}" && [ ! -e "$4/full" ] || {{ echo "put: The quota is exceeded" >&2; exit 1; }} ;;
"-mv "*) mv -- "{root}/${{3#hdfs://}}" "{root}/${{4#hdfs://}}" ;;
"-rm -r") [ "$4 $5" = "-f -skipTrash" ] && rm -rf -- "{root}/${{6#hdfs://}}" ;;
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
    found = get({"source": url, "user": ME, "staged": str(target), "replaces": False}, scratch(tmp_path))
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


def test_a_link_is_followed_and_its_target_stays_as_it_is(tmp_path: Path, places: dict[str, str]) -> None:
    node = tmp_path / "node"
    (node / "2026").mkdir()
    (node / "2026/set.csv").write_text("rows")
    (node / "2026/set.csv").chmod(0o644)
    (node / "latest").symlink_to("2026")
    (node / "latest.csv").symlink_to("2026/set.csv")
    assert fetched(tmp_path, f"{places['file']}/latest.csv").read_text() == "rows"
    (tmp_path / "dest").unlink()
    assert (fetched(tmp_path, f"{places['file']}/latest") / "set.csv").read_text() == "rows"
    assert stat.S_IMODE((node / "2026/set.csv").stat().st_mode) == 0o644
    assert (node / "latest.csv").is_symlink()


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_a_user_fetches_nothing_that_they_cannot_read(tmp_path: Path) -> None:
    before, target = Path("/etc/shadow").stat(), tmp_path / "fetched"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # which others can enter
        open_to_all = Path(name)
        open_to_all.chmod(0o755)
        (open_to_all / "shadow").symlink_to("/etc/shadow")
        with pytest.raises(TransferError, match="Permission denied"):
            get({"source": f"file://{open_to_all}/shadow", "user": "nobody", "staged": str(target), "replaces": False}, scratch(open_to_all))
        (open_to_all / "data").symlink_to("/etc/shadow")  # put there between the copy and its transfer
        with target.open("wb") as file, pytest.raises(TransferError, match="Permission denied"):
            store("file:///x", "nobody")[0].write(open_to_all / "data", file.fileno())
    assert (target.read_bytes(), Path("/etc/shadow").stat().st_uid, Path("/etc/shadow").stat().st_mode) == (b"", before.st_uid, before.st_mode)


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, places: dict[str, str]) -> None:
    (tmp_path / "node/there").write_text("a file")
    with pytest.raises(TransferError, match="Not a directory"):
        put({"source": "a", "dest": f"{places['file']}/there/b", "user": ME, **staged(tmp_path, "x")}, scratch(tmp_path))
    assert [path.name for path in (tmp_path / "node").iterdir()] == ["there"]


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("name", ["in", "in/new"])
def test_a_folder_of_which_a_part_has_no_room_leaves_nothing_and_can_be_brought_again(tmp_path: Path, name: str) -> None:
    given = {"source": "/home/me/set", "dest": f"hdfs:///{name}", "user": ME}
    place = tmp_path / "hadoop" / ("in/set" if name == "in" else name)
    with pytest.raises(TransferError, match="The quota is exceeded"):
        put(given | staged(tmp_path, {"a": "1", "full": "2"}), scratch(tmp_path))
    assert not list((tmp_path / "hadoop/in").iterdir())
    (tmp_path / "source/full").unlink()
    put(given | staged(tmp_path, {"a": "1"}), scratch(tmp_path))
    assert [path.name for path in (tmp_path / "hadoop/in").iterdir()] == [place.name]
    assert [path.name for path in place.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["a#1.csv", "a?b.csv", "a%20b.csv"])
def test_a_name_may_hold_any_sign(tmp_path: Path, places: dict[str, str], name: str) -> None:
    """A place is no address of a page: it has no query and no fragment."""
    url = f"{places['file']}/{name}"
    put({"source": "a.csv", "dest": url, "user": ME, **staged(tmp_path, "text")}, scratch(tmp_path))
    assert fetched(tmp_path, url).read_text() == "text"
    assert [path.name for path in (tmp_path / "node").iterdir()] == [name]


def test_what_is_not_there_is_named(tmp_path: Path, places: dict[str, str]) -> None:
    with pytest.raises(TransferError, match="No such file or directory"):
        fetched(tmp_path, f"{places['file']}/missing")
    with pytest.raises(TransferError, match="No such file or directory"):
        fetched(tmp_path, "hdfs:///missing")


@pytest.mark.parametrize("url", ["", "data.csv", "/data/in", "ftp://x/y", "s3a:///key", "file://host/x", "hdfs:in"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(TransferError, match=r"must be a URL such as hdfs:///in/data\.csv"):
        store(url, ME)


@pytest.mark.parametrize("kind", ["file", "hdfs"])
def test_check_mode_tells_what_is_not_there(tmp_path: Path, places: dict[str, str], kind: str) -> None:
    put({"source": "/home/me/a.csv", "dest": f"{places[kind]}/", "user": ME, **staged(tmp_path, "text")}, scratch(tmp_path))
    asked = {"direction": "get", "dest": "./", "user": ME}
    assert foretold(asked | {"source": f"{places[kind]}/a.csv"}) == {"place": "./", "bytes": 0}
    with pytest.raises(TransferError, match=r"/b\.csv: there is no such file"):
        foretold(asked | {"source": f"{places[kind]}/b.csv"})
    assert foretold({"direction": "put", "source": "a.csv", "dest": f"{places[kind]}/", "user": ME})["place"] == f"{places[kind]}/"
    with pytest.raises(TransferError, match="'/data/sets' must be a URL"):
        foretold({"direction": "put", "source": "a.csv", "dest": "/data/sets", "user": ME})


def test_what_is_brought_is_on_the_controller(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    assert origin(f"{tmp_path}/a.csv") == tmp_path / "a.csv"
    with pytest.raises(AnsibleActionFail, match=r"/b\.csv: there is no such file on the controller"):
        origin(f"{tmp_path}/b.csv")


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


@pytest.mark.parametrize("kind", ["file", "hdfs"])
def test_a_folder_is_not_fetched_to_where_a_file_is(tmp_path: Path, places: dict[str, str], kind: str) -> None:
    put({"source": "set", "dest": places[kind], "user": ME, **staged(tmp_path, {"a": "1"})}, scratch(tmp_path))
    given = {"source": f"{places[kind]}/set", "dest": "/home/me/b", "user": ME, "staged": str(tmp_path / "fetched"), "replaces": True}
    with pytest.raises(TransferError, match=r"/set is a folder, and /home/me/b exists and is a file: nothing was changed; remove it first"):
        get(given, scratch(tmp_path))
    assert not (tmp_path / "fetched").exists()
    assert get(given | {"source": f"{places[kind]}/set/a"}, scratch(tmp_path))["bytes"] == 1


def test_what_is_fetched_has_a_place_on_the_controller(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    places = {"file": "file", "new": "new", "missing/new": "missing/new", "folder": "folder/a", "folder/": "folder/a", "folder/b": "folder/b"}
    assert {given: str(destination(f"{tmp_path}/{given}", "hdfs:///in/a/").relative_to(tmp_path)) for given in places} == places
    assert not (tmp_path / "missing").exists()


REFUSED = {
    "folder": "{0}/folder/a exists and is a folder: nothing was changed; remove it first, or give another name",
    "file/": "{0}/file exists and is no folder: nothing was changed; remove it first, or give another name",
    "pipe": "{0}/pipe exists and is neither a file nor a folder: nothing was changed; remove it first, or give another name",
    "file/deep/b": "{0}/file/deep/b: {0}/file is no folder",
    "closed/deep/b": "{0}/closed/deep/b: the folder {0}/closed cannot be written to",
}


@pytest.mark.parametrize("given", REFUSED)
def test_a_place_that_cannot_be_is_refused_before_anything_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    (tmp_path / "folder/a").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "closed")
    with pytest.raises(AnsibleActionFail) as error:
        destination(f"{tmp_path}/{given}", "file:///data/a")
    assert error.value.message == REFUSED[given].format(tmp_path)


def test_a_place_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    packed(tmp_path / "set", tmp_path)
    (tmp_path / "dest").write_text("a file")
    with pytest.raises(AnsibleActionFail) as error:
        receive((tmp_path / "data").rename, tmp_path / "dest", is_folder=True)
    assert error.value.message == f"{tmp_path / 'dest'} cannot be written: {os.strerror(errno.ENOTDIR)}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dest", "set"]
