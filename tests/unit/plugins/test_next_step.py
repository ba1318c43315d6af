# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run fit where they are read: at a prompt, or in AWX."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar

from ansible_collections.sky.clusters.plugins.action.inventory_check import NO_FILE
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Login
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway, ssh_options
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import portable, user, worded

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ"
LOGIN = Login(("/root/.ansible/sky/a b.pub",), "/root/.ansible/sky")


def node(name: str, address: str, *, public: bool) -> Node:
    return Node(name, name, Mark("o", "demo", "p", 0), State.RUNNING, (Address(address, public=public),), host_keys=(KEY,))


FRONT, INNER = node("front", "192.0.2.7", public=True), node("inner", "10.0.0.7", public=False)
OPTIONS = " ".join([*ssh_options(INNER, LOGIN), Gateway(FRONT, "debian", LOGIN).proxy_option()])
AT_A_PROMPT = {"ansible_inventory_sources": ["/my files/demo.sky.yml"]}


def line(step: str, known: dict[str, Any], **options: str) -> str:
    lookup = lookup_loader.get("sky.clusters.next_step", DataLoader(), Templar(DataLoader()))
    (said,) = lookup.run([step], known, **options)
    return str(said)


SUBMIT = {"variable": "sky_application", "value": "job.py"}


def test_at_a_prompt_they_are_commands() -> None:
    said = line("spark_submit", AT_A_PROMPT, **SUBMIT)
    assert said == "ansible-playbook -i '/my files/demo.sky.yml' sky.clusters.spark_submit -e sky_application=job.py"
    assert line("status", AT_A_PROMPT) == "ansible-playbook -i '/my files/demo.sky.yml' sky.clusters.status"
    assert "cluster file" in line("grow", AT_A_PROMPT)


@pytest.mark.parametrize("name", ["awx_job_id", "tower_job_id"])
def test_in_awx_there_is_no_command_line_and_no_cluster_file(name: str) -> None:
    known = AT_A_PROMPT | {name: 12}
    assert line("spark_submit", known, **SUBMIT) == "start the template of sky.clusters.spark_submit with sky_application: job.py"
    assert "file" not in line("grow", known)
    assert "ansible-playbook" not in line("status", known)


def test_a_login_from_elsewhere_checks_the_host_keys_and_names_no_file_of_the_controller() -> None:
    said = portable(OPTIONS)
    assert "/root" not in said
    assert "Identit" not in said
    assert "-F" not in said
    words = shlex.split(said)
    assert f"KnownHostsCommand=/bin/echo %H {KEY}" in words
    (proxy,) = (word for word in words if word.startswith("ProxyCommand="))
    inner = shlex.split(proxy.removeprefix("ProxyCommand="))
    assert inner[-1] == "debian@192.0.2.7"
    assert inner[inner.index("-W") + 1] == "[%h]:%p"
    assert f"KnownHostsCommand=/bin/echo %%H {KEY}" in inner


@pytest.mark.parametrize(
    ("said", "in_a_job"),
    [
        ("to follow it again: a playbook with -e sky_submission=12", "to follow it again: a playbook with sky_submission: 12"),
        ("replace the node (-e sky_replace=drift)", "replace the node (sky_replace: drift)"),
        ("run with -e sky_replace again: a", "run with sky_replace again: a"),
        ("job 1 is queued and keeps running if you stop this command", "job 1 is queued and keeps running if this job is cancelled"),
        ("next: fix the cause, then run the same command again", "next: fix the cause, then start the template again"),
        ("to cut it short: Ctrl-C, then run again", "to cut it short: cancel the job, then run again"),
        ("put 'owner: ada' in the cluster file", "put 'owner: ada' in the cluster file"),
        (NO_FILE, "no cluster file in the inventory: choose an inventory whose source is a cluster file"),
        ("cat -e file", "cat -e file"),
    ],
)
def test_a_job_is_told_of_variables_and_not_of_options(said: str, in_a_job: str) -> None:
    assert worded(said, {}) == said
    assert worded(said, {"awx_job_id": 12}) == in_a_job


def test_where_answers_make_the_file_they_say_whose_cluster_it_is() -> None:
    said = "to manage it together, put 'owner: ada' in the cluster file; for a cluster of your own, choose another name"
    known = {"awx_job_id": 12, "answer_name": "demo"}
    assert worded(said, known) == "to manage it together, set answer_owner: ada; for a cluster of your own, choose another name"


def test_the_user_of_a_job() -> None:
    assert user({"awx_user_name": "ada", "tower_user_name": "bob"}) == "ada"
    assert user({"tower_user_name": "bob"}) == "bob"
    assert user({"awx_schedule_name": "nightly"}) == ""
