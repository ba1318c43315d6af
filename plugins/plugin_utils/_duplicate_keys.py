# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find keys that a mapping in a YAML file has twice. Ansible uses the last: a pool that was copied and not renamed would replace the first one."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import step

MERGE = "tag:yaml.org,2002:merge"  # may be repeated


def duplicate_keys(text: str) -> list[str]:
    """One sentence for each duplicate key, with its place; none if the text is not YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)  # parses no values, so that no tag is unknown
    except yaml.YAMLError:
        return []
    return list(_of(root, "", set()))


def _of(node: yaml.Node | None, path: str, seen: set[int]) -> Iterator[str]:
    if id(node) in seen:  # reached through an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _of(item, f"{path}[{place}]", seen)
    elif isinstance(node, yaml.MappingNode):
        yield from _of_mapping(node, path, seen)


def _of_mapping(node: yaml.MappingNode, path: str, seen: set[int]) -> Iterator[str]:
    first: dict[tuple[str, str], int] = {}
    for key, value in node.value:
        name = (key.tag, str(key.value))
        line = key.start_mark.line + 1
        if name in first and key.tag != MERGE:
            where = f"line {line}" if line == first[name] else f"lines {first[name]} and {line}"
            sentence = f"'{key.value}' is a duplicate key ({where})"
            yield f"{path}: {sentence}" if path else sentence
        first.setdefault(name, line)
        yield from _of(value, step(path, key.value), seen)
