# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of an HDFS get their names when they have their owners; tests/integration/storage has it with a real NameNode."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import RemoteError
from ansible_collections.sky.clusters.plugins.modules.hdfs_layout import run
from ansible_collections.sky.clusters.tests.support.namenode import NameNode, serving

HOME = {"path": "/user/sky", "owner": "sky", "mode": "750"}
MADE = {"/": ("hdfs", "755"), "/user": ("hdfs", "755"), "/user/sky": ("sky", "750")}


def laid_out(namenode: NameNode, *folders: dict[str, str]) -> list[str]:
    given: dict[str, Any] = {"page": namenode.page, "user": "hdfs", "seconds": 5, "folders": folders, "copies": 1, "in_force": 1}
    return run(given, check=False)


def test_a_folder_is_created_once_with_its_owner_and_its_mode() -> None:
    with serving(NameNode()) as namenode:
        assert laid_out(namenode, HOME) == ["create /user/sky"]
        assert namenode.folders == MADE
        assert laid_out(namenode, HOME | {"owner": "ada"}) == []
        assert namenode.folders == MADE


@pytest.mark.parametrize("operation", ["MKDIRS", "SETOWNER", "RENAME"])
def test_a_folder_whose_creation_was_interrupted_is_created_by_the_next_run(operation: str) -> None:
    with serving(NameNode()) as namenode:
        namenode.refused = operation
        with pytest.raises(RemoteError, match=f"{operation} is refused"):
            laid_out(namenode, HOME)
        assert HOME["path"] not in namenode.folders
        namenode.refused = ""
        assert laid_out(namenode, HOME) == ["create /user/sky"]
        assert namenode.folders == MADE
