# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as Ansible itself loads it, on clouds in memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible.template
import pytest
import yaml
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader

from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import parse, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_cache import dropped_cache
from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.clusters import settled
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

trusted = getattr(ansible.template, "trust_as_template", str)  # which ansible-core 2.18 does not have


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
    assert len(json.dumps(variables).replace(str(tmp_path), "")) < 2000


def test_the_group_all_has_the_file_unchanged(tmp_path: Path, content: dict[str, Any]) -> None:
    shown = inventory(tmp_path, content | {"timeouts": {"booted": 7}}).groups["all"].vars
    assert shown["sky_cluster"] == "demo"
    assert shown["sky_pools"] == content["pools"]
    assert shown["sky_settings"] == {"timeouts": {"booted": 7}}
    assert not [name for name in shown if name.startswith("ansible_")]


def test_what_the_file_switches_off_reaches_the_modules(tmp_path: Path, content: dict[str, Any]) -> None:
    """Else they would make an overlay for a cluster on several clouds whose file says that it has none."""
    group = inventory(tmp_path, content | {"overlay": False, "firewall": [{"ports": [80]}]}).groups["all"]
    assert group.vars["sky_settings"] == {"overlay": False, "firewall": [{"ports": [80]}]}


@pytest.mark.parametrize("empty", [{"firewall": []}, {"overlay": {}}, {"names": {}}, {"admin_cidrs": []}, {"timeouts": {}}])
def test_what_the_file_leaves_empty_means_the_same_to_the_modules(tmp_path: Path, content: dict[str, Any], empty: dict[str, Any]) -> None:
    """A firewall without further rules is a firewall: the nodes would be ready without it."""
    group = inventory(tmp_path, content | empty).groups["all"]
    parts = {key.removeprefix("sky_"): value for key, value in group.vars.items()}
    assert parts["settings"] == empty
    assert parse_parts(parts, {"memory": MemoryOptions}) == parse(content | empty, {"memory": MemoryOptions})


def test_a_node_has_its_address_in_the_overlay(tmp_path: Path, content: dict[str, Any]) -> None:
    host = inventory(tmp_path, content | {"overlay": True}).get_host("demo-worker-1")
    assert host.vars["sky_address"] == f"10.99.0.{host.vars['sky_number']}"
    assert host.vars["sky_cloud_address"] != host.vars["sky_address"]
    assert host.vars["sky_network"]["overlay"]["port"] == 51820
    assert names(inventory(tmp_path, content | {"overlay": True}), "sky_heads") == ["demo-master-0"]


def test_a_stopped_node_is_in_no_visited_group(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
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


def test_a_cached_inventory_lists_no_cloud(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    cached = content | {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = names(inventory(tmp_path, cached), "all")
    before = world.calls("listing")
    assert names(inventory(tmp_path, cached), "all") == first
    assert world.calls("listing") == before


RUN = [
    "{{ 1 + 1 }}",
    "{% if true %}2{% endif %}",
    "n{# a comment #}1",
    "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ 1 + 1 ]]",
    "{ 1 + 1 }}",  # with a brace before it
    "lookup('ansible.builtin.pipe', 'id')",  # of which a `when` of braces makes a condition
    "'id' | password_hash",
]


def listed(tmp_path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The variables of the hosts, as C(ansible-inventory --list) prints them."""
    (tmp_path / "demo.sky.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    program = [sys.executable, "-W", "ignore", str(tree.ROOT / "tests/support/list_in_memory.py")]
    command = [*program, "-i", str(tmp_path / "demo.sky.yml"), "--list"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=True, timeout=90)
    return dict(json.loads(done.stdout)["_meta"]["hostvars"])


def marked(value: Any) -> list[str]:
    """The texts that Ansible's JSON shows as a mapping, since they must not be run as a template."""
    if isinstance(value, dict) and set(value) == {"__ansible_unsafe"}:
        return [value["__ansible_unsafe"]]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in marked(item)]


def test_ansible_inventory_shows_plain_strings(tmp_path: Path, content: dict[str, Any]) -> None:
    shown = listed(tmp_path, content)
    assert sorted(shown) == ["demo-master-0", "demo-worker-0", "demo-worker-1"]
    assert marked(shown) == []
    for host in shown.values():
        assert host["ansible_host"] == host["sky_address"]
        assert (host["sky_cluster"], host["sky_pools"], host["sky_clouds"]) == ("demo", content["pools"], content["clouds"])


def test_ansible_inventory_shows_what_could_be_run_as_unsafe(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    content["pools"]["worker"] |= {"count": len(RUN), "extra": {"note": RUN[:1], "other": "-o Path=%(directory)s/%h"}}
    settled(world, parse(content, {"memory": MemoryOptions}))
    for index, text in enumerate(RUN):
        world.set_node(f"demo-worker-{index}", ready=text)
    shown = listed(tmp_path, content)
    assert {name: marked(host["sky_ready"]) for name, host in shown.items()} == {
        "demo-master-0": [],
        **{f"demo-worker-{index}": [text] for index, text in enumerate(RUN)},
    }
    extra = {"note": [{"__ansible_unsafe": RUN[0]}], "other": "-o Path=%(directory)s/%h"}
    assert [host["sky_pools"]["worker"]["extra"] for host in shown.values()] == [extra] * (1 + len(RUN))


@pytest.mark.parametrize("text", RUN)
def test_what_could_be_run_in_a_clouds_answer_is_text(world: World, tmp_path: Path, content: dict[str, Any], text: str) -> None:
    world.set_node("demo-worker-0", ready=text)
    variables = inventory(tmp_path, content).get_host("demo-worker-0").vars
    templar = ansible.template.Templar(DataLoader(), variables)
    assert templar.template(variables["sky_ready"]) == text
    assert templar.template(trusted("{{ sky_ready }}")) == text
    assert templar.template(trusted("{{ '{' ~ sky_ready }}")) == "{" + text


def test_a_cached_list_is_marked_and_dropped_on_demand(world: World, tmp_path: Path, content: dict[str, Any]) -> None:
    cached = content | {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    assert "sky_cached" not in inventory(tmp_path, cached).groups["all"].vars
    second = inventory(tmp_path, cached)
    assert second.groups["all"].vars["sky_cached"] is True
    before = world.calls("listing")
    second.refresh_inventory()
    assert world.calls("listing") == before + 1
    assert "sky_cached" not in second.groups["all"].vars
    with dropped_cache([str(tmp_path / "demo.sky.yml")], DataLoader()):
        assert "sky_cached" not in inventory(tmp_path, cached).groups["all"].vars  # and fills it again
    assert "sky_cached" not in inventory(tmp_path, cached).groups["all"].vars


def test_a_cache_for_other_keys_is_not_used(tmp_path: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cached = content | {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    inventory(tmp_path, cached)
    for written in (tmp_path / "cache").iterdir():
        written.write_text("[]", encoding="ascii")  # as versions before this one kept it
    assert "sky_cached" not in inventory(tmp_path, cached).groups["all"].vars
    monkeypatch.setenv("ANSIBLE_HOME", f"/tmp/sky-test-{os.getpid()}")
    assert "sky_cached" not in inventory(tmp_path, cached).groups["all"].vars
    shutil.rmtree(f"/tmp/sky-test-{os.getpid()}")


def test_a_second_cluster_in_one_inventory_is_refused_by_name(tmp_path: Path, content: dict[str, Any]) -> None:
    """By somebody's program, which sees Ansible's warnings."""
    first, second = tmp_path / "demo.sky.yml", tmp_path / "other.sky.yml"
    first.write_text(yaml.safe_dump(content), encoding="utf-8")
    second.write_text(yaml.safe_dump(content | {"cluster": "other"}), encoding="utf-8")
    read = InventoryManager(loader=DataLoader(), sources=[str(first), str(second)])
    assert read.groups["all"].vars["sky_cluster"] == "demo"
    assert len(names(read, "all")) == 3


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., InventoryManager]:
    """Reads an inventory as Ansible's programs do."""

    def read(*sources: Path) -> InventoryManager:
        given = [str(source) for source in sources]
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict(inventory=given))
        return InventoryManager(loader=DataLoader(), sources=given)

    return read


SECOND = {
    "another.sky.yml": "plugin: sky.clusters.clouds\ncluster: other\nclouds: {}\npools: {}\n",
    "broken.sky.yml": "pools: [\n",
    "misspelt.sky.yaml": "plugin: sky.cluster.clouds\ncluster: other\n",
    "empty.sky.yml": "",
    "any.yml": "plugin: sky.clusters.clouds\npools: [\n",
}


@pytest.mark.parametrize("name", SECOND)
def test_a_second_cluster_file_ends_ansible_s_programs(
    tmp_path: Path, content: dict[str, Any], program: Callable[..., InventoryManager], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, folder = tmp_path / "demo.sky.yml", tmp_path / "more"
    first.write_text(yaml.safe_dump(content), encoding="utf-8")
    folder.mkdir()
    (folder / name).write_text(SECOND[name], encoding="utf-8")
    for sources in ([first, folder], [first, folder / name], [folder / name, first]):
        with pytest.raises(SystemExit) as ended:
            program(*sources)
        assert ended.value.code == 4
    assert "the inventory contains another cluster file" in capsys.readouterr().err


def test_other_files_are_no_error(tmp_path: Path, content: dict[str, Any], program: Callable[..., InventoryManager]) -> None:
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    path = folder / "demo.sky.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    others = {
        "site.yml": "all: {hosts: {printer: {}}}\n",
        "broken.yml": "a: [\n",
        "group_vars/all.sky.yml": "plugin: sky.clusters.clouds\n",
        "old.sky.yml.bak": "plugin: sky.clusters.clouds\n",
    }
    for name, text in others.items():
        (folder / name).write_text(text, encoding="utf-8")
    read = program(folder, path)  # the same file, named twice
    assert names(read, "all") == ["demo-master-0", "demo-worker-0", "demo-worker-1", "printer"]


def test_an_invalid_file_ends_the_programs_with_all_faults(
    tmp_path: Path, content: dict[str, Any], program: Callable[..., InventoryManager], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demo.sky.yml"
    path.write_text(yaml.safe_dump(content) + "pools:\n  worker: {cloud: one, cuont: 1}\ncluster: demo\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        program(path)
    said = capsys.readouterr().err
    for fault in ("'pools' is a duplicate key (lines", "'cluster' is a duplicate key", "pools.worker.cuont: unknown key; did you mean 'count'?"):
        assert said.count(fault) == 1


def test_a_bug_of_the_plugin_ends_the_programs_too(
    tmp_path: Path, content: dict[str, Any], program: Callable[..., InventoryManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo.sky.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setitem(vars(_fleet), "PROVIDERS", {"memory": Provider(MemoryOptions, dict)})  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        program(path)
