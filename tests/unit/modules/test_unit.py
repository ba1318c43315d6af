# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units that are run by the module `unit` write the digest that it compares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import tree

ROLES = tree.ROOT / "roles"
DIGEST = re.compile(r"ExecStartPre=/bin/sh -c 'cat /etc/systemd/system/%n ?(.*?) \| sha256sum > %t/%N/settings'")

INCLUDED = {"{{ yarn_node.unit }}": ROLES / "yarn/templates/daemon.j2"}  # what a template gets from the variable of another role


def run_units() -> Iterator[tuple[Path, str, str]]:
    """Each unit that a role has the module run, with the files that it names: the role's folder, name and files."""
    for path in sorted(ROLES.glob("*/tasks/*.yml")):
        for task in _tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            units = task.get("sky.clusters.unit", {}).get("units", ())
            if isinstance(units, str):  # a template that makes the list: the files that it names
                yield path.parents[1], units, " ".join(re.findall(r"'(/[^']+)'", units))
                continue
            for each in units:
                yield path.parents[1], each["name"], _joined(each.get("settings", ()))


def _joined(files: str | list[str]) -> str:
    """As the unit's template writes them: a variable that holds the list is the same in both places."""
    return files.replace(" }}", " | join(' ') }}") if isinstance(files, str) else " ".join(files)


def _tasks(tasks: list[dict]) -> Iterator[dict]:  # type: ignore[type-arg]
    for task in tasks:
        yield task
        yield from _tasks(task.get("block", []))


def test_some_roles_use_it() -> None:
    assert {role.name for role, _name, _files in run_units()} >= {"nfs_client", "torque_node", "torque_server"}


@pytest.mark.parametrize(("role", "name", "files"), list(run_units()))
def test_a_unit_writes_a_digest_of_the_files_that_its_task_names(role: Path, name: str, files: str) -> None:
    """Else it would be restarted by every run, or by none."""
    # a name with a template in it belongs to a template called as the kind of the unit
    (template,) = role.glob(f"templates/{'share' if '{{' in name else name}.service.j2")
    text = template.read_text(encoding="utf-8")
    for variable, other in INCLUDED.items():
        text = text.replace(variable, other.read_text(encoding="utf-8"))
    assert (found := DIGEST.search(text)) is not None
    assert found[1] == files
    assert "RuntimeDirectory=%N" in text or f"RuntimeDirectory={name}" in text
