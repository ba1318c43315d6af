# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a run writes for its user."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import obstacle, save, write


def test_a_file_is_replaced_atomically(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    file.write_text("old", encoding="ascii")
    write(str(file), "new")
    assert file.read_text(encoding="ascii") == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path: Path, there: bool) -> None:
    file, link = tmp_path / "data" / "status.json", tmp_path / "link"
    file.parent.mkdir()
    if there:
        file.write_text("old", encoding="ascii")
    link.symlink_to(file)
    write(str(link), "new")
    assert link.is_symlink()
    assert file.read_text(encoding="ascii") == "new"


def test_a_device_is_written_to() -> None:
    write("/dev/null", "new")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text(encoding="ascii")))
    reader.start()
    write(str(pipe), "new")
    reader.join(10)
    assert heard == ["new"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["~nobody-of-this-name/status.json", "~nobody-of-this-name"])
def test_the_home_of_an_unknown_user_is_a_plain_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert obstacle(name) == ("No such file or directory" if "/" in name else "")


def test_a_dash_is_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    write("-", "new\n")
    assert capsys.readouterr().out == "new\n"
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(str(tmp_path / "none" / "status.json"), "new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "reason"), [("none/demo.json", "No such file or directory"), ("folder", "Is a directory")])
def test_the_reason_of_a_write_error_is_reported_once(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(AnsibleActionFail) as caught:
        save("sky_status_file", f"{tmp_path}/{name}", "{}")
    assert str(caught.value) == f"sky_status_file: {tmp_path}/{name} cannot be written: {reason}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("demo.json", ""),
        ("folder/demo.json", ""),
        ("file", ""),
        ("link", ""),
        ("none/demo.json", "No such file or directory"),
        ("dangling", "No such file or directory"),
        ("file/demo.json", "Not a directory"),
        ("folder", "Is a directory"),
    ],
)
def test_what_is_in_the_way_of_a_file_is_found_without_writing_it(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "none/demo.json")
    before = sorted(tmp_path.rglob("*"))
    assert obstacle(f"{tmp_path}/{name}") == reason
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["-", "/dev/null"])
def test_standard_output_and_devices_can_be_written(name: str) -> None:
    assert obstacle(name) == ""
