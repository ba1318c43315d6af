# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No setting of a user's Ansible, and no inventory, changes what the playbooks do: each play says itself how it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.sky.clusters.tests.support import tree

SAID = {"strategy": "ansible.builtin.linear", "any_errors_fatal": False, "timeout": 0, "gather_facts": False}
HERE = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
# What runs on the controller, where a failure is the end: nothing may follow it, and its own message says what to do
ENDS_THE_RUN = {"ansible.builtin.set_fact", "sky.clusters.nodes_delete", "sky.clusters.nodes_ready", "sky.clusters.report", "sky.clusters.ssh_config"}
NAME = re.compile(r"^\s*- name: ['\"]?(.+)$", re.MULTILINE)
DIALECT = re.compile(r"(?:Bring|Give|Have|Know|Let|Put|Say|See|Take|Tell) ")
WHOLE = "{{ lookup('sky.clusters.whole_run', 'localhost') }}"


def plays() -> list[tuple[Path, dict[str, Any]]]:
    """Every play of every playbook."""
    paths = sorted(path for folder in ("playbooks", "playbooks/systems") for path in (tree.ROOT / folder).glob("*.yml"))
    return [(path, play) for path in paths for play in yaml.safe_load(path.read_text(encoding="utf-8"))]


def test_every_play_says_how_it_is_run() -> None:
    own = [(path.name, play) for path, play in plays() if "hosts" in play]
    assert len(own) > 10
    assert not [(name, play["name"]) for name, play in own if not SAID.items() <= play.items()]


def test_what_runs_here_runs_here_whatever_the_group_all_says() -> None:
    assert not [(path.name, play["name"]) for path, play in plays() if play.get("hosts") in ("localhost", WHOLE) and play.get("vars") != HERE]


def test_each_playbook_that_a_user_runs_refuses_to_be_run_in_part() -> None:
    for path, play in plays():
        if any("sky.clusters.inventory_check" in task for task in play.get("tasks", [])):
            assert play["hosts"] == WHOLE, path


def tasks_of(content: Any) -> Iterator[dict[str, Any]]:
    """Every task of a playbook or of a file of tasks, those in blocks included."""
    for each in content or []:
        parts = [part for name in ("tasks", "block", "rescue", "always") if (part := each.get(name))]
        shared = {name: each[name] for name in ("run_once", "delegate_to") if name in each}  # of a block
        yield from (shared | task for part in parts for task in tasks_of(part))
        if not parts:
            yield each


def test_steps_are_named_by_plain_verbs() -> None:
    """Their names are the lines that users read while a run goes on: who does what to which part, as reference documentation would say it."""
    paths = [*sorted((tree.ROOT / "playbooks").rglob("*.yml")), *sorted((tree.ROOT / "roles").glob("*/tasks/*.yml"))]
    names = [(path, match[1]) for path in paths for match in NAME.finditer(path.read_text(encoding="utf-8"))]
    assert len(names) > 400
    assert not [f"{path.relative_to(tree.ROOT)}: {name}" for path, name in names if DIALECT.match(name)]


def test_a_failure_of_what_runs_once_is_left_to_each_node() -> None:
    """Ansible would give up all hosts of the play, the controller included, and end the run without its report."""
    paths = [*sorted((tree.ROOT / "playbooks").rglob("*.yml")), *sorted((tree.ROOT / "roles").glob("*/tasks/*.yml"))]
    once = [(path, task) for path in paths for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))) if task.get("run_once")]
    assert len(once) > 5
    assert not [f"{path.relative_to(tree.ROOT)}: {task['name']}" for path, task in once if not (ENDS_THE_RUN & task.keys() or is_left_to_nodes(task))]


def test_a_profile_is_shown_with_the_nodes_that_do_not_know_of_it() -> None:
    """A list that lacked a key would not be written, and the profile would let nobody in."""
    tasks = {task["name"]: task for task in tasks_of(yaml.safe_load((tree.ROOT / "playbooks/vpn_profile.yml").read_text(encoding="utf-8")))}
    assert tasks["Add the user to the list"]["sky.clusters.network_list"]["leave_out"] is True
    shown = tasks["Show the profile"]
    assert {"behind", "left_out", "opened"} <= {*re.findall(r"\w+", shown["sky.clusters.tell"]["lines"])} & shown["vars"].keys()
    assert "sky_list.left_out" in shown["vars"]["left_out"]


def test_a_loop_around_a_role_has_a_variable_of_its_own() -> None:
    """Ansible would warn where a task of the role has a loop, too: both would use ``item``."""
    paths = [*sorted((tree.ROOT / "playbooks").rglob("*.yml")), *sorted((tree.ROOT / "roles").glob("*/tasks/*.yml"))]
    tasks = [(path, task) for path in paths for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8"))) if "loop" in task]
    around = [(path, task) for path, task in tasks if {"ansible.builtin.include_role", "ansible.builtin.include_tasks"} & task.keys()]
    assert len(around) > 5
    assert not [f"{path.relative_to(tree.ROOT)}: {task['name']}" for path, task in around if "loop_var" not in task.get("loop_control", {})]


def test_a_result_that_is_hidden_is_not_repeated() -> None:
    """Ansible keeps no mark in a registered result: a task that fails with it would show it."""
    paths = [*sorted((tree.ROOT / "playbooks").rglob("*.yml")), *sorted((tree.ROOT / "roles").glob("*/tasks/*.yml"))]
    tasks = [(path, task) for path in paths for task in tasks_of(yaml.safe_load(path.read_text(encoding="utf-8")))]
    hidden = {task["register"] for _path, task in tasks if task.get("no_log") and "register" in task}
    assert "__spark_secret" in hidden
    whole = {f"{{{{ {name} }}}}" for name in hidden}
    again = [(path, task) for path, task in tasks for result in task.get("sky.clusters.proceed", {}).get("results", []) if str(result) in whole]
    assert not [f"{path.relative_to(tree.ROOT)}: {task['name']}" for path, task in again if not task.get("no_log")]


def test_the_reason_of_a_hidden_failure_of_files_is_told() -> None:
    """Such as a full disk. The sentences of the module name paths, and nothing of what is written."""
    paths = sorted((tree.ROOT / "roles").glob("*/tasks/*.yml"))
    blocks = [(path, each) for path in paths for each in yaml.safe_load(path.read_text(encoding="utf-8")) or []]
    hidden = [(path, each) for path, each in blocks for task in tasks_of([each]) if "sky.clusters.files" in task and task.get("no_log")]
    assert len(hidden) > 1
    assert not [
        f"{path.relative_to(tree.ROOT)}: {each['name']}" for path, each in hidden if "{{ ansible_failed_result.msg }}" not in str(each.get("rescue"))
    ]


def is_left_to_nodes(task: dict[str, Any]) -> bool:
    """Whether each node fails by itself, by the task that reads the registered result."""
    reached = task.get("delegate_to") == "localhost" or task.get("ignore_unreachable") is True
    return reached and task.get("ignore_errors") is True and "register" in task


def test_a_group_without_hosts_may_be_absent() -> None:
    """Ansible makes a run's groups with their first host, and AWX drops empty ones from an inventory: ``groups['x']`` alone would then fail."""
    paths = [path for folder in ("playbooks", "roles") for path in sorted((tree.ROOT / folder).rglob("*")) if path.suffix in {".yml", ".j2"}]
    wrong = [
        f"{path.relative_to(tree.ROOT)}: {text[match.start() : match.start() + 60]!r}"
        for path in paths
        for text in [path.read_text(encoding="utf-8")]
        for match in re.finditer(r"groups(?:\['\w+'\]|\.(?!all\b)\w+)(?! \| default\(\[\]\))", text)
    ]
    assert len(paths) > 50
    assert not wrong, "\n".join(wrong)


def test_task_names_that_tests_look_for_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for folder in ("playbooks", "roles") for path in sorted((tree.ROOT / folder).rglob("*.yml"))]
    names = {name for text in texts for name in re.findall(r"- name: (.+)", text)}
    wanted = {
        match.group(1)
        for path in sorted((tree.ROOT / "tests/integration").rglob("*.py"))
        for match in re.finditer(r"TASK \\?\[(?:sky\.clusters\.\w+ : )?([A-Z][^\]\"\\{]+)", path.read_text(encoding="utf-8"))
    }
    assert len(wanted) > 3
    assert [name for name in sorted(wanted) if not any(known.startswith(name) for known in names)] == []


HOST = re.compile(r"inventory_hostname|\bitem\b|\bpython_packages_head\b|\bjvm_packages_head\b")  # the last two are required options of their roles


def delegated(tasks: list[dict[str, Any]], conditional: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """The tasks of a file, each with whether it may be skipped."""
    for task in tasks:
        skippable = conditional or "when" in task
        yield task, skippable
        for part in ("block", "rescue", "always"):
            yield from delegated(task.get(part) or [], skippable)


def task_lists() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tasks of each file with tasks, and those of each play."""
    for path in sorted([*(tree.ROOT / "playbooks/tasks").glob("*.yml"), *(tree.ROOT / "roles").glob("*/tasks/*.yml")]):
        yield str(path.relative_to(tree.ROOT)), yaml.safe_load(path.read_text(encoding="utf-8")) or []
    for path in sorted([*(tree.ROOT / "playbooks").glob("*.yml"), *(tree.ROOT / "playbooks/systems").glob("*.yml")]):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(tree.ROOT)), play.get("tasks", [])


def test_a_task_that_is_skipped_names_a_host_that_would_do_it() -> None:
    """Ansible renders ``delegate_to`` before ``when``: a value that is empty or undefined then fails a task that should be skipped."""
    wrong, seen = [], 0
    for file, listed in task_lists():
        tasks = list(delegated(listed))
        sure = {task["register"] for task, skippable in tasks if "register" in task and not skippable}
        for task, skippable in tasks:
            place = str(task.get("delegate_to", ""))
            seen += "{{" in place
            if skippable and "{{" in place and not HOST.search(place) and not sure.intersection(re.findall(r"[a-z_]+", place)):
                wrong.append(f"{file}: {task['name']}: {place}")
    assert seen > 10
    assert not wrong, "\n".join(wrong)


def test_the_given_values_are_registered() -> None:
    """As facts they would be no variables where ``inject_facts_as_vars`` is off."""
    tasks = [task for _path, play in plays() for task in play.get("tasks", []) if "sky.clusters.inventory_check" in task]
    assert len(tasks) > 10
    assert {task.get("register") for task in tasks} == {"sky_given"}
