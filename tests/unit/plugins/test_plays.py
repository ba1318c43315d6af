# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks themselves, run by Ansible on the cloud in memory, whose nodes are unreachable by ssh."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import tree

# A task that all nodes need, such as the question for the version at the master
SHARED = """
- name: Install something
  hosts: [first, second, localhost]
  gather_facts: false
  tasks:
    - name: Install something
      block:
        - name: Ask the server
          ansible.builtin.command: "{command}"
          delegate_to: "{server}"
          run_once: true
          ignore_errors: true
          ignore_unreachable: true
          register: answer

        - name: Continue if the server has answered
          sky.clusters.proceed:
            results: ["{{{{ answer }}}}"]
          when: inventory_hostname != 'localhost'
      rescue:
        - name: Explain the failure
          ansible.builtin.include_tasks: {explain}
          vars: {{stage: Install something}}

- name: Show why
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Show why
      sky.clusters.tell:
        lines: "{{{{ ['first', 'second'] | map('extract', hostvars) | map(attribute='sky_failure', default=['unreachable']) | flatten }}}}"
"""
HOSTS = {
    "first": {"ansible_connection": "local"},
    "second": {"ansible_connection": "local"},
    "gone": {"ansible_host": "127.0.0.1", "ansible_port": 1},
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a cluster file, and a key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": "demo",
        "clouds": {"one": {"provider": "memory", "path": str(tmp_path / "world")}},
        "pools": {
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"]},
        },
    }
    (tmp_path / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def play(site: Path, playbook: str, *more: str) -> tuple[int, str]:
    """Run a playbook to its end; its exit code and what it said."""
    own = {"ANSIBLE_PRIVATE_KEY_FILE": str(site / "key"), "ANSIBLE_HOME": str(site / "home")}
    own |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_INJECT_FACT_VARS": "false"}  # as core 2.24 will have it
    program = str(tree.ROOT / "tests/support/play_in_memory.py")
    command = [sys.executable, program, "-i", str(site / "demo.sky.yml"), f"sky.clusters.{playbook}", *more]
    done = subprocess.run(command, cwd=site, env=os.environ | own, text=True, capture_output=True, check=False, timeout=90)
    return done.returncode, done.stdout + done.stderr


def published(said: str) -> dict[str, Any]:
    """The artifact of a run."""
    return dict(json.loads(said[said.index("RUN: ") + len("RUN: ") :].splitlines()[0])["sky_result"])


def test_the_last_lines_are_shown_if_no_node_is_reachable(site: Path) -> None:
    code, said = play(site, "cluster", "-e", "sky_counts=")
    assert code != 0
    last = said[said.index("PLAY [Report]") :]
    for name in ("demo-master-0", "demo-worker-0", "demo-worker-1"):
        assert f"{name} could not be reached by ssh and was skipped: connect to host 127." in last
    assert last.count("port 22: Connection refused") == 3
    assert "next: make ssh to these nodes work" in last
    assert said.count("(item=demo-worker-0)") == 2  # added to the inventory, and to the group of nodes to visit
    result = published(said)
    assert (result["cluster"], result["ready"], result["nodes"]) == ("demo", False, 3)
    assert result["failed"] == ["demo-master-0", "demo-worker-0", "demo-worker-1"]
    assert result["heads"]["spark"]["node"] == "demo-master-0"
    assert result["heads"]["spark"]["outside"].startswith("127.")


def test_a_result_replaces_that_of_the_job_before(site: Path) -> None:
    code, said = play(site, "destroy", "-e", '{"sky_result": {"cluster": "another", "ready": true}}')  # as AWX hands it to the next job of a workflow
    assert code == 0, said
    assert published(said) == {"cluster": "demo", "ready": False, "nodes": 0, "kept_volumes": []}


def test_a_task_for_a_node_that_runs_on_the_controller_fails(site: Path) -> None:
    code, said = play(site, "cluster", "-e", "ansible_connection=local", "-e", "sky_cloud_address=192.0.2.4")
    assert code != 0
    last = said[said.index("PLAY [Report]") :]
    assert last.count("a task for the node with the address 192.0.2.4 ran on another machine") == 1
    assert "demo-master-0, demo-worker-0 and demo-worker-1 failed at 'Prepare the nodes'" in last


@pytest.mark.parametrize(
    ("server", "command", "why"),
    [
        ("gone", "/bin/true", "(Task failed: )?Failed to connect to the host via ssh"),  # core 2.18 says only the second half
        ("localhost", "sh -c 'echo wrong >&2; exit 3'", "exit code 3; the log ends with:"),
    ],
)
def test_the_controller_reports_after_a_failure_that_concerns_all_nodes(server: str, command: str, why: str, tmp_path: Path) -> None:
    explain = tree.ROOT / "playbooks/tasks/explain.yml"
    (tmp_path / "site.yml").write_text(SHARED.format(server=server, command=command, explain=explain), encoding="utf-8")
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": HOSTS, "vars": {"ansible_python_interpreter": sys.executable}}}))
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")}
    given = [program, "-i", "hosts.yml", "site.yml"]
    done = subprocess.run(given, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False, timeout=90)
    assert done.returncode != 0
    shown = done.stdout[done.stdout.index("PLAY [Show why]") :]
    for node in ("first", "second"):
        assert re.search(rf"^  {node} failed at 'Install something' \(task 'Continue if the server has answered'\): {why}", shown, re.MULTILINE), (
            shown
        )
    assert ("    | wrong" in shown) == (server == "localhost")


def test_what_leads_traffic_to_a_node_stops_doing_so_before_the_node_is_drained() -> None:
    (block,) = yaml.safe_load((tree.ROOT / "playbooks/tasks/drain.yml").read_text(encoding="utf-8"))
    (loop,) = [task["loop"] for task in block["block"] if "sky_fronts" in task.get("loop", "")]
    lost = [{"role": "torque_node", "tasks": "leave"}]  # by its pool
    node = {"sky_fronts": ["load_balancer"], "sky_other_roles": [], "sky_leave_roles": ["spark_worker", "hdfs_datanode"], "former": lost}
    words = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "ansible.builtin.debug", "-a", f"msg={json.dumps(loop)}"]
    done = subprocess.run([*words, "-e", json.dumps(node)], capture_output=True, text=True, check=True)
    roles = json.loads(done.stdout.partition("=> ")[2])["msg"]
    assert roles == [f"sky.clusters.{name}" for name in ("load_balancer", "torque_node", "spark_worker", "hdfs_datanode")]


@pytest.mark.parametrize("name", ["t.json", "t.svg"])
def test_the_time_of_a_run_is_written(site: Path, name: str) -> None:
    code, said = play(site, "provision", "-e", f"sky_timeline={name}", "-e", "sky_look=false")
    assert code == 0, said
    assert f"timeline: {name}" in said
    text = (site / name).read_text(encoding="utf-8")
    if name == "t.svg":
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert "demo-worker-1: cloud: boot" in text
        return
    spans = {(span["host"], span["stage"]): span for span in json.loads(text)["spans"]}
    assert {("localhost", "Provision the nodes"), ("demo-master-0", "cloud: create"), ("demo-worker-1", "cloud: ssh")} <= set(spans)
    own = [span for span in spans.values() if span["host"] == "demo-worker-1"]
    assert all(0 <= span["began"] <= span["ended"] <= json.loads(text)["seconds"] for span in own)
