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

from ansible_collections.sky.clusters.plugins.plugin_utils._brief import AGAIN, LONG, Step, ending, failure, wrapped

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
    assert step.running(6.0) == "Resolve the packages ... 6 s"
    assert step.ended(9, 80) == f"  {'Resolve the packages':<61}              9 s"


def test_a_long_step_is_shown_while_it_runs() -> None:
    step = Step("Install", 100.0, hosts={"a"})
    shown = {now: line for now in range(100, 200) if (line := step.running(float(now)))}
    assert list(shown) == [105, 135, 165, 195]
    assert shown[135] == "Install ... 35 s, 1 node done"
    assert (LONG, AGAIN) == (5, 30)


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


def test_a_secret_item_is_not_shown() -> None:
    lines = failure("failed", "node-0", "Install", {"msg": "no", "item": "secret", "_ansible_no_log": True}, 80)
    assert lines == ["failed: node-0, Install", "    no"]


def test_a_failure_without_a_reason() -> None:
    assert failure("failed", "a", "T", {}, 80) == ["failed: a, T", "    it gave no reason"]


def test_text_is_wrapped_at_blanks_only() -> None:
    assert wrapped("run /a/path-with-hyphens/that/is/long now", 20, "  ") == ["  run", "  /a/path-with-hyphens/that/is/long", "  now"]
    assert wrapped("", 20) == [""]


def test_the_last_line() -> None:
    assert ending(3.4, check=False, failed={}, unreachable={}) == "finished in 3 s"
    assert ending(3.4, check=True, failed={}, unreachable={}) == "check mode: nothing was changed (3 s)"
    assert ending(3.4, check=True, failed={"b": 1, "a": 2}, unreachable={"c": 1}) == "failed on a, failed on b, unreachable on c (3 s)"
