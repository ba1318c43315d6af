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

    def run(self, *tasks: tuple[str, dict[str, Any]], check: bool = False) -> list[dict[str, Any]]:
        """Tasks, each a module and its options, in one playbook; their results."""
        steps = []
        for number, (module, options) in enumerate(tasks):
            keep = {"content": "{{ result | to_json }}", "dest": f"{self.folder}/{number}"}
            steps += [{f"sky.clusters.{module}": CLUSTER | options, "register": "result", "ignore_errors": True, "check_mode": check}]
            steps += [{"ansible.builtin.copy": keep}]
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": steps}]
        (self.folder / "site.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
        command = [sys.executable, str(tree.ROOT / "tests/support/play_in_memory.py"), "-i", "demo.sky.yml", "site.yml"]
        # neither an agent nor a home of this machine: their keys would stand for the ones that a test leaves out
        environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PRIVATE_KEY_FILE": str(self.folder / "key"), "HOME": str(self.folder)}
        environment.pop("SSH_AUTH_SOCK", None)
        done = subprocess.run(command, cwd=self.folder, env=environment, text=True, capture_output=True, check=False, timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr
        return [dict(json.loads((self.folder / str(number)).read_text(encoding="utf-8"))) for number in range(len(tasks))]

    def nodes(self, **options: Any) -> tuple[str, dict[str, Any]]:
        return "nodes", {"identity_file": str(self.folder / "key"), **options}


@pytest.fixture
def site(tmp_path: Path, world: World) -> Site:
    return Site(tmp_path, world)


def test_nodes_are_created_recorded_deleted_and_destroyed(site: Site) -> None:
    made, again, recorded, same, replaced = site.run(
        site.nodes(),
        site.nodes(),
        ("nodes_ready", {"hashes": {FIRST: "a", SECOND: "b"}, "names": [SECOND]}),
        ("nodes_ready", {"hashes": {SECOND: "b"}, "names": [SECOND]}),
        ("nodes_replacement", {"identity_file": str(site.folder / "key"), "replace": [FIRST]}),
    )
    assert made["members"] == [FIRST, SECOND]
    assert [host["name"] for host in made["new_hosts"]] == [FIRST, SECOND]
    assert again["summary"] == ["all nodes match the cluster file"]
    assert (recorded["changed"], recorded["recorded"]) == (True, [SECOND])
    assert (same["changed"], same["recorded"]) == (False, [])
    assert replaced["leaving"] == [FIRST]
    names = {"names": [FIRST, "demo-box-7"]}
    foretold, destruction = site.run(("nodes_delete", names), ("cluster_destroy", {}), check=True)
    assert (foretold["changed"], len(foretold["actions"])) == (True, 1)
    assert destruction["summary"][-1] == "plan: 3 to delete"  # with what they share
    assert site.world.names() == [FIRST, SECOND]
    assert site.run(("nodes_delete", names))[0]["actions"] == foretold["actions"]
    assert site.world.names() == [SECOND]
    refused = site.run(("cluster_destroy", {"destroy_data": "dem"}))[0]["msg"]
    assert refused == "sky_destroy_data: must be the name of the cluster, demo, to delete its data, too, got 'dem'"
    assert site.world.names() == [SECOND]
    destroyed, nothing = site.run(("cluster_destroy", {}), ("cluster_destroy", {"destroy_data": "demo"}))
    assert destroyed["summary"] == ["cluster demo is gone, nothing of it is left"]
    assert (destroyed["changed"], nothing["changed"]) == (True, False)
    assert site.world.names() == []
    assert site.run(("cluster_destroy", {}), check=True)[0]["summary"] == ["nothing to delete"]


def test_a_leaving_node_that_the_inventory_lacks_is_a_new_host(site: Site) -> None:
    """Another run has created it since this one listed the clouds: it could not be drained without its variables."""
    made, shrunk = site.run(site.nodes(), site.nodes(counts={"box": 1}))
    assert shrunk["leaving"] == [SECOND]
    assert {host["name"]: host["variables"]["sky_address"] for host in shrunk["new_hosts"]}.keys() == {FIRST, SECOND}
    assert made["leaving"] == []


def test_bad_options_fail_the_task_with_one_sentence(site: Site) -> None:
    wrong = {
        "missing required arguments: names": ("nodes_delete", {}),
        "missing required arguments: hashes": ("nodes_ready", {"names": []}),
        "counts.bax: no such pool": site.nodes(counts={"bax": 1}),
        "ssh_keys: no key in the file": ("nodes", {}),
    }
    for sentence, result in zip(wrong, site.run(*wrong.values()), strict=True):
        assert result["failed"]
        assert sentence in result["msg"]
        assert "Traceback" not in str(result)
    assert site.world.names() == []
