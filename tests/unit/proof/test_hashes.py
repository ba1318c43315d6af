# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hash of a part's inputs changes with them, and with nothing else."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof import hashes
from ansible_collections.sky.clusters.tests.proof.parts import PARTS, Part

BY_NAME = {part.name: part for part in PARTS}


def known(root: Path) -> dict[str, str]:
    """The hash of every part."""
    files = hashes.contents(root)
    return {part.name: hashes.inputs_hash(part, files) for part in PARTS}


def changed(root: Path, path: str) -> set[str]:
    """The parts whose hash another content of this file changes."""
    before = known(root)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("something else", encoding="utf-8")
    after = known(root)
    return {name for name in before if after[name] != before[name]}


EVERY_SYSTEM = {"cores", "host", "molecule", "quickstart", "stratuslab", "walk"}  # their clusters have all systems, or they look at all
QUICK_IN_MEMORY = {"static", "unit", "mutants"}  # they look at everything
LOCAL = {
    "awx", "ceph", "clouds", "contract", "cores", "host", "molecule", "network", "quickstart", "spark", "spark_changes", "spark_jobs",
    "storage", "stratuslab", "survival", "systems", "torque", "walk", "yarn",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("plugins/module_utils/_engine/_plan.py", set(BY_NAME)),
        ("plugins/module_utils/_clouds/lxc/_client.py", QUICK_IN_MEMORY | LOCAL),
        ("plugins/module_utils/_clouds/openstack/_api.py", QUICK_IN_MEMORY | {"openstack", "openstack_contract", "openstack_faults", "clouds"}),
        ("plugins/module_utils/_clouds/stratuslab/_one.py", QUICK_IN_MEMORY | {"stratuslab", "clouds", "awx"}),
        ("plugins/module_utils/_clouds/oar/_api.py", QUICK_IN_MEMORY),
        ("roles/torque_node/tasks/main.yml", QUICK_IN_MEMORY | EVERY_SYSTEM | {"torque"}),
        ("plugins/module_utils/_systems/_hdfs_pages.py", QUICK_IN_MEMORY | EVERY_SYSTEM | {"storage", "yarn", "ceph", "torque"}),
        ("roles/yarn/tasks/main.yml", QUICK_IN_MEMORY | EVERY_SYSTEM | {"yarn"}),
        ("roles/s3a/tasks/main.yml", QUICK_IN_MEMORY | EVERY_SYSTEM | {"ceph"}),
        ("roles/vpn/tasks/main.yml", QUICK_IN_MEMORY | EVERY_SYSTEM | {"awx", "network", "torque", "clouds"}),
        ("roles/node/tasks/main.yml", set(BY_NAME)),
        ("tests/integration/local/test_nodes.py", QUICK_IN_MEMORY | {"survival"}),
        ("tests/integration/local/a_new_file.py", QUICK_IN_MEMORY | {"survival"}),
        ("tests/integration/openstack/test_runs.py", QUICK_IN_MEMORY | {"openstack"}),
        ("tests/integration/openstack/conftest.py", QUICK_IN_MEMORY | {"openstack", "openstack_faults"}),
        ("tests/integration/spark/test_single.py", QUICK_IN_MEMORY | {"spark_jobs"}),
        ("tests/contract/test_contract.py", QUICK_IN_MEMORY | {"contract", "openstack_contract"}),
        ("README.md", {"static"}),
        ("roles/node/README.md", {"static"}),
        ("docs/design.md", {"static"}),
        ("docs/docsite/rst/guide_data.rst", {"static", "storage"}),
        ("changelogs/fragments/1.yml", {"static"}),
        ("tests/proved.tsv", set()),
    ],
)
def test_a_changed_file_changes_the_parts_that_depend_on_it(repository: Path, path: str, parts: set[str]) -> None:
    assert changed(repository, path) == parts


def test_a_fresh_clone_has_the_same_hashes(repository: Path, tmp_path: Path) -> None:
    (repository / "roles/run").write_text("#!/bin/sh", encoding="utf-8")
    (repository / "roles/run").chmod(0o755)
    (repository / "roles/link").symlink_to("run")
    subprocess.run(["git", "-C", str(repository), "add", "--all"], check=True)
    own = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *own, "commit", "--quiet", "--message=more"], check=True)
    subprocess.run(["git", "clone", "--quiet", str(repository), str(tmp_path / "clone")], check=True)
    assert known(tmp_path / "clone") == known(repository)


def test_mode_target_and_name_count(repository: Path) -> None:
    before = known(repository)["survival"]
    path = repository / "plugins/module_utils/_engine/_plan.py"
    path.chmod(0o755)
    executable = known(repository)["survival"]
    path.rename(path.with_name("_other.py"))
    renamed = known(repository)["survival"]
    assert len({before, executable, renamed}) == 3


def test_another_command_is_another_input(repository: Path) -> None:
    files = hashes.contents(repository)
    part = BY_NAME["survival"]
    other = Part(part.name, part.tier, part.bound, part.expected, part.what, part.inputs, (("pytest", "something"),))
    assert hashes.inputs_hash(other, files) != hashes.inputs_hash(part, files)


def test_another_bound_is_no_other_input(repository: Path) -> None:
    files = hashes.contents(repository)
    assert {hashes.inputs_hash(replace(part, bound=part.bound + 600), files) == hashes.inputs_hash(part, files) for part in PARTS} == {True}


def test_files_that_are_ignored_or_deleted_do_not_count(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    (repository / "plugins/left.pyc").write_text("compiled", encoding="utf-8")
    (repository / "plugins/module_utils/_engine/_plan.py").unlink()
    found = hashes.contents(repository)
    assert [path for path in found if path.startswith("plugins/") and "_clouds" not in path] == []


def test_changes_are_named_and_the_record_is_none(repository: Path) -> None:
    (repository / "tests/proved.tsv").write_text("", encoding="utf-8")
    assert hashes.changes(repository) == []
    (repository / "docs/design.md").write_text("other words", encoding="utf-8")
    (repository / "a new file").write_text("", encoding="utf-8")
    assert sorted(hashes.changes(repository)) == ["a new file", "docs/design.md"]


def test_a_folder_that_is_no_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(hashes.RepositoryError, match="git ls-files failed in"):
        hashes.contents(tmp_path)
