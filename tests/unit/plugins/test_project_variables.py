# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of groups beside a playbook that only imports others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError
from ansible_collections.sky.clusters.plugins.plugin_utils._project_variables import WHOLE, group_variables
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain

SECRET = "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / "group_vars" / name.replace("__", "/").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_an_inventory_has_them_as_ansible_reads_them(tmp_path: Path) -> None:
    put(tmp_path, all_yml="---\na: 1\nb: {c: [x, 'y z']}\ntext: |\n  two\n  lines\n", pool_worker="a: 2\n")
    put(tmp_path, pool_master__10_yml="d: 3\ne: 3\n", pool_master__20_yml="d: 4\n", **{"pool_master.yml": "f: as Ansible, the folder alone is read"})
    put(tmp_path, empty_yml="", **{"note.txt": "not: read\n", ".hidden_yml": "not: read\n"})
    (tmp_path / "inventory.yml").write_text(group_variables(tmp_path, DataLoader()), encoding="utf-8")
    groups = InventoryManager(DataLoader(), [str(tmp_path / "inventory.yml")]).groups
    assert set(groups) == {"all", "ungrouped", "pool_master", "pool_worker"}
    assert plain(groups["all"].vars) == {"a": 1, "b": {"c": ["x", "y z"]}, "text": "two\nlines\n"}
    assert plain(groups["pool_master"].vars) == {"d": 4, "e": 3}
    assert plain(groups["pool_worker"].vars) == {"a": 2}


def _values(node: Any) -> list[Any]:
    return [value for _key, value in node.value]


def test_values_are_copied_as_they_are_written(tmp_path: Path) -> None:
    put(tmp_path, all_yml=f"a: '{{{{ b }}}}'\nc: !unsafe '{{{{ d }}}}'\ne: {SECRET}")
    written = group_variables(tmp_path, DataLoader())
    assert "{{ b }}" in written
    (group,) = _values(yaml.compose(written))
    (variables,) = _values(group)
    assert {key.value: value.tag for key, value in variables.value} == {"a": "tag:yaml.org,2002:str", "c": "!unsafe", "e": "!vault"}


def test_without_any_there_is_no_inventory(tmp_path: Path) -> None:
    assert group_variables(tmp_path, DataLoader()) == ""
    put(tmp_path, all_yml="---\n")
    assert group_variables(tmp_path, DataLoader()) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- a\n", "must be a mapping of variables"),
        ("a: [\n", "cannot be read: while parsing a flow node expected the node content"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162\n", WHOLE),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, fault: str) -> None:
    put(tmp_path, all_yml=text)
    with pytest.raises(ClusterFileError) as refused:
        group_variables(tmp_path, DataLoader())
    assert str(refused.value).startswith(f"{tmp_path}/group_vars/all.yml: {fault}")
