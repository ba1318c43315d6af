# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A system is added to a copy of the collection, by its own files and its lines in the tables, and runs beside Spark on real nodes.

So does a role of another collection, after both. The nodes have Debian 13.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.site import Played, Site, lasting
from ansible_collections.sky.clusters.tests.support.spark import JAVA, spark

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE = "tsys"
SUITE = "trixie"
COUNTER = tree.ROOT / "tests/systems/counter"
JUPYTER = tree.ROOT / "tests/systems/jupyter"
WORKERS = ["tsys-worker-0", "tsys-worker-1"]


def insert(path: Path, before: str, after: str) -> None:
    """Change a table as somebody would who adds a system."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, (path, before)
    path.write_text(text.replace(before, after), encoding="utf-8")


def with_counter(folder: Path) -> Path:
    """A folder of collections: this one with the counter, and the other one."""
    collection = tree.copy_tree(folder / "ansible_collections/sky/clusters")
    shutil.copytree(COUNTER, collection, dirs_exist_ok=True)
    table = collection / "plugins/module_utils/_systems/_table.py"
    insert(table, "from ._spark import SPARK\n", "from ._counter import COUNTER\nfrom ._spark import SPARK\n")
    insert(table, ")}\nROLES", ", COUNTER)}\nROLES")
    play = "- name: The counter\n  ansible.builtin.import_playbook: systems/counter.yml\n\n"
    insert(collection / "playbooks/cluster.yml", "- name: Roles of other collections\n", f"{play}- name: Roles of other collections\n")
    shutil.copytree(JUPYTER, folder / "ansible_collections/acme/tools")
    return folder


def content() -> dict[str, Any]:
    """One node with both heads, and workers of both systems."""
    made = spark(ZONE, 2, suite=SUITE)
    made["pools"]["master"]["roles"].append("counter_server")
    made["pools"]["worker"]["roles"].append("counter_member")
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("systems")
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(with_counter(folder)), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(f"spark_java_version: {JAVA[SUITE]}\n", encoding="utf-8")
    with lasting(folder, ZONE, content(), alone) as site:
        yield site


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster")


def counted(site: Site) -> dict[str, int]:
    """How many units each member has done."""
    shown = site.must("status").output
    return {name: int(units) for name, units in re.findall(r'"([0-9.]+)": ([0-9]+)', shown)}


def test_both_systems_are_set_up_and_proved(site: Site, built: Played) -> None:
    assert site.ssh("tsys-master-0", "cat /etc/debian_version").startswith("13")
    assert "Spark is ready: 2 worker(s)" in built.output
    assert "The counter counts at http://" in built.output
    assert len(counted(site)) == 2
    assert sum(counted(site).values()) == 20
    status = site.must("status").output
    assert re.search(r"^  spark: http://\S+, 2 member\(s\), 0 busy, ", status, re.MULTILINE), status
    assert re.search(r"^  counter: http://\S+, 2 member\(s\), 0 busy, counted 20", status, re.MULTILINE), status
    assert "ready: yes" in status


def test_a_second_run_changes_nothing(site: Site, built: Played) -> None:  # noqa: ARG001  # after it
    assert set(site.must("cluster").changed.values()) == {0}


def test_a_role_of_another_collection_is_applied_last_and_by_its_own_variables(site: Site) -> None:
    site.content["pools"]["worker"]["roles"].append("acme.tools.jupyter")
    played = site.must("cluster")
    assert {name: site.ssh(name, "cat /etc/jupyter").strip() for name in WORKERS} == dict.fromkeys(WORKERS, "port 8888")
    assert played.output.rindex("sky.clusters.counter_member :") < played.output.index("acme.tools.jupyter :")
    assert set(site.must("cluster").changed.values()) == {0}
    (site.folder / "group_vars/acme_tools_jupyter.yml").write_text("jupyter_port: 9999\n")
    status = site.must("status").output
    assert all(f"    ~ tsys-worker-{index}  configure: " in status for index in (0, 1))
    site.must("cluster")
    assert site.ssh("tsys-worker-1", "cat /etc/jupyter").strip() == "port 9999"


def test_a_leaving_node_is_drained_for_all_its_roles_the_last_first(site: Site) -> None:
    site.content["pools"]["worker"]["count"] = 1
    played = site.must("cluster")
    drains = [
        played.output.index(f"TASK [{task}") for task in ("acme.tools.jupyter :", "sky.clusters.counter_member :", "sky.clusters.spark_worker :")
    ]
    assert drains == sorted(drains)
    assert site.hosts("counter_member") == ["tsys-worker-0"]
    assert len(site.must("status", "-e", "sky_status_file=status.json").output) > 0
    assert "counter: " in site.must("status").output


def test_a_role_that_is_not_installed_is_a_fault_of_the_file(site: Site) -> None:
    site.content["pools"]["worker"]["roles"][-1] = "acme.tools.absent"
    played = site.play("cluster")
    assert played.code != 0
    assert "pools.worker.roles[2]: role acme.tools.absent is not installed on the controller" in played.output
    site.content["pools"]["worker"]["roles"].pop()
