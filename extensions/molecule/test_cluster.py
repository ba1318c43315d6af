# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run in every scenario: molecule takes a scenario without tests, and Ansible a play without hosts, for a success."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import testinfra
import yaml
from testinfra.utils.ansible_runner import AnsibleRunner

from ansible_collections.sky.clusters.extensions.molecule.hardening import exposed

FOLDER = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])


def test_every_node_of_the_cluster_file_is_there(pytestconfig: pytest.Config) -> None:
    cluster = yaml.safe_load(FOLDER.with_suffix(".sky.yml").read_text())
    hosts = AnsibleRunner.get_runner(pytestconfig.option.ansible_inventory).get_hosts()
    assert hosts == sorted(f"{cluster['cluster']}-{name}-{index}" for name, pool in cluster["pools"].items() for index in range(pool["count"]))


def test_the_scenario_has_tests_of_its_own(request: pytest.FixtureRequest) -> None:
    assert {item.path.parent for item in request.session.items} >= {FOLDER}


def test_units_are_kept_in_a_sandbox(pytestconfig: pytest.Config) -> None:
    inventory = pytestconfig.option.ansible_inventory
    names = AnsibleRunner.get_runner(inventory).get_hosts()
    assert [wrong for name in names for wrong in exposed(testinfra.get_host(f"ansible://{name}", ansible_inventory=inventory))] == []
