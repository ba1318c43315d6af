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
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.world import World

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
def site(tmp_path: Path) -> Iterator[Path]:
    """A folder with a cluster file, and a key. Ansible's home has a short name: files for ssh go elsewhere if it is long."""
    with tempfile.TemporaryDirectory(prefix="sky-", dir="/tmp") as home:
        (tmp_path / "home").symlink_to(home)
        yield made_in(tmp_path)


def made_in(folder: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": "demo",
        "clouds": {"one": {"provider": "memory", "path": str(folder / "world"), "gap": 50}},  # so that creating a node takes a time
        "pools": {
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"]},
        },
    }
    (folder / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def play(site: Path, playbook: str, *more: str) -> tuple[int, str]:
    """Run a playbook of the collection, or a file, to its end; its exit code and what it said."""
    own = {"ANSIBLE_PRIVATE_KEY_FILE": str(site / "key"), "ANSIBLE_HOME": str((site / "home").resolve())}
    own |= {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_INJECT_FACT_VARS": "false"}  # as core 2.24 will have it
    program = str(tree.ROOT / "tests/support/play_in_memory.py")
    command = [sys.executable, program, "-i", str(site / "demo.sky.yml"), playbook if "." in playbook else f"sky.clusters.{playbook}", *more]
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


def test_a_plan_of_a_destruction_says_that_it_is_one(site: Path) -> None:
    """Whatever prints it: Ansible's own output, and AWX, do not say so at the end."""
    code, said = play(site, "destroy", "--check")
    assert code == 0, said
    assert "  nothing to delete\n  check mode: nothing was changed\n" in said
    code, said = play(site, "destroy")
    assert code == 0, said
    assert "check mode" not in said


def last_lines(said: str, play: str) -> list[str]:
    """What a play has told, without the progress and the statistics."""
    text = said[said.index(f"PLAY [{play}]") :].partition("PLAY RECAP")[0]
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


def test_provision_alone_shows_its_plan_reports_and_writes_the_ssh_configuration(site: Path) -> None:
    config = ("-e", "sky_ssh_config=demo.ssh", "-e", "sky_look=false")
    code, said = play(site, "provision", "--check", "--diff", *config)
    assert code == 0, said
    lines = last_lines(said, "Report what was provisioned")
    assert [line.split("  ")[0] for line in lines[:5]] == [
        "+ group demo",
        "+ demo-master-0",
        "+ demo-worker-0",
        "+ demo-worker-1",
        "plan: 4 to create",
    ]
    assert lines[-1] == "check mode: nothing was changed"
    assert "configure" not in "".join(lines)
    assert said.count("+flavor: small") == 3
    assert said.count("demo-worker-0: create in one") == 0
    assert not (site / "demo.ssh").exists()
    code, said = play(site, "provision", *config)
    assert code == 0, said
    made = last_lines(said, "Report what was provisioned")
    assert (made[0], made[4]) == ("group demo: create in one", "done: 4 created")
    assert "Host demo-worker-1" in (site / "demo.ssh").read_text(encoding="utf-8")
    assert not published(said)["ready"]
    code, said = play(site, "provision", *config, "-e", '{"sky_counts": {"worker": 1}}')
    assert code == 0, said
    assert last_lines(said, "Report what was provisioned")[0] == "next: sky.clusters.cluster drains and deletes demo-worker-1"


@pytest.mark.parametrize(("strict", "code"), [("false", 0), ("true", 2)])
def test_provision_alone_fails_if_every_node_was_required_and_says_what_to_do(site: Path, strict: str, code: int) -> None:
    content = yaml.safe_load((site / "demo.sky.yml").read_text(encoding="utf-8"))
    content["pools"]["worker"]["min_count"] = 0
    (site / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    World(site / "world", real_time=True).fault("create", "refused", node=2, times=99)
    ended, said = play(site, "provision", "-e", "sky_look=false", "-e", f"sky_strict={strict}")
    assert ended == code, said
    lines = last_lines(said, "Report what was provisioned")
    assert "done: 3 created, 1 failed" in lines  # with the group
    assert any(line.endswith("no valid host was found") for line in lines)
    assert any(line.startswith("next: ") for line in lines)


def test_a_playbook_that_goes_on_reports_once(site: Path) -> None:
    _code, said = play(site, "cluster")
    assert said.count("TASK [Report what was done]") == 1
    assert "configured: " not in said  # none was reached


def test_a_task_for_a_node_that_runs_on_the_controller_fails(site: Path) -> None:
    code, said = play(site, "cluster", "-e", "ansible_connection=local", "-e", "sky_cloud_address=192.0.2.4")
    assert code != 0
    last = said[said.index("PLAY [Report]") :]
    assert last.count("a task for the node with the address 192.0.2.4 ran on another machine") == 1
    assert "demo-master-0, demo-worker-0 and demo-worker-1 failed at 'Prepare the nodes'" in last
    assert f"    look: ssh -F {(site / 'home').resolve()}/sky/demo.conf -l root demo-master-0\n" in last


# As if the roles had been applied to all nodes, none of which can be reached
CONFIGURED = [
    {"ansible.builtin.import_playbook": "sky.clusters.provision"},
    {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/sky.clusters.cluster": {name: f"{{{{ sky_{name} }}}}" for name in ("cluster", "clouds", "pools", "settings")}},
        "tasks": [{"sky.clusters.nodes_ready": {"hashes": "{{ sky_visits.hashes }}", "names": "{{ sky_visits.names }}"}}],
    },
]
THREE = ("-e", '{"sky_counts": {"worker": 3}}', "-e", "sky_look=false")


def configured(site: Path) -> None:
    (site / "configured.yml").write_text(yaml.safe_dump(CONFIGURED), encoding="utf-8")
    code, said = play(site, "configured.yml", "-e", "sky_look=false")
    assert code == 0, said


def test_a_plan_names_the_head_that_a_growth_configures_and_is_written_for_scripts(site: Path) -> None:
    configured(site)
    _code, said = play(site, "cluster", "--check", "-e", "sky_plan_file=plan.json", *THREE)  # the head cannot be reached
    why = "its settings, software or peers have changed"
    assert last_lines(said, "Report")[:3] == [
        "+ demo-worker-2  create in one (small, debian-12)",
        f"~ demo-master-0  configure: {why}",
        "plan: 1 to create, 1 to change",
    ]
    found = json.loads((site / "plan.json").read_text(encoding="utf-8"))
    assert [(row["sign"], row["name"], row["action"], row["reason"]) for row in found["plan"]] == [
        ("+", "demo-worker-2", "create", ""),
        ("~", "demo-master-0", "configure", why),
    ]
    assert (found["cluster"], found["totals"]) == ("demo", {"create": 1, "change": 1, "replace": 0, "delete": 0})
    _code, said = play(site, "cluster", *THREE)
    assert sorted(published(said)["failed"]) == ["demo-master-0", "demo-worker-2"]  # those that it meant to configure


def test_the_plan_of_a_destruction_is_written_for_scripts(site: Path) -> None:
    configured(site)
    code, said = play(site, "destroy", "--check", "-e", "sky_plan_file=-")
    assert code == 0, said
    found = json.loads(said[said.index('{\n  "cluster"') : said.index("\n}\n") + 2])
    assert [row["name"] for row in found["plan"]] == ["demo-master-0", "demo-worker-0", "demo-worker-1", "group demo"]
    assert {row["action"] for row in found["plan"]} == {"delete"}
    assert (found["totals"]["delete"], found["kept_volumes"]) == (4, [])
    code, said = play(site, "destroy", "-e", "sky_plan_file=plan.json")  # who forgot --check would lose the cluster
    assert (code, (site / "plan.json").exists()) == (2, False)
    assert "sky_plan_file: holds the plan of a run with --check: add --check, or leave the variable out" in said
    assert len(World(site / "world", real_time=True).names()) == 3


@pytest.mark.parametrize(
    "place", ["group_vars/all.yml", "group_vars/pool_worker.yml", "group_vars/spark_worker.yml", "host_vars/demo-worker-1.yml", "-e"]
)
def test_memory_that_no_node_of_the_plan_has_is_refused_before_one_is_made(site: Path, place: str) -> None:
    more = ("-e", "spark_worker_memory=4096") if place == "-e" else ()
    if not more:
        (site / place).parent.mkdir()
        (site / place).write_text("spark_worker_memory: '{{ 2 * 2048 }}'\n", encoding="utf-8")
    code, said = play(site, "cluster", *more)
    assert code == 2, said
    names = ["demo-worker-1"] if "demo-worker-1" in place else ["demo-worker-0", "demo-worker-1"]
    lines = "\n".join(f"spark_worker_memory: 4096 is more than {name} has (2048)" for name in names)
    assert f"{lines}\nnothing was changed: fix this and run the same command again" in said.replace("\\n", "\n")
    assert World(site / "world", real_time=True).writing_calls() == 0


def test_a_check_writes_and_removes_no_file_on_the_controller(site: Path) -> None:
    more = ("-e", "sky_look=false", "-e", "sky_timeline=t.svg")
    code, said = play(site, "provision", "-e", "sky_look=false")
    own = site / "home/sky/demo.conf"
    written = own.read_text(encoding="utf-8")
    assert (code, "\nHost demo-worker-1\n" in written) == (0, True), said
    own.write_text("of an earlier run", encoding="utf-8")
    for playbook in ("provision", "destroy"):
        code, said = play(site, playbook, "--check", *more)
        assert (code, own.read_text(encoding="utf-8"), (site / "t.svg").exists()) == (0, "of an earlier run", False), said
    code, said = play(site, "provision", *more)
    assert (code, own.read_text(encoding="utf-8"), (site / "t.svg").exists()) == (0, written, True), said
    code, said = play(site, "destroy")
    assert (code, own.exists()) == (0, False), said


def test_a_missing_file_is_told_in_check_mode_too(site: Path) -> None:
    code, said = play(site, "provision", "-e", "sky_look=false")
    assert code == 0, said
    for mode in ([], ["--check"]):
        code, said = play(site, "data_put", "-e", "sky_from=none.csv", "-e", "sky_to=hdfs:///in/", *mode)
        assert code != 0
        assert "none.csv: there is no such file on the controller" in said


def test_files_go_through_a_node_that_has_their_place_and_without_one_the_reason_is_said(site: Path) -> None:
    code, said = play(site, "data_get", "-e", "sky_from=file:///data/sets/a", "-e", "sky_to=./")
    assert (code != 0, "no node runs: run sky.clusters.cluster first" in said) == (True, True), said
    content = yaml.safe_load((site / "demo.sky.yml").read_text(encoding="utf-8"))
    content["pools"]["worker"] |= {"roles": [], "volumes": {"sets": 1}}
    del content["pools"]["master"]  # so that no node is the head of a system
    (site / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    code, said = play(site, "provision", "-e", "sky_look=false")
    assert code == 0, said
    code, said = play(site, "data_get", "-e", "sky_from=file:///data/sets/a", "-e", "sky_to=./")
    assert "[demo-worker-0]: UNREACHABLE!" in said  # it got as far as that
    code, said = play(site, "data_get", "-e", "sky_from=s3a://lab/a", "-e", "sky_to=./")
    assert (code != 0, "sky_from: no node of this cluster has the file system of s3a://lab/a" in said) == (True, True), said


def test_a_port_that_a_service_of_the_load_balancer_s_nodes_has_is_refused_before_any_node_is_made(site: Path) -> None:
    content = yaml.safe_load((site / "demo.sky.yml").read_text(encoding="utf-8"))
    content["pools"]["master"]["roles"] += ["load_balancer"]
    content |= {"load_balancer": [{"port": 80, "pool": "worker"}, {"port": 8080, "pool": "worker"}], "admin_cidrs": ["192.0.2.0/24"]}
    (site / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    code, said = play(site, "cluster")
    assert code != 0
    why = "load_balancer[1].port: port 8080 is used by spark_master on the nodes of pool master: choose another one, or set spark_master_ui_port"
    assert why in said
    assert "demo-master-0" not in said


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
    before, _play, shown = done.stdout.partition("PLAY [Show why]")
    assert "first leaves the run; the report at its end explains why" in before
    assert "failed at 'Install something'" not in before
    for node in ("first", "second"):
        assert re.search(rf"^  {node} failed at 'Install something' \(task 'Continue if the server has answered'\): {why}", shown, re.MULTILINE), (
            shown
        )
    assert ("    | wrong" in shown) == (server == "localhost")


HIDDEN: dict[str, dict[str, Any]] = {
    "task": {"no_log": True},
    "template": {"no_log": "{{ hide }}", "vars": {"hide": True}},
    "loop": {"no_log": True, "loop": [0, 1]},
    "item": {"no_log": "{{ item == 1 }}", "loop": [0, 1]},
}
FAILING: dict[str, Any] = {
    "name": "Set the password",
    "ansible.builtin.command": "sh -c 'echo CANARY; echo CANARY >&2; exit {{ item | default(3) }}'",
}


def explained(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Plays with a task that fails, and with what explains it."""
    include = {"ansible.builtin.include_tasks": str(tree.ROOT / "playbooks/tasks/explain.yml"), "vars": {"stage": "Install something"}}
    tell = {"sky.clusters.tell": {"lines": "{{ hostvars.first.sky_failure }}"}}
    block = {"block": [task], "rescue": [include], "when": "inventory_hostname == 'first'"}
    return [
        {"hosts": "first:localhost", "gather_facts": False, "tasks": [block]},
        {"hosts": "localhost", "gather_facts": False, "tasks": [tell]},
    ]


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_a_task_hides_is_not_in_the_last_lines(kind: str, tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(yaml.safe_dump(explained(FAILING | HIDDEN[kind])), encoding="utf-8")
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": HOSTS, "vars": {"ansible_python_interpreter": sys.executable}}}))
    given = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "site.yml"]
    own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_STDOUT_CALLBACK": "sky.clusters.brief"}
    done = subprocess.run(given, cwd=tmp_path, env=os.environ | own, text=True, capture_output=True, check=False, timeout=90)
    assert done.returncode != 0
    why = "first failed at 'Install something' (task 'Set the password'): its output is hidden, since it may contain secrets (no_log)"
    assert why in done.stdout, done.stdout + done.stderr
    assert "CANARY" not in done.stdout + done.stderr


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
    created = spans["demo-worker-1", "cloud: create"]
    assert created["ended"] - created["began"] >= 0.05


def test_the_time_of_deleting_nodes_is_written(site: Path) -> None:
    code, said = play(site, "provision", "-e", "sky_look=false")
    assert code == 0, said
    code, said = play(site, "destroy", "-e", "sky_timeline=t.json")
    assert code == 0, said
    spans = {(span["host"], span["stage"]): span for span in json.loads((site / "t.json").read_text(encoding="utf-8"))["spans"]}
    deleted = spans["demo-worker-1", "cloud: delete"]
    assert deleted["ended"] > deleted["began"]


def test_nodes_whose_software_is_not_known_fail_the_list_of_software(site: Path) -> None:
    code, said = play(site, "sbom", "-e", "sky_sbom_file=demo.cdx.json")
    assert code == 0, said
    assert "nothing to list: no node is running" in said
    code, said = play(site, "provision", "-e", "sky_look=false")
    assert code == 0, said
    code, said = play(site, "sbom", "-e", "sky_sbom_file=demo.cdx.json")
    assert code != 0
    assert "demo-worker-1: its software could not be listed" in said
    assert "the bill of materials lacks the software of demo-master-0, demo-worker-0, demo-worker-1" in said
    assert "Traceback" not in said
    assert not (site / "demo.cdx.json").exists()
