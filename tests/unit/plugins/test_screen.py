# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own lines: prose fits the screen, what is copied from it stays whole, and faults have a colour."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Event, Stage
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import NEXT
from ansible_collections.sky.clusters.plugins.plugin_utils._progress import event_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import color_of, fitted
from ansible_collections.sky.clusters.tests.support.screens import too_wide

PAGES = "see the pages at http://localhost:8080 (cluster) and http://localhost:18080 (jobs that ended) through a tunnel:"
TUNNEL = "  ssh -F /home/ada/.ansible/sky/demo.conf -N -L 8080:10.0.0.4:8080 -L 18080:10.0.0.4:18080 demo-master-0"
DRAIN = (
    "demo-worker-3: draining, 2 executors still run (etl), at most 594 s more; to cut it short: Ctrl-C, then run again with -e sky_disruption=force"
)
HEADING = "node            state    roles                                configured  health"
ROW = "twalk-worker-0  running  spark_worker,nfs_client,torque_node  yes         spark-worker failed"
UUID = "7d3c1f52-6a0e-4c1b-9b53-0f7e4c1f8a11"
PLAYBOOK = f"""
- hosts: localhost
  gather_facts: false
  tasks:
    - sky.clusters.tell:
        lines:
          - "ready: no: no node exists"
          - "fault: demo-worker-2: its root disk is full"
          - "{PAGES}"
          - "{TUNNEL}"
          - "{HEADING}"
          - "{ROW}"
          - ""
          - "ready: yes"
"""


@pytest.mark.parametrize("line", [PAGES, DRAIN, f"    {NEXT}", "spark: http://10.0.0.4:8080, " + ", ".join(["workers 2 of 2"] * 9)])
def test_prose_is_wrapped_at_blanks_with_an_indent(line: str) -> None:
    first, *rest = fitted(f"  {line}", 80)
    lead = re.match(" *", first)
    assert rest and lead
    assert max(map(len, [first, *rest])) <= 80
    assert all(piece.startswith(f"{lead[0]}  ") for piece in rest)
    assert " ".join(piece.strip() for piece in [first, *rest]) == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        TUNNEL,
        "    look: ssh -F /a/folder/with/a/long/name/that/goes/over/the/edge/of/the/screen/demo.conf -l root demo-worker-0",
        "    | E: " + "a log is shown as it is, " * 5,
        "  ansible-playbook -i /a/folder/with/a/long/name/demo.sky.yml sky.clusters.spark_submit -e sky_application=job.py",
        f"demo-worker-0    here   running  10.0.0.4   {'spark_worker,' * 6}   yes  ok",
        "AllowedIPs = " + ", ".join(f"10.{number}.0.0/16" for number in range(90, 99)),
        f"https://example.org/{'a' * 80}",
    ],
)
def test_commands_logs_single_rows_and_urls_stay_whole(line: str) -> None:
    assert fitted(line, 80) == [line]


def test_a_line_of_a_plan_is_prose() -> None:
    line = "  +   demo-worker-3   create in here (a-flavor-with-a-long-name, an-image-with-a-long-name, and more)"
    assert fitted(line, 80) == ["  +   demo-worker-3   create in here (a-flavor-with-a-long-name,", "    an-image-with-a-long-name, and more)"]


def test_without_a_screen_lines_stay_whole() -> None:
    assert fitted(PAGES, 0) == [PAGES]


@pytest.mark.parametrize(
    ("line", "color"),
    [
        ("ready: no: no node exists", "red"),
        ("fault: demo-worker-2: its root disk is full", "red"),
        ("a run would refuse: pools.worker: no", "red"),
        ("whole: no", "red"),
        ("demo-worker-1 failed (after it was made): no route", "red"),
        ("demo-master-0, demo-worker-9 and demo-worker-10 failed at 'Install Spark' (task 'Continue'): no", "red"),
        ("demo-worker-1 could not be reached by ssh and was skipped: no", "red"),
        ("ready: yes", "green"),
        ("next: fix the cause", None),
        ("Spark is ready: 1 worker(s)", None),
        ("", None),
    ],
)
def test_faults_have_a_colour(line: str, color: str | None) -> None:
    assert color_of(line) == color


def test_the_progress_of_a_node_of_openstack_fits() -> None:
    (line,) = event_lines(Event("demo-worker-10", Stage.MADE, UUID), 12.3, 80)
    assert line == f"demo-worker-10      made          12.3 s  {UUID}"
    assert len(f"  {line}") <= 80
    long = event_lines(Event("a-cluster-of-20-chars-worker-10", Stage.REACHABLE, UUID), 1234.5, 80)
    assert long == ["a-cluster-of-20-chars-worker-10 ssh answers 1234.5 s", f"    {UUID}"]


def command(folder: Path) -> list[str]:
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "ansible.cfg").write_text("")
    return [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml"]


def variables(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR", "AWX_ISOLATED_DATA_DIR")
    }
    return kept | {"ANSIBLE_STDOUT_CALLBACK": "sky.clusters.brief", "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "TERM": "xterm"} | more


def on_a_terminal(folder: Path, **more: str) -> str:
    """What is shown on a terminal, which has 80 columns."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command(folder), cwd=folder, env=variables(**more), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                said += os.read(ours, 65536)
            except OSError:  # nobody holds the other end any more
                break
    os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def test_on_a_terminal_lines_fit_and_faults_stand_out(tmp_path: Path) -> None:
    said = on_a_terminal(tmp_path)
    assert "\x1b[0;31m  ready: no: no node exists\x1b[0m\n" in said
    assert "\x1b[0;31m  fault: demo-worker-2: its root disk is full\x1b[0m\n" in said
    assert "\x1b[0;32m  ready: yes\x1b[0m\n" in said
    assert "\n  see the pages at http://localhost:8080 (cluster) and http://localhost:18080\n    (jobs that ended) through a tunnel:\n" in said
    assert f"\n  {TUNNEL}\n  node " in said
    assert "\n  twalk-worker-0  running  spark_worker,         yes         spark-worker failed\n                           nfs_client,\n" in said
    assert too_wide(said) == []


def test_on_the_terminal_of_ansible_runner_lines_are_whole(tmp_path: Path) -> None:
    assert f"\n  {PAGES}\n" in on_a_terminal(tmp_path, AWX_ISOLATED_DATA_DIR=str(tmp_path))


def test_through_a_pipe_lines_are_whole_and_plain(tmp_path: Path) -> None:
    said = subprocess.run(command(tmp_path), cwd=tmp_path, env=variables(), text=True, capture_output=True, check=True).stdout
    assert "\x1b" not in said
    assert f"\n  {PAGES}\n  {TUNNEL}\n  {HEADING}\n  {ROW}\n\n  ready: yes\n" in said
