# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are meant as cluster files and cannot be read: one sentence with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._cluster_files import unreadable

GOOD = "plugin: sky.clusters.clouds\ncluster: demo\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("demo.sky.yml", GOOD.encode(), ""),
        ("demo.sky.yml", GOOD.encode() + b"owner: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n", ""),
        ("demo.sky.yml", b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", ""),
        ("hosts.ini", b"[spark_worker]\nhost1\n", ""),
        ("site.yml", b"a: [\n", ""),
        ("x.txt", GOOD.encode(), "the name of a cluster file must end in .yml or .yaml, such as demo.sky.yml"),
        ("demo.sky.yml", GOOD.encode() + b"pools:\n\tnode: 1\n", "line 4: a tab, where YAML wants blanks"),
        ("demo.sky.yml", GOOD.encode() + b"pools: {node: {count: 1}\n", "line 4: while parsing a flow mapping, expected ',' or '}'"),
        ("demo.yml", GOOD.encode() + b"owner: J\xf6rg\n", "line 3 is not UTF-8: save the file in that encoding"),
    ],
)
def test_an_unreadable_file(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = unreadable(tmp_path / name)
    assert found.startswith(sentence)
    assert bool(found) is bool(sentence)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "demo.sky.yml").mkdir()  # root may read every file
    assert unreadable(tmp_path / "demo.sky.yml") == "cannot be read: Is a directory"
    assert unreadable(tmp_path / "hosts.ini") == ""
