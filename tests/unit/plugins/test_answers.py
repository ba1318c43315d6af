# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster file from answers: they are data, faults name the answer, and what nobody answers stays as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.plugins.plugin_utils._answers import Offer, filled, given_answers, keep, named, offer_of, with_owner
from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.awx_job import extra_vars

CONTENT: dict[str, Any] = {
    "answers": {
        "workers": ["pools.worker.count"],
        "size": ["pools.worker.flavor"],
        "cloud": ["pools.*.cloud"],
        "owner": ["owner"],
        "overlay": ["overlay"],
        "networks": ["admin_cidrs"],
    },
    "file": {
        "overlay": False,
        "admin_cidrs": ["192.0.2.0/24"],
        "clouds": {"here": {"provider": "lxc"}, "there": {"provider": "lxc", "zone": "b"}},
        "pools": {
            "master": {"cloud": "here", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "here", "count": 2, "roles": ["spark_worker"]},
        },
    },
}
OFFER = offer_of("spark.yml", CONTENT)


def faults_of(answers: dict[str, Any], offer: Offer = OFFER) -> list[str]:
    with pytest.raises(ClusterFileError) as refused:
        parse(filled(offer, answers), option_classes())
    return named(refused.value.faults, offer, answers)


def test_answers_are_put_in_their_places() -> None:
    data = filled(OFFER, {"name": "demo", "workers": 5, "size": "large", "cloud": "there", "owner": "ada"})
    cluster = parse(data, option_classes())
    assert (cluster.name, cluster.settings.owner) == ("demo", "ada")
    assert {name: (pool.cloud, pool.count, pool.flavor) for name, pool in cluster.pools.items()} == {
        "master": ("there", 1, ""),
        "worker": ("there", 5, "large"),
    }
    assert list(data["clouds"]) == ["here", "there"]  # a cluster that was built elsewhere is found
    assert CONTENT["file"]["pools"]["worker"]["count"] == 2


def test_text_becomes_what_it_replaces() -> None:
    data = filled(OFFER, {"name": "demo", "workers": " 3 ", "overlay": "Yes", "networks": "192.0.2.0/25\n\n 198.51.100.0/24\r\n"})
    assert data["pools"]["worker"]["count"] == 3
    assert data["overlay"] is True
    assert data["admin_cidrs"] == ["192.0.2.0/25", "198.51.100.0/24"]
    assert filled(OFFER, {"name": "demo", "networks": '["192.0.2.0/25"]'})["admin_cidrs"] == ["192.0.2.0/25"]


@pytest.mark.parametrize(
    "hostile", ["x\nowner: eve", "'\"", "{{ lookup('pipe', 'id') }}", "!!python/object:os.system", "a: [", "- x", "# x", "\u2028", "*a"]
)
def test_an_answer_is_data(hostile: str) -> None:
    data = filled(OFFER, {"name": hostile, "size": hostile, "owner": hostile, "workers": hostile})
    again = yaml.safe_load(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    assert again == data
    assert (again["cluster"], again["owner"], again["pools"]["worker"]["flavor"]) == (hostile, hostile, hostile)
    assert set(again) == {*CONTENT["file"], "plugin", "cluster", "owner"}


@pytest.mark.parametrize(
    ("answers", "faults"),
    [
        ({"name": "Demo"}, ["answer_name: must be lower-case letters, digits and inner dashes, starting with a letter, got 'Demo'"]),
        ({"name": "demo", "workers": -1}, ["answer_workers: must be 0 or more, got -1"]),
        ({"name": "demo", "workers": "many"}, ["answer_workers: must be a whole number, 0 or more, got 'many'"]),
        ({"name": "demo", "cloud": "hree"}, ["answer_cloud: no cloud 'hree' under clouds; did you mean 'here'?"]),
        ({"name": "demo", "networks": "192.0.2.0"}, ["answer_networks[0]: must be a network such as 192.0.2.0/24, got '192.0.2.0'"]),
        ({"name": "demo", "owner": "e v e"}, ["answer_owner: must be letters, digits and any of . _ @ -, got 'e v e'"]),
        (
            {"worker": 2},
            ["answer_worker: this offer has no such answer; did you mean 'workers'?", "answer_name: is required, the name of the cluster"],
        ),
    ],
)
def test_a_fault_names_the_answer(answers: dict[str, Any], faults: list[str]) -> None:
    assert faults_of(answers) == faults


@pytest.mark.parametrize("nothing", ["", "  ", "null", None])
def test_an_empty_answer_is_none(nothing: str | None) -> None:
    assert given_answers({"answer_workers": nothing, "answer_name": "demo", "sky_counts": "x"}) == {"name": "demo"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], "x.yml: must be a mapping, got []"),
        ({}, "x.yml: file: is required"),
        ({"file": {}, "answer": {}}, "x.yml: answer: unknown key; did you mean 'answers'?"),
        ({"file": {"pools": {}}, "answers": {"workers": ["pools.worker.count"]}}, "x.yml: answers.workers: no pools.worker.count in file"),
    ],
)
def test_a_fault_of_an_offer_names_its_file(content: Any, fault: str) -> None:
    with pytest.raises(ClusterFileError) as refused:
        offer_of("x.yml", content)
    assert refused.value.faults == [fault]


def test_what_nobody_answers_stays_as_the_cluster_has_it() -> None:
    def node(pool: str, index: int, flavor: str) -> Node:
        return Node(f"demo-{pool}-{index}", str(index), Mark("o", "demo", pool, index), State.RUNNING, flavor=flavor)

    nodes = {"here": [node("worker", 0, "small")], "there": [node("master", 0, "medium"), *(node("worker", index, "large") for index in (1, 2, 3))]}
    answers = {"name": "demo", "size": "xlarge"}
    data = filled(OFFER, answers)
    keep(data, OFFER, answers, nodes)
    assert (data["pools"]["worker"]["count"], data["pools"]["worker"]["cloud"]) == (4, "there")
    assert data["pools"]["worker"]["flavor"] == "xlarge"
    assert data["pools"]["master"]["cloud"] == "there"
    new = filled(OFFER, answers)
    keep(new, OFFER, answers, {"here": [], "there": []})
    assert new == filled(OFFER, answers)


# --- as a play ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "given", "owner"),
    [("ada", {}, "ada"), ("ada", {"owner": "team-a"}, "team-a"), ("", {}, None), ("Ada Lovelace+1", {}, "Ada-Lovelace-1")],
)
def test_a_cluster_belongs_to_the_user_who_asks_for_it(user: str, given: dict[str, Any], owner: str | None) -> None:
    offer = offer_of("x.yml", CONTENT)
    assert with_owner(given, offer, user).get("owner") == owner
    assert filled(offer, with_owner(given | {"name": "demo"}, offer, user)).get("owner") == owner


def test_an_offer_may_leave_the_owner_to_the_credentials() -> None:
    offer = offer_of("x.yml", CONTENT | {"answers": {"workers": ["pools.worker.count"]}})
    assert with_owner({}, offer, "ada") == {}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as AWX has it, with an offer on the cloud in memory, and an empty inventory."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    (tmp_path / "offers").mkdir()
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts").write_text("", encoding="utf-8")
    file = {"clouds": {"one": {"provider": "memory", "path": str(tmp_path / "world")}}, "pools": {"box": {"cloud": "one", "count": 2}}}
    answers = {"workers": ["pools.box.count"], "owner": ["owner"], "ssh_keys": ["ssh_keys"]}
    offer = {"file": file | {"ssh_keys": []}, "answers": answers}
    (tmp_path / "offers/bare.yml").write_text(yaml.safe_dump(offer), encoding="utf-8")
    plays = [{"import_playbook": "sky.clusters.answers"}, {"import_playbook": "sky.clusters.provision"}]
    (tmp_path / "up.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    return tmp_path


def play(project: Path, answers: dict[str, Any], *more: str, **environment: str) -> tuple[int, str]:
    own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PRIVATE_KEY_FILE": str(project / "key"), "ANSIBLE_HOME": str(project / "home")} | environment
    program = str(tree.ROOT / "tests/support/play_in_memory.py")
    (project / "extravars").write_text(extra_vars(answers), encoding="utf-8")
    command = [sys.executable, program, "-i", str(project / "inventory"), "-e", f"@{project}/extravars", "up.yml", *more]
    done = subprocess.run(command, cwd=project, env=os.environ | own, text=True, capture_output=True, check=False, timeout=90)
    return done.returncode, done.stdout + done.stderr


def test_the_file_is_the_inventory_of_the_plays_that_follow(project: Path) -> None:
    code, said = play(project, {"answer_name": "demo", "answer_workers": ""}, "--check", "--diff")
    assert code == 0, said
    assert re.search(r"\+ demo-box-1 +create in one", said), said
    assert "demo-box-2" not in said
    assert (project / "inventory/answers.sky.yml").stat().st_mode & 0o777 == 0o600


def test_variables_beside_the_playbook_are_those_of_the_roles(project: Path) -> None:
    """Ansible reads those beside the playbook that a play is in, and all plays are in imported ones."""
    (project / "group_vars").mkdir()
    (project / "group_vars/all.yml").write_text("node_hardning: strict\n", encoding="utf-8")
    code, said = play(project, {"answer_name": "demo"}, "--check")
    assert code == 2
    assert "node_hardning (group all): no such variable; did you mean 'node_hardening'?" in said
    (project / "group_vars/all.yml").unlink()
    code, said = play(project, {"answer_name": "demo"}, "--check")
    assert code == 0, said  # what the earlier run wrote is gone


def test_a_fault_is_the_failure_of_the_first_task(project: Path) -> None:
    code, said = play(project, {"answer_name": "demo\nowner: eve", "answer_workers": "-1"})
    assert code == 2
    assert "answer_name: must be lower-case letters" in said
    assert "answer_workers: must be 0 or more, got -1" in said
    assert "PLAY [Check the cluster file]" not in said
    assert not (project / "inventory/answers.sky.yml").exists()


def test_in_a_job_the_file_has_the_user_and_the_keys_that_the_job_needs(project: Path) -> None:
    place = f"/tmp/sky-agent-{os.getpid()}"
    public = (project / "key.pub").read_text(encoding="ascii").strip()
    other = public.rsplit(" ", 1)[0][:-4] + "AAAA"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        while not Path(place).exists():
            pass
        environment = {"SSH_AUTH_SOCK": place}
        subprocess.run(["ssh-add", "-q", str(project / "key")], env=os.environ | environment, check=True)
        answers = {"answer_name": "demo", "answer_ssh_keys": f"{other} ada\r\n", "awx_job_id": 7, "awx_user_name": "ada"}
        code, said = play(project, answers, "--check", **environment)
    finally:
        agent.terminate()
        agent.wait(10)
    assert code == 0, said
    written = yaml.safe_load((project / "inventory/answers.sky.yml").read_text(encoding="utf-8"))
    assert written["owner"] == "ada"
    assert [line.split()[1] for line in written["ssh_keys"]] == [other.split()[1], public.split()[1]]
