# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as Ansible itself loads it, on clouds in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.sky.clusters.plugins.module_utils import _fleet
from ansible_collections.sky.clusters.plugins.module_utils._clouds import Provider
from ansible_collections.sky.clusters.plugins.module_utils._cluster import parse
from ansible_collections.sky.clusters.tests.support.clusters import settled
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World


@pytest.fixture
def content(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A cluster of three nodes that exist."""
    monkeypatch.setitem(vars(_fleet), "PROVIDERS", {"memory": Provider(MemoryOptions, MemoryCloud)})
    made = {
        "plugin": "sky.clusters.clouds",
        "cluster": "demo",
        "clouds": {"one": {"provider": "memory", "path": str(tmp_path / "world")}},
        "pools": {
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"], "groups": ["site_batch"], "volumes": {"spark": 3}},
        },
    }
    settled(world, parse(made, {"memory": MemoryOptions}))
    return made


def inventory(tmp_path: Path, content: dict[str, Any]) -> InventoryManager:
    path = tmp_path / "demo.sky.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return InventoryManager(loader=DataLoader(), sources=[str(path)])


def names(read: InventoryManager, pattern: str) -> list[str]:
    return sorted(host.name for host in read.get_hosts(pattern))


def test_nodes_are_hosts_in_the_groups_of_their_pool_cloud_and_roles(tmp_path: Path, content: dict[str, Any]) -> None:
    read = inventory(tmp_path, content)
    workers = ["demo-worker-0", "demo-worker-1"]
    assert names(read, "spark_master") == ["demo-master-0"]
    assert {group: names(read, group) for group in ("pool_worker", "spark_worker", "site_batch")} == dict.fromkeys(
        ("pool_worker", "spark_worker", "site_batch"), workers
    )
    assert names(read, "cloud_one") == ["demo-master-0", *workers]


def test_variables_are_plain_and_few(tmp_path: Path, content: dict[str, Any]) -> None:
    host = inventory(tmp_path, content).get_host("demo-worker-1")
    variables = json.loads(json.dumps(host.vars, default=str))
    assert variables["sky_index"] == 1
    assert variables["sky_roles"] == ["spark_worker"]
    assert variables["sky_leave_roles"] == ["spark_worker"]
    assert variables["sky_volumes"][0]["mount"] == "/data/spark"
    assert len(variables["sky_volumes"][0]["label"]) == 12
    assert len(json.dumps(variables)) < 2000


def test_the_file_stands_on_all_as_it_is(tmp_path: Path, content: dict[str, Any]) -> None:
    shown = inventory(tmp_path, content | {"timeouts": {"booted": 7}}).groups["all"].vars
    assert shown["sky_cluster"] == "demo"
    assert shown["sky_pools"] == content["pools"]
    assert shown["sky_settings"] == {"timeouts": {"booted": 7}}
    assert not [name for name in shown if name.startswith("ansible_")]


def test_a_node_that_does_not_run_is_in_no_group_that_is_visited(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    world.set_node("demo-worker-1", state="stopped")
    read = inventory(tmp_path, content)
    assert names(read, "sky_booting") == ["demo-worker-1"]
    assert names(read, "spark_worker") == ["demo-worker-0"]


def test_composed_variables_and_groups_are_those_of_any_inventory(tmp_path: Path, content: dict[str, Any]) -> None:
    more = {
        "compose": {"site_rack": "'r' ~ (sky_index // 1)"},
        "keyed_groups": [{"key": "sky_pool", "prefix": "p"}],
        "groups": {"first": "sky_index == 0"},
        "strict": True,
    }
    read = inventory(tmp_path, content | more)
    assert read.get_host("demo-worker-1").vars["site_rack"] == "r1"
    assert names(read, "p_worker") == ["demo-worker-0", "demo-worker-1"]
    assert names(read, "first") == ["demo-master-0", "demo-worker-0"]


def test_a_cached_inventory_asks_no_cloud(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    cached = content | {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = names(inventory(tmp_path, cached), "all")
    before = world.calls("listing")
    assert names(inventory(tmp_path, cached), "all") == first
    assert world.calls("listing") == before


def test_braces_in_a_clouds_answer_are_text(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    world.set_node("demo-worker-0", ready="{{ 1 + 1 }}")
    assert str(inventory(tmp_path, content).get_host("demo-worker-0").vars["sky_ready"]) == "{{ 1 + 1 }}"


def test_a_second_cluster_in_one_inventory_is_refused_by_name(tmp_path: Path, content: dict[str, Any]) -> None:
    first, second = tmp_path / "demo.sky.yml", tmp_path / "other.sky.yml"
    first.write_text(yaml.safe_dump(content), encoding="utf-8")
    second.write_text(yaml.safe_dump(content | {"cluster": "other"}), encoding="utf-8")
    read = InventoryManager(loader=DataLoader(), sources=[str(first), str(second)])
    assert read.groups["all"].vars["sky_cluster"] == "demo"
    assert len(names(read, "all")) == 3
