# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several small files in one call, by the module as Ansible runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.users import a_user

USER = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
GROUP = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()


def write(folders: list[dict[str, str]], files: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    own = {"owner": USER}
    arguments = {"folders": [own | item for item in folders], "files": [own | item for item in files], **options}
    module = "ansible_collections.sky.clusters.plugins.modules.files"
    done = subprocess.run(
        [sys.executable, "-m", module], input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), capture_output=True, text=True, check=False
    )
    return dict(json.loads(done.stdout))


def test_it_writes_what_differs_and_says_what(tmp_path: Path) -> None:
    folder = {"path": str(tmp_path / "etc"), "mode": "0750"}
    one = {"path": str(tmp_path / "etc/one"), "content": "1\n", "mode": "0640"}
    two = {"path": str(tmp_path / "etc/two"), "content": "2\n"}
    assert write([folder], [one, two], _ansible_check_mode=True)["written"] == [folder["path"], one["path"], two["path"]]
    assert not (tmp_path / "etc").exists()
    assert write([folder], [one, two])["written"] == [folder["path"], one["path"], two["path"]]
    assert [oct((tmp_path / name).stat().st_mode & 0o7777) for name in ("etc", "etc/one", "etc/two")] == ["0o750", "0o640", "0o644"]
    assert write([folder], [one, two]) | {"invocation": {}} == {"changed": False, "written": [], "applied": [], "invocation": {}}
    (tmp_path / "etc/two").chmod(0o666)
    assert write([folder], [one, two])["written"] == [two["path"]]
    assert write([folder], [one | {"content": "3\n"}, two])["written"] == [one["path"]]
    assert (tmp_path / "etc/one").read_text() == "3\n"
    assert ((tmp_path / "etc/one").owner(), (tmp_path / "etc/one").group()) == (USER, GROUP)
    assert sorted(path.name for path in (tmp_path / "etc").iterdir()) == ["one", "two"]


def test_a_file_may_be_left_out_where_its_folder_is_missing(tmp_path: Path) -> None:
    file = {"path": str(tmp_path / "etc/one"), "content": "1\n"}
    assert write([], [file | {"optional": True}])["written"] == []
    assert "No such file or directory" in write([], [file])["msg"]
    (tmp_path / "etc").mkdir()
    assert write([], [file | {"optional": True}])["written"] == [file["path"]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("old\n# added\nb\n", "new\n# added\nb\n"),
        ("# added\nb\n", "new\n# added\nb\n"),
        ("old\n", "new\n"),
        ("old # added\nb\n", "new\n"),
        (None, "new\n"),
    ],
)
def test_what_others_have_added_below_a_line_is_kept(tmp_path: Path, before: str | None, after: str) -> None:
    path = tmp_path / "hosts"
    if before is not None:
        path.write_text(before)
    item = {"path": str(path), "content": "new\n", "keep_below": "# added"}
    assert write([], [item])["written"] == [str(path)]
    assert path.read_text() == after
    assert write([], [item])["written"] == []


def test_a_file_that_its_program_refuses_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("good\n")
    answer = write([], [{"path": str(path), "content": "bad\n", "validate": "grep -q good %s"}])
    assert answer["failed"]
    assert "'grep -q good %s' refuses the new file" in answer["msg"]
    assert path.read_text() == "good\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_whose_owner_put_something_else_in_its_place_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "target").mkdir(mode=0o755)
    path = tmp_path / ".ssh"
    path.symlink_to(tmp_path / "target") if kind == "link" else path.touch()
    answer = write([{"path": str(path), "mode": "0700"}], [{"path": str(path / "authorized_keys"), "content": "key\n"}])
    assert answer["failed"]
    assert f"{path} is not a folder" in answer["msg"]
    assert list((tmp_path / "target").iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("of somebody else\n")
    (tmp_path / "file").symlink_to(tmp_path / "target")
    assert write([], [{"path": str(tmp_path / "file"), "content": "ours\n"}])["written"] == [str(tmp_path / "file")]
    assert (tmp_path / "target").read_text() == "of somebody else\n"
    assert not (tmp_path / "file").is_symlink()


def test_what_lies_in_a_folder_of_a_user_is_written_as_that_user() -> None:
    """A link in the place of the folder, put there after it was looked at, leads to nothing that is not the user's."""
    with a_user() as user:
        home = Path(user.pw_dir)
        target = home.parent / "root"
        target.mkdir(mode=0o555)
        (home / ".ssh").symlink_to(target)
        answer = write([], [{"path": str(home / ".ssh/authorized_keys"), "content": "key\n", "owner": user.pw_name}])
        assert answer["failed"]
        assert f"{home}/.ssh/authorized_keys: [Errno 13] Permission denied" in answer["msg"]
        assert list(target.iterdir()) == []


def test_a_file_of_another_owner_in_the_folder_of_a_user_is_written_anew() -> None:
    with a_user() as user:
        path = Path(user.pw_dir) / "authorized_keys"
        path.write_text("key\n")
        item = {"path": str(path), "content": "key\n", "owner": user.pw_name, "mode": "0600"}
        changed = [path] if os.geteuid() == 0 else []
        path.chmod(0o600)
        assert write([], [item])["written"] == [str(each) for each in changed]
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (user.pw_uid, 0o600)
        path.chmod(0)  # its owner has closed it
        assert write([], [item])["written"] == [str(path)]
        assert write([], [item])["written"] == []


def test_a_file_takes_effect_once_although_a_run_ends_before_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    file = {"path": str(tmp_path / "one"), "content": "1\n", "apply": f"sh -c 'echo $(cat {tmp_path}/one) >> {log}'"}
    broken = write([], [file | {"apply": "sh -c 'echo no >&2; exit 3'"}])
    assert (broken["failed"], broken["msg"]) == (True, f"{tmp_path}/one: 'sh -c 'echo no >&2; exit 3'' failed: no")
    assert write([], [file], _ansible_check_mode=True) | {"invocation": {}} == {
        "changed": True, "written": [], "applied": [file["path"]], "invocation": {}
    }  # fmt: skip
    assert not log.exists()
    assert write([], [file])["applied"] == [file["path"]]
    assert write([], [file]) | {"invocation": {}} == {"changed": False, "written": [], "applied": [], "invocation": {}}
    assert write([], [file | {"content": "2\n"}], _ansible_check_mode=True)["applied"] == [file["path"]]
    assert write([], [file | {"content": "2\n"}])["written"] == [file["path"]]
    assert log.read_text() == "1\n2\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "one"]
