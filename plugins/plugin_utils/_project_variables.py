# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(group_vars) beside a playbook as a file of the inventory.

Ansible reads the folder beside the playbook that a play is in. One that only imports others has no play, so nothing reads the folder beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible import constants

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError

FOLDER = "group_vars"
ENCRYPTED = "$ANSIBLE_VAULT"
WHOLE = "is encrypted as a whole, and its values would be written as plain text: encrypt single values instead"
MAPPING, STRING, NULL = (f"tag:yaml.org,2002:{kind}" for kind in ("map", "str", "null"))
ENDINGS = ("", *constants.config.get_config_value("YAML_FILENAME_EXTENSIONS"))
Pairs = list[tuple[yaml.Node, yaml.Node]]


def group_variables(folder: Path, loader: Any) -> str:
    """An inventory in YAML with the variables of the groups; empty if there are none.

    Values are copied as they are written: templates, and values that are encrypted or marked as unsafe, stay what they are.

    Args:
        folder: that of the playbook.
        loader: Ansible's, which knows the files of a group.

    Raises:
        ClusterFileError: a file cannot be used.
    """
    groups: Pairs = []
    for name in sorted(set(_groups(folder / FOLDER))):
        variables: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        for path in loader.find_vars_files(str(folder / FOLDER), name):
            variables |= {pair[0].value: pair for pair in _pairs(Path(path.decode() if isinstance(path, bytes) else path))}
        if variables:
            groups.append(_entry(name, [_entry("vars", list(variables.values()))]))
    return str(yaml.serialize(yaml.MappingNode(MAPPING, groups, flow_style=False), allow_unicode=True)) if groups else ""


def _entry(name: str, pairs: Pairs) -> tuple[yaml.Node, yaml.Node]:
    return yaml.ScalarNode(STRING, name), yaml.MappingNode(MAPPING, pairs, flow_style=False)


def _groups(folder: Path) -> Iterator[str]:
    """The names of the groups that have a file, or a folder of files."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.name.startswith(".") and (path.is_dir() or path.suffix in ENDINGS):
            yield path.name if path.is_dir() else path.name.removesuffix(path.suffix)


def _pairs(path: Path) -> Pairs:
    """The variables of a file, as they are written."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith(ENCRYPTED):
            raise ClusterFileError([f"{path}: {WHOLE}"])
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClusterFileError([f"{path}: cannot be read: {' '.join(str(error).split())}"]) from None
    if node is None or node.tag == NULL:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ClusterFileError([f"{path}: must be a mapping of variables"])
    return list(node.value)
