# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run name the proof of each system: this run's, an earlier one with its time, or why there is none yet."""

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

RESULTS: dict[str, dict[str, Any]] = {
    "spark": {"pi": 3.1416, "words": 25644, "executors": ["a", "b"], "seconds": 11.0},
    "torque": {"mpi": True, "nodes": ["a", "b"], "seconds": 11.0},
    "hdfs": {"mib": 4, "datanodes": ["a", "b"], "seconds": 11.0},
    "yarn": {"words": 25644, "maps": 2, "seconds": 11.0},
}
ENDED = "2026-11-21T04:21:00Z"
CASES = {
    "now": ({"changed": True}, {}),
    "unchanged": ({"changed": False}, {"outcome": "success", "ended": ENDED}),
    "earlier": (None, {"outcome": "success", "ended": ENDED}),
    "postponed": ({"changed": False, "postponed": "no node has room"}, {}),
    "none": (None, {}),
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The lines of each system in each case."""
    folder = tmp_path_factory.mktemp("steps")
    tasks = [task for system in RESULTS for case in CASES for task in rendered(system, case, folder)]
    tasks += [task for reader in ("sky", "ada") for task in rendered("spark", "none", folder, spark_notebook=True, spark_notebook_user=reader)]
    play = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml"]
    own = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_JINJA2_NATIVE": "true",
    }
    done = subprocess.run(command, cwd=folder, env=os.environ | own, text=True, capture_output=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-*")}


def rendered(system: str, case: str, folder: Path, **more: Any) -> list[dict[str, Any]]:
    """The facts of a run in that case, and the template with them.

    Args:
        more: further facts, which stay for what is rendered later.
    """
    outcome, before = CASES[case]
    result = {"result": RESULTS[system]}
    made = outcome | ({} if "postponed" in outcome else result) if outcome else {}
    facts = {
        "sky_nodes": {"members": []},
        "sky_ssh": {"logins": {"localhost": {"ssh": "ssh -F demo.conf", "node": "demo"}}},
        "sky_findings": {"systems": {system: {"proof": before | (result if before else {})}}},
        "sky_address": "10.0.0.4",
        f"{system}_proof_outcome": made,
    } | more
    template = str(tree.ROOT / f"playbooks/templates/{system}_next_steps.j2")
    content = "{{ lookup('ansible.builtin.template', template) | to_json }}"
    return [
        {"ansible.builtin.set_fact": facts},
        {
            "ansible.builtin.copy": {"content": content, "dest": str(folder / "-".join([system, case, *map(str, more.values())]))},
            "vars": {"template": template},
        },
    ]


@pytest.mark.parametrize("system", RESULTS)
def test_the_proof_is_named(shown: dict[str, str], system: str) -> None:
    said = {case: [line for line in shown[f"{system}-{case}"].splitlines() if "proved by" in line] for case in CASES}
    assert {case: len(lines) for case, lines in said.items()} == dict.fromkeys(CASES, 1) | {"none": 0}
    assert said["now"][0].endswith(", 11.0 s") and " at " not in said["now"][0].partition(":")[0]
    assert " at 2026-11-21 04:21 UTC: " in said["earlier"][0]
    assert said["unchanged"] == said["earlier"]
    assert said["earlier"][0].replace(" at 2026-11-21 04:21 UTC", "") == said["now"][0]
    assert said["postponed"][0].startswith("not proved by ") and said["postponed"][0].endswith(" yet: no node has room")


@pytest.mark.parametrize(("reader", "login"), [("sky", "ssh -F demo.conf"), ("ada", "ssh -F demo.conf -l ada")])
def test_a_notebook_is_opened_as_the_user_who_may_read_its_token(shown: dict[str, str], reader: str, login: str) -> None:
    said = shown[f"spark-none-True-{reader}"]
    assert f"\n  {login} -N -L 8888:localhost:8888 demo\n  {login} demo cat /var/lib/spark-notebook/token\n" in said
    assert "notebooks" not in shown["spark-none"]
