# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of a service: what is wrong with them, and their repair."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import Folder, FolderError, folders
from ansible_collections.sky.clusters.tests.support.tree import ROOT

USER = pwd.getpwuid(os.getuid()).pw_name
UNIT = """\
[Service]
ExecStart=/bin/a \\
  --b
User=nobody
Environment=A=1
Environment=B=%i

[X-Sky]
Folders=0750:/data/a 3770:/data/b
"""


def test_they_are_those_that_the_unit_names(tmp_path: Path) -> None:
    (tmp_path / "x.service").write_text(UNIT)
    assert folders(tmp_path / "x.service") == [Folder(Path("/data/a"), 0o750, "nobody"), Folder(Path("/data/b"), 0o3770, "nobody")]


@pytest.mark.parametrize("text", ["[Service]\nUser=nobody\n", "no unit", ""])
def test_a_unit_without_them_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.service").write_text(text)
    assert folders(tmp_path / "x.service") == folders(tmp_path / "none.service") == []


@pytest.mark.parametrize("role", ["spark_worker", "spark_master"])
def test_the_units_of_the_roles_name_theirs(role: str) -> None:
    template = ROOT / "roles" / role / "templates" / f"{role.replace('_', '-')}.service.j2"
    assert "\n[X-Sky]\nFolders=0" in template.read_text()


def test_a_missing_folder_is_created_and_one_without_access_is_repaired(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "work", 0o750, USER)
    assert folder.fault() == f"{folder.path} is missing"
    assert folder.repair()
    assert folder.path.stat().st_mode & 0o7777 == 0o750
    folder.path.chmod(0o2050)
    assert folder.fault() == f"{folder.path} has mode 2050, so that {USER} cannot write to it"
    assert folder.repair()
    assert (folder.path.stat().st_mode & 0o7777, folder.repair()) == (0o2750, False)


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir(mode=0o500)
    (tmp_path / "work").symlink_to(tmp_path / "secret")
    folder = Folder(tmp_path / "work", 0o750, USER)
    assert folder.fault() == f"{folder.path} is not a folder"
    with pytest.raises(FolderError, match=f"{folder.path}: "):
        folder.repair()
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o500


def test_a_folder_of_another_user_is_a_fault(tmp_path: Path) -> None:
    assert Folder(tmp_path, 0o750, "nobody").fault() == f"{tmp_path} belongs to {USER} instead of nobody"
