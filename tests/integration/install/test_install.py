# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection built, installed in a folder of its own, and used from elsewhere; and used in place, from the clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import tree

pytestmark = pytest.mark.real

BIN = Path(sys.executable).parent
KEPT_OUT = {".venv", ".git", ".ci", "__pycache__", ".ansible-lint", ".yamllint", ".mypy_cache"}
CLUSTER = """\
plugin: sky.clusters.clouds
cluster: installed
clouds:
  here: {provider: lxc}
pools:
  master: {cloud: here, count: 1, roles: [spark_master]}
"""


class Place:
    """A folder outside the clone, with a cluster file, and what is installed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.collections = folder / "collections"
        self.file = folder / "installed.sky.yml"
        self.file.write_text(CLUSTER, encoding="utf-8")

    def run(self, *command: str, cwd: Path | None = None, linked: bool = False) -> str:
        """Run a program of Ansible's; unless `linked`, it sees the collection that is installed here only."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
        environment |= {"ANSIBLE_HOME": str(self.folder / "home"), "NO_COLOR": "1"}
        if not linked:
            environment |= {"ANSIBLE_COLLECTIONS_PATH": str(self.collections), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
        program = [str(BIN / command[0]), *command[1:]]
        done = subprocess.run(program, cwd=cwd or self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = Place(tmp_path_factory.mktemp("install"))
    tree.install(found.folder)
    return found


def test_the_artifact_holds_what_runs_and_no_more(place: Place) -> None:
    installed = place.collections / "ansible_collections/sky/clusters"
    assert {"meta", "playbooks", "plugins", "roles"} <= {path.name for path in installed.iterdir()}
    assert not [str(path) for path in installed.rglob("*") if path.name in KEPT_OUT]


def test_it_is_listed(place: Place) -> None:
    assert "sky.clusters" in place.run("ansible-galaxy", "collection", "list")


@pytest.mark.parametrize(("kind", "name"), [("inventory", "clouds"), ("module", "nodes"), ("module", "nodes_info"), ("role", "spark_worker")])
def test_documentation(place: Place, kind: str, name: str) -> None:
    said = place.run("ansible-doc", "--type", kind, f"sky.clusters.{name}")
    assert str(place.collections) in said


def test_inventory(place: Place) -> None:
    said = place.run("ansible-inventory", "-i", str(place.file), "--graph")
    assert "@pool_master" in said


def test_playbook_by_name_from_elsewhere(place: Place) -> None:
    said = place.run("ansible-playbook", "-i", str(place.file), "sky.clusters.spark_cluster", "--syntax-check")
    assert "spark_cluster" in said


def test_playbook_by_file_in_the_clone(place: Place) -> None:
    said = place.run("ansible-playbook", "-i", str(place.file), "spark_cluster.yml", "--syntax-check", cwd=tree.ROOT / "playbooks", linked=True)
    assert "spark_cluster" in said
