# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role cephfs mounts if it is given the name of a share: its tasks, run by Ansible, that ask the little cloud's Manila."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import SHARE
from ansible_collections.sky.clusters.tests.support.tree import ROOT
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import clouds_yaml, running
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_manila import DATA, EXPORT, KEY, Manila

OWN = {"cephfs_export": "10.9.0.5:6789:/lab", "cephfs_client": "lab", "cephfs_key": "B" * 38 + "==", "cephfs_name": "labfs"}
# As the play of the system applies the role: localhost takes part, and does nothing
PLAY = """
- name: Mount it
  hosts: [first, second, third, localhost]
  gather_facts: false
  tasks:
    - name: Mount it
      block:
        - name: Mount it
          ansible.builtin.include_role:
            name: cephfs
          when: inventory_hostname != 'localhost'
"""
# In the place of the mount itself
NOTED = """
- name: Write what would be mounted
  ansible.builtin.copy:
    dest: "{{ playbook_dir }}/{{ inventory_hostname }}.yml"
    content: "{{ [__cephfs_export, __cephfs_client, __cephfs_name, lookup('ansible.builtin.template', 'cephfs.key.j2')] | to_json }}"
    mode: "0600"
  no_log: true
  vars:
    __cephfs_kind: kernel
"""


class Place:
    """A cluster of three nodes with the role, which are this machine, on a cloud that has shares."""

    def __init__(self, folder: Path, manila: Manila) -> None:
        self.folder = folder
        self.manila = manila
        self.hosts: dict[str, dict[str, Any]] = {"first": {}, "second": {}, "third": {}, "localhost": {}}
        (folder / "clouds.yaml").write_text(yaml.safe_dump(clouds_yaml(manila.cloud)), encoding="utf-8")
        (folder / "site.yml").write_text(PLAY, encoding="utf-8")
        shutil.copytree(ROOT / "roles/cephfs", folder / "roles/cephfs")
        (folder / "roles/cephfs/tasks/mount.yml").write_text(NOTED, encoding="utf-8")

    def play(self, *more: str) -> tuple[int, str]:
        shared = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "sky_cluster": "demo",
            "sky_clouds": {"campus": {"provider": "openstack", "image": "i", "flavor": "f", "cloud": "little"}},
            "sky_pools": {"node": {"cloud": "campus", "count": 3, "roles": ["cephfs"]}},
            "sky_settings": {},
        }
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": self.hosts, "vars": shared}}), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_") and not name.lower().endswith("_proxy")}
        own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.folder / "home"), "OS_CLIENT_CONFIG_FILE": str(self.folder / "clouds.yaml")}
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-vvv", "-i", "hosts.yml", "site.yml", *more]
        done = subprocess.run(words, cwd=self.folder, env=kept | own, text=True, capture_output=True, check=False, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def mounted(self, node: str) -> list[str]:
        """Export, client, file system and key."""
        return [str(part).strip() for part in yaml.safe_load((self.folder / f"{node}.yml").read_text(encoding="utf-8"))]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running() as cloud:
        yield Place(tmp_path, Manila(cloud))


def test_each_node_mounts_the_share_of_its_pool_and_the_key_is_in_no_output(place: Place) -> None:
    place.manila.steps = ["active"]
    place.manila.cloud.holds(SHARE, "shares", DATA | {"id": "scratch-id", "name": "scratch", "metadata": {"__mount_options": "fs=fast"}})
    place.manila.has_export("scratch-id", "10.0.0.8:6789:/volumes/_nogroup/scratch-id/2")
    place.hosts["first"] = {"cephfs_share": "data"}
    place.hosts["second"] = {"cephfs_share": "scratch", "cephfs_cloud": "campus"}
    place.hosts["third"] = OWN
    code, said = place.play()
    assert code == 0, said
    client = place.manila.rules[0]["access_to"]
    assert client.startswith("sky-demo-")
    assert place.mounted("first") == [EXPORT, client, "cephfs", KEY]
    assert place.mounted("second") == ["10.0.0.8:6789:/volumes/_nogroup/scratch-id/2", client, "fast", KEY]
    assert place.mounted("third") == [OWN["cephfs_export"], "lab", "labfs", OWN["cephfs_key"]]
    assert KEY not in said
    assert len(place.manila.rules) == 2


def failure(said: str, node: str) -> str:
    """What is said of the task that failed on a node at last."""
    return re.split(rf"fatal: \[{node}\]: FAILED! => ", said)[-1].split("}", 1)[0]


def test_a_share_that_is_not_there_is_told_on_every_node_of_it(place: Place) -> None:
    place.hosts["first"] = place.hosts["second"] = {"cephfs_share": "dato"}
    place.hosts["third"] = OWN
    code, said = place.play()
    assert code != 0
    for node in ("first", "second"):
        assert "cephfs_share: cloud campus: unknown share 'dato'; did you mean 'data'?" in failure(said, node)
        assert not (place.folder / f"{node}.yml").exists()
    assert place.mounted("third")[1] == "lab"
    assert place.manila.rules == []


def test_check_mode_finds_the_share_and_gives_no_access(place: Place) -> None:
    place.hosts["first"] = {"cephfs_share": "data"}
    place.hosts["second"] = {"cephfs_share": "data", "cephfs_export": OWN["cephfs_export"]}
    place.hosts["third"] = OWN
    code, said = place.play("--check")
    assert code != 0
    assert "cephfs_export: comes from cephfs_share, which is set too: leave one of them out" in failure(said, "second")
    assert re.search(r"^first +: ok=\d+ .*failed=0", said, re.MULTILINE)
    assert place.manila.cloud.asked("GET", SHARE) != []
    assert place.manila.rules == []
