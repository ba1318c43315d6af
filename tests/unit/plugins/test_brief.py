# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The brief output: what Ansible itself does is unchanged, and what is shown is a screen of 80 columns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._brief import AGAIN, LONG, Step, changes, ending, failure
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import wrapped
from ansible_collections.sky.clusters.tests.support.screens import RUNNING

UNCHANGED = ("  Change nothing", "  Show something", "  Fail, and go on", "  Fail for one item")  # steps that have a line on a slow machine only
SCREENS = Path(__file__).parent / "screens"
PLAYBOOK = """
- name: Play
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Change nothing
      ansible.builtin.command: /bin/true
      changed_when: false
    - name: Change something with a name that is far too long to fit on one line of a terminal of eighty columns
      ansible.builtin.command: /bin/true
    - name: Change two things
      ansible.builtin.command: "{{ item }}"
      loop: [/bin/true, /bin/echo]
    - name: Show something
      ansible.builtin.debug: {msg: shown}
    - name: Write a file
      ansible.builtin.copy: {content: "new\\n", dest: "{{ playbook_dir }}/file", mode: "0644"}
    - name: Fail, and go on
      ansible.builtin.command: /bin/false
      ignore_errors: true
    - name: Fail for one item
      ansible.builtin.command: "{{ item }}"
      loop: [/bin/true, "sh -c 'echo printed; echo complained >&2; exit 3'"]
"""


def played(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "ansible.cfg").write_text("")  # instead of this machine's own
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml", *options]
    environment = os.environ | {"ANSIBLE_STDOUT_CALLBACK": "sky.clusters.brief", "COLUMNS": "80"} | variables
    environment |= {"ANSIBLE_PYTHON_INTERPRETER": sys.executable}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False, timeout=90)


def screen(text: str, folder: Path) -> str:
    """What is shown, without what differs between two runs, or two versions of ansible-core."""
    text = "".join(line for line in text.splitlines(keepends=True) if not (RUNNING.fullmatch(line.rstrip()) or line.startswith(UNCHANGED)))
    text = text.replace("The command exited with a non-zero return code.", "non-zero return code")
    took = re.sub(r"(?m) +\d+ s(?=\x1b|$)", "", text)
    return re.sub(r"\d+ s\b", "N s", took).replace(str(folder), "FOLDER")


@pytest.mark.parametrize(
    ("name", "options", "variables"),
    [
        ("plain", ["--diff"], {"ANSIBLE_NOCOLOR": "1"}),
        ("colour", [], {"ANSIBLE_FORCE_COLOR": "1"}),
        ("check", ["--check"], {"ANSIBLE_NOCOLOR": "1"}),
    ],
)
def test_screens(name: str, options: Sequence[str], variables: dict[str, str], tmp_path: Path) -> None:
    done = played(tmp_path, *options, **variables)
    assert done.stderr == ""
    assert screen(done.stdout, tmp_path) == (SCREENS / f"{name}.txt").read_text()
    assert done.returncode == (0 if name == "check" else 2)
    assert max(len(line) for line in screen(done.stdout, tmp_path).splitlines() if "\x1b" not in line) <= 80


def test_with_v_it_is_the_default_output(tmp_path: Path) -> None:
    brief = played(tmp_path, "-v", ANSIBLE_NOCOLOR="1")
    default = played(tmp_path, "-v", ANSIBLE_NOCOLOR="1", ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default")
    assert "TASK [Change nothing]" in brief.stdout
    assert "PLAY RECAP" in brief.stdout
    first, second = (
        re.sub(r'"(?:start|end|delta|src|mode|checksum|state|[ug]id|owner|group|size|md5sum|dest)": [^,}]*', "", done.stdout)
        for done in (brief, default)
    )
    assert len(first.splitlines()) == len(second.splitlines())


def test_a_step_that_changes_nothing_and_is_short_has_no_line() -> None:
    step = Step("Look", 0.0, hosts={"a", "b"})
    assert step.ended(LONG - 0.1, 80) == ""
    assert step.ended(LONG, 80) == f"  {'Look':<61}   2 nodes    5 s"


def test_a_step_counts_the_nodes_that_it_changed() -> None:
    step = Step("Install", 0.0, hosts={"a", "b", "localhost"}, changed={"a", "localhost"})
    assert step.ended(0.2, 80) == f"  {'Install':<61}    1 node"


def test_a_step_for_all_nodes_at_once_counts_none() -> None:
    step = Step("Resolve the packages", 0.0, hosts={"a"}, changed={"a"}, once=True)
    assert step.running(6.0, 80) == "  Resolve the packages ... 6 s"
    assert step.ended(9, 80) == f"  {'Resolve the packages':<61}              9 s"


def test_a_long_step_is_shown_while_it_runs() -> None:
    step = Step("Install", 100.0, hosts={"a"})
    shown = {now: line for now in range(100, 200) if (line := step.running(float(now), 80))}
    assert list(shown) == [105, 135, 165, 195]
    assert shown[135] == "  Install ... 35 s, 1 node done"
    assert (LONG, AGAIN) == (5, 30)


def test_the_line_about_a_long_step_fits_the_screen() -> None:
    step = Step("Drain and stop the worker, with a limit in seconds of 600", 0.0, hosts={f"demo-worker-{index}" for index in range(12)})
    line = step.running(35.0, 80)
    assert line == "  Drain and stop the worker, with a limit in seconds ... ... 35 s, 12 nodes done"
    assert len(line) <= 80


def test_a_failure_is_shown_in_full_and_its_output_once() -> None:
    result = {"msg": "first\nsecond " + "x" * 100, "stdout": "first\nsecond", "stderr": "why", "item": "a"}
    assert failure("failed", "node-0", "Install", result, 40) == [
        "failed: node-0, Install",
        "    first",
        "    second",
        f"    {'x' * 100}",
        "    for a",
        "    stderr:",
        "      why",
    ]


def test_of_a_module_that_died_all_that_it_said_is_shown() -> None:
    """With the message of core 2.18, and with that of core 2.19."""
    for message in ("MODULE FAILURE: No start of json char found\nSee stdout/stderr for the exact error", "Module result deserialization failed"):
        result = {"msg": message, "module_stdout": "half of", "module_stderr": "Traceback\nKeyError: 'x'\n", "rc": 1}
        assert failure("failed", "node-0", "Install", result, 80)[len(message.splitlines()) + 1 :] == [
            "    module_stdout:",
            "      half of",
            "    module_stderr:",
            "      Traceback",
            "      KeyError: 'x'",
        ]


def test_a_secret_item_is_not_shown() -> None:
    lines = failure("failed", "node-0", "Install", {"msg": "no", "item": "secret", "_ansible_no_log": True}, 80)
    assert lines == ["failed: node-0, Install", "    no"]


def test_of_what_is_hidden_ansible_s_own_sentence_is_shown() -> None:
    sentence = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
    assert failure("failed", "node-0", "Install", {"censored": sentence, "changed": False}, 100) == ["failed: node-0, Install", f"    {sentence}"]


def test_a_failure_without_a_reason() -> None:
    assert failure("failed", "a", "T", {}, 80) == ["failed: a, T", "    it gave no reason"]


@pytest.mark.parametrize("width", [1, 8, 18, 19])
def test_a_narrow_terminal_is_no_error(width: int) -> None:
    step = Step("Install", 0.0, hosts={"a"}, changed={"a"})
    assert step.ended(12.0, width).endswith("1 node   12 s")
    assert step.running(12.0, width).endswith("... 12 s, 1 node done")
    assert failure("failed", "a", "Install", {"msg": "no"}, width)[-1].strip() == "no"
    assert ending(3, check=False, failed={"a": 1}, unreachable={})


def test_text_is_wrapped_at_blanks_only() -> None:
    assert wrapped("run /a/path-with-hyphens/that/is/long now", 20, "  ") == ["  run", "  /a/path-with-hyphens/that/is/long", "  now"]
    assert wrapped("", 20) == [""]


def test_a_difference_has_its_hosts_and_its_task() -> None:
    names = [f"demo-worker-{index}" for index in (10, 9, 1)]
    assert changes("Write the settings", names, 60) == ["  demo-worker-1, demo-worker-9 and demo-worker-10, Write the", "    settings:"]
    assert changes("Create the nodes", ["localhost"], 60) == ["  Create the nodes:"]


def test_the_last_line() -> None:
    assert ending(3.4, check=False, failed={}, unreachable={}) == "finished in 3 s"
    assert ending(3.4, check=True, failed={}, unreachable={}) == "finished in 3 s (check mode)"
    assert ending(3.4, check=True, failed={"b-10": 1, "b-9": 1, "a-0": 2}, unreachable={"c": 1}) == (
        "failed on a-0, b-9 and b-10; unreachable on c (3 s)"
    )


NAMES = [f"demo-number-crunching-worker-{index}" for index in range(3)]
NODES_PLAYBOOK = """
- name: Play
  hosts: all
  gather_facts: false
  tasks:
    - name: Write a file
      ansible.builtin.lineinfile: {path: "{{ playbook_dir }}/{{ file | default('shared') }}", line: new, create: true, mode: "0600"}
      check_mode: true
    - name: Write items
      ansible.builtin.copy: {content: "{{ item }}\\n", dest: "{{ playbook_dir }}/{{ item }}", mode: "0600"}
      loop: [one, two]
      run_once: true
    - name: Warn, and fail
      told:
      ignore_errors: true
      run_once: true
    - name: Count
      ansible.builtin.set_stats: {data: {counted: 5}}
      run_once: true
    - name: Die
      died:
      when: inventory_hostname == ansible_play_hosts_all[0]
    - name: Hide
      ansible.builtin.command: sh -c 'echo CANARY; exit 3'
      no_log: true
      when: inventory_hostname == ansible_play_hosts_all[1]
    - name: Fail
      ansible.builtin.fail: {msg: said before}
      vars: {sky_shown: true}
"""
TOLD = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({})
module.warn("be careful")
module.fail_json(msg="not now")
"""
DIED = """#!/usr/bin/python
import sys
sys.exit("RuntimeError: out of luck")
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a play shows on 80 columns whose nodes are this machine."""
    folder = tmp_path_factory.mktemp("nodes")
    (folder / "library").mkdir()
    files = {"play.yml": NODES_PLAYBOOK, "library/told.py": TOLD, "library/died.py": DIED, "ansible.cfg": ""}
    files["hosts.ini"] = "".join(f"{name} ansible_connection=local\n" for name in NAMES) + f"{NAMES[2]} file=own\n"
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.ini", "--diff", "play.yml"]
    own = {"ANSIBLE_STDOUT_CALLBACK": "sky.clusters.brief", "COLUMNS": "80", "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "ANSIBLE_NOCOLOR": "1"}
    own |= {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE": "true"}
    done = subprocess.run(command, cwd=folder, env=os.environ | own, text=True, capture_output=True, check=False, timeout=180)
    assert done.returncode == 2, done.stdout + done.stderr
    return (done.stderr + done.stdout).replace(str(folder), "FOLDER")


def test_each_difference_is_shown_once_with_its_hosts_and_its_task(shown: str) -> None:
    said = " ".join(shown.split())
    assert said.count(f"{NAMES[0]} and {NAMES[1]}, Write a file: --- before: FOLDER/shared (content)") == 1
    assert said.count(f"{NAMES[2]}, Write a file: --- before: FOLDER/own (content)") == 1
    assert said.count("FOLDER/shared (content)") == 2  # before and after
    assert shown.count(f"  {NAMES[0]}, Write items:\n--- before\n+++ after: FOLDER/") == 2


def test_a_warning_of_a_failure_that_is_ignored_is_shown(shown: str) -> None:
    assert shown.count("be careful") == 1
    assert "not now" not in shown


def test_a_module_that_dies_is_shown_with_its_output_and_its_place(shown: str) -> None:
    assert f"failed: {NAMES[0]}, Die\n" in shown
    assert "    module_stderr:\n      RuntimeError: out of luck\n" in shown
    assert "task path: FOLDER/play.yml:" in shown


def test_a_hidden_failure_is_told_by_ansible_s_sentence(shown: str) -> None:
    assert f"failed: {NAMES[1]}, Hide\n    the output has been hidden due to the fact that 'no_log: true' was specified\n" in shown
    assert "CANARY" not in shown


def test_a_failure_that_repeats_another_is_left_out(shown: str) -> None:
    assert "said before" not in shown


def test_the_statistics_of_a_play_are_shown_if_they_are_asked_for(shown: str) -> None:
    assert re.search(r'\tRUN: {\s*"counted": 5}\n', shown)


def test_the_last_line_names_each_node_once_and_fits(shown: str) -> None:
    last = "\n".join(shown.rstrip().splitlines()[-2:])
    assert re.fullmatch(rf"failed on {NAMES[0]}, {NAMES[1]} and\n  {NAMES[2]} \(\d+ s\)", last), last
