# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that change a cluster, as tasks of a playbook on the cloud in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.world import World

FIRST, SECOND = "demo-box-0", "demo-box-1"
CLUSTER = {name: f"{{{{ sky_{name} }}}}" for name in ("cluster", "clouds", "pools", "settings")}


class Site:
    """A folder with a cluster file of two nodes, and playbooks that are run there."""

    def __init__(self, folder: Path, world: World) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        self.folder = folder
        self.world = World(world.folder, real_time=True)
        clouds = {"one": {"provider": "memory", "path": str(world.folder)}}
        content = {"plugin": "sky.clusters.clouds", "cluster": "demo", "clouds": clouds, "pools": {"box": {"cloud": "one", "count": 2}}}
        (folder / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def nodes(self) -> dict[str, Any]:
        return self.run("nodes", identity_file=str(self.folder / "key"))

    def run(self, module: str, *flags: str, **options: Any) -> dict[str, Any]:
        """One task; its result."""
        task = {f"sky.clusters.{module}": CLUSTER | options, "register": "result", "ignore_errors": True}
        keep = {
            "ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(self.folder / "result")},
            "check_mode": False,
            "diff": False,
        }
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task, keep]}]
        (self.folder / "site.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
        command = [sys.executable, str(tree.ROOT / "tests/support/play_in_memory.py"), "-i", "demo.sky.yml", "site.yml", *flags]
        environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PRIVATE_KEY_FILE": str(self.folder / "key")}
        done = subprocess.run(command, cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads((self.folder / "result").read_text(encoding="utf-8")))


@pytest.fixture
def site(tmp_path: Path, world: World) -> Site:
    return Site(tmp_path, world)


def test_nodes_are_created_recorded_and_deleted_by_name(site: Site) -> None:
    made = site.nodes()
    assert made["members"] == [FIRST, SECOND]
    assert [host["name"] for host in made["new_hosts"]] == [FIRST, SECOND]
    assert site.nodes()["summary"] == ["all nodes match the cluster file"]
    recorded = site.run("nodes_ready", hashes={FIRST: "a", SECOND: "b"}, names=[SECOND])
    assert (recorded["changed"], recorded["recorded"]) == (True, [SECOND])
    assert not site.run("nodes_ready", hashes={SECOND: "b"}, names=[SECOND])["changed"]
    assert site.run("nodes_replacement", replace=[FIRST], identity_file=str(site.folder / "key"))["leaving"] == [FIRST]
    foretold = site.run("nodes_delete", "--check", names=[FIRST, "demo-box-7"])
    assert (foretold["changed"], len(foretold["actions"])) == (True, 1)
    assert site.world.names() == [FIRST, SECOND]
    assert site.run("nodes_delete", names=[FIRST, "demo-box-7"])["actions"] == foretold["actions"]
    assert site.world.names() == [SECOND]


def test_a_cluster_is_destroyed_and_a_second_call_changes_nothing(site: Site) -> None:
    site.nodes()
    foretold = site.run("cluster_destroy", "--check")
    assert foretold["changed"]
    assert foretold["summary"] == foretold["actions"]
    assert site.world.names() == [FIRST, SECOND]
    assert site.run("cluster_destroy")["summary"] == ["cluster demo is gone, nothing of it is left"]
    assert site.world.names() == []
    assert not site.run("cluster_destroy")["changed"]
    assert site.run("cluster_destroy", "--check")["summary"] == ["nothing to delete"]


@pytest.mark.parametrize(
    ("module", "options", "sentence"),
    [
        ("nodes_delete", {}, "missing required arguments: names"),
        ("nodes_ready", {"names": []}, "missing required arguments: hashes"),
        ("nodes", {"counts": {"bax": 1}}, "bax"),
        ("nodes", {}, "ssh_keys: none in the file"),
    ],
)
def test_bad_options_end_the_task_with_one_sentence(site: Site, module: str, options: dict[str, Any], sentence: str) -> None:
    result = site.run(module, **options)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "Traceback" not in str(result)
    assert site.world.names() == []
