# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster file of a job: of which offer, and with whose keys, if nobody has answered that."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.sky.clusters.plugins.action.cluster_file import ActionModule
from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import parse
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet
from ansible_collections.sky.clusters.tests.support.clusters import settled
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

ADA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ ada"
BOB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEKbONfsNpfPq0DU93CAp95hYlS0ON7pgNoJNEHlaLJv bob"
ANSWERS = {"workers": ["pools.worker.count"], "owner": ["owner"], "keys": ["ssh_keys"]}
POOLS = {
    "spark": {"master": {"cloud": "one", "count": 1}, "worker": {"cloud": "one", "count": 2}},
    "batch": {"server": {"cloud": "one", "count": 1}, "worker": {"cloud": "one", "count": 2}},
}
Write = Callable[..., dict[str, Any]]


class HostVars(dict[str, dict[str, Any]]):
    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


class Writing(ActionModule):
    def __init__(self, **args: Any) -> None:
        self._task = Task()
        self._task.args = args
        self._loader = DataLoader()


@pytest.fixture
def project(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two offers on one cloud in memory, and an empty inventory. No cluster exists."""
    monkeypatch.setitem(vars(_fleet), "PROVIDERS", {"memory": Provider(MemoryOptions, MemoryCloud)})
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    assert world.calls() == 0
    (tmp_path / "offers").mkdir()
    (tmp_path / "inventory").mkdir()
    for name in POOLS:
        offer(tmp_path, name)
    return tmp_path


def offer(project: Path, name: str, kind: str = "", **file: Any) -> None:
    clouds = {"one": {"provider": "memory", "path": str(project / "world")}}
    content = {"answers": ANSWERS, "file": {"clouds": clouds, "pools": POOLS[kind or name], "ssh_keys": []} | file}
    (project / f"offers/{name}.yml").write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture
def write(project: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """What the task returns for the answers of a job."""

    def written(answers: dict[str, Any], hostvars: dict[str, Any] | None = None, **args: Any) -> dict[str, Any]:
        line = {"args": (str(project / "up.yml"),), "extra_vars": (json.dumps({f"answer_{name}": value for name, value in answers.items()}),)}
        monkeypatch.setattr(context, "CLIARGS", ImmutableDict(line))
        monkeypatch.delattr(load_extra_vars, "extra_vars", raising=False)  # Ansible reads them once in a process
        return Writing(**args).run(None, {"ansible_inventory_sources": [str(project / "inventory")], "hostvars": HostVars(hostvars or {})})

    return written


def refused(write: Write, answers: dict[str, Any]) -> str:
    """The sentence with which answers are refused."""
    with pytest.raises(AnsibleActionFail) as caught:
        write(answers)
    return str(caught.value.message)


def file_of(project: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((project / "inventory/answers.sky.yml").read_text(encoding="utf-8")))


def build(project: Path, world: World, kind: str, owner: str = "tester") -> None:
    """A cluster that an earlier job made."""
    content = yaml.safe_load((project / f"offers/{kind}.yml").read_text(encoding="utf-8"))["file"]
    settled(world, parse(content | {"cluster": "demo", "owner": owner}, {"memory": MemoryOptions}))
    for name in world.names():
        world.set_node(name, ready="a hash")


# --- the offer


@pytest.mark.parametrize("kind", ["spark", "batch"])
def test_the_kind_of_a_cluster_that_exists_need_not_be_answered(project: Path, world: World, write: Write, kind: str) -> None:
    build(project, world, kind)
    assert write({"name": "demo", "offer": ""})["offer"] == kind
    assert set(file_of(project)["pools"]) == set(POOLS[kind])


def test_the_kind_of_a_new_cluster_is_required(project: Path, write: Write) -> None:
    assert refused(write, {"name": "demo"}) == "answer_offer: is required for a new cluster; known: batch, spark"
    assert not list((project / "inventory").iterdir())
    assert write({"name": "demo", "offer": "batch"})["offer"] == "batch"


def test_a_wrong_kind_is_named_with_the_right_one(project: Path, world: World, write: Write) -> None:
    """Without that, the run would say that pools are not in the file, and offer to delete them."""
    build(project, world, "batch")
    sentence = "answer_offer: cluster demo has the pools server, worker, and is not of kind spark; set answer_offer: batch"
    assert refused(write, {"name": "demo", "offer": "spark", "workers": 5}) == sentence


def test_offers_with_the_same_pools_need_the_answer(project: Path, world: World, write: Write) -> None:
    offer(project, "small", "spark")
    build(project, world, "spark")
    assert refused(write, {"name": "demo"}) == "answer_offer: is required: the offers small and spark have all pools of the cluster"
    assert write({"name": "demo", "offer": "small"})["offer"] == "small"


def test_the_cluster_of_somebody_else_is_left_to_the_run_to_refuse(project: Path, world: World, write: Write) -> None:
    build(project, world, "batch", owner="ada")
    assert write({"name": "demo", "owner": "bob"})["offer"] == "batch"
    assert write({"name": "demo", "owner": "bob", "offer": "spark"})["offer"] == "spark"


def test_an_unknown_kind_is_refused(write: Write) -> None:
    assert refused(write, {"name": "demo", "offer": "sparc"}) == "answer_offer: unknown offer 'sparc'; did you mean 'spark'?"


# --- the keys


def knows(*keys: str) -> dict[str, Any]:
    """The host variables of a node with these lines in its file of authorised keys."""
    content = "\n".join(["# Written by sky.clusters", *keys, ""])
    return {"sky_authorised": {"content": base64.b64encode(content.encode()).decode()}}


def test_nodes_are_asked_for_keys_if_nobody_has_answered_them(project: Path, world: World, write: Write) -> None:
    assert write({"name": "demo", "offer": "spark"})["asked"] == []  # there is none
    build(project, world, "spark")
    world.set_node("demo-master-0", ready="")
    assert write({"name": "demo", "offer": "spark"})["asked"] == ["demo-worker-0", "demo-worker-1"]
    assert write({"name": "demo", "offer": "spark", "keys": ADA})["asked"] == []


def test_a_cluster_keeps_its_keys(project: Path, world: World, write: Write) -> None:
    """In their order: another would make each node one to be visited."""
    offer(project, "spark", ssh_keys=[BOB])  # a lasting key, added to the offer after the cluster was made
    build(project, world, "spark")
    asked = write({"name": "demo", "offer": "spark"})["asked"]
    hostvars = {"demo-master-0": {"sky_authorised": {"unreachable": True}}, "demo-worker-0": knows(ADA, 'command="x" y', ADA)}
    write({"name": "demo", "offer": "spark"}, hostvars, asked=["demo-lost-0", *asked])
    assert file_of(project)["ssh_keys"] == [ADA, BOB]
    write({"name": "demo", "offer": "spark"})
    write({"name": "demo", "offer": "spark"}, {"demo-worker-0": knows(BOB, ADA)}, asked=asked)
    assert file_of(project)["ssh_keys"] == [BOB, ADA]


def test_without_an_answer_of_a_node_it_is_said_that_keys_are_not_known(
    project: Path, world: World, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    build(project, world, "spark")
    write({"name": "demo", "offer": "spark"})
    before = file_of(project)
    write({"name": "demo", "offer": "spark"}, {"demo-master-0": {}}, asked=["demo-master-0"])
    assert file_of(project) == before
    assert "demo-master-0: no answer, so the keys that users log in with are not known" in " ".join(capsys.readouterr().err.split())
