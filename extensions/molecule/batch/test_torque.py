# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles torque, torque_server, torque_node and torque_proof: units, secrets, ports, and trust between nodes."""

from __future__ import annotations

import json

import pytest
import testinfra
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.batch.support import refused_by_ssh
from ansible_collections.sky.clusters.extensions.molecule.hardening import exposed
from ansible_collections.sky.clusters.extensions.molecule.spark.support import listeners

testinfra_hosts = ["ansible://torque_server"]


def test_the_server_runs(host: Host) -> None:
    assert host.service("slurmctld").is_running
    assert host.service("munge").is_running


def test_units_are_kept_in_a_sandbox_while_a_job_runs(host: Host, pytestconfig: pytest.Config) -> None:
    node = testinfra.get_host("ansible://mol-batch-node-0", ansible_inventory=pytestconfig.option.ansible_inventory)
    job = host.check_output("runuser -l ada -c 'echo sleep 600 | qsub'")
    state = f"for _ in $(seq 60); do qselect -s R | grep -q {job} && break; sleep 0.5; done; qselect -s R"
    assert job in host.check_output(state).split()
    assert [*exposed(host), *exposed(node)] == []
    assert job in host.check_output("qselect -s R").split()
    host.check_output("runuser -l ada -c 'qdel %s'", job)


def test_the_secret_is_on_the_volume_for_root_alone(host: Host) -> None:
    kept = host.file("/data/torque/.munge.key")
    assert (kept.user, kept.mode) == ("root", 0o600)
    used = host.file("/etc/munge/munge.key")
    assert (used.user, used.mode, used.content) == ("munge", 0o400, kept.content)


def test_the_server_alone_listens_beside_ssh(host: Host) -> None:
    assert {port for _address, port in listeners(host)} == {22, 2049, 6817}


def test_health_sees_whether_the_homes_are_served(host: Host) -> None:
    state = "for _ in $(seq 50); do systemctl --quiet is-active sky-nfs-engine && break; sleep 0.1; done; systemctl is-active sky-nfs-engine || true"
    assert host.check_output(state) == "active"
    host.check_output("systemctl stop nfs-ganesha")
    assert host.check_output("systemctl is-active sky-nfs-engine || true") == "inactive"
    host.check_output("systemctl start nfs-ganesha")
    assert host.check_output(state) == "active"


def test_the_proof_left_its_stamp_and_nothing_else(host: Host) -> None:
    stamp = json.loads(host.file("/var/lib/sky/proof/torque.json").content_string)
    assert stamp["outcome"] == "success"
    assert stamp["result"]["nodes"] == ["mol-batch-node-0"]
    assert host.check_output("find /home/sky -maxdepth 1 -name '.sky-proof-*'") == ""


def test_users_pass_from_node_to_node_and_root_does_not(host: Host) -> None:
    assert host.check_output("runuser -u ada -- ssh mol-batch-node-0 hostname") == "mol-batch-node-0"
    assert refused_by_ssh(host, "ssh -o BatchMode=yes mol-batch-node-0 hostname")


def test_a_node_that_was_visited_again_still_knows_the_others(host: Host) -> None:
    address = host.check_output("runuser -u ada -- ssh mol-batch-node-0 getent hosts mol-batch-server-0").split()[0]
    assert address in host.check_output("hostname -I").split()


def test_a_job_is_submitted_and_its_output_is_there(host: Host) -> None:
    host.check_output("runuser -l ada -c 'echo hostname | qsub -o out'")
    assert host.check_output("for _ in $(seq 60); do [ -s /home/ada/out ] && break; sleep 0.5; done; cat /home/ada/out") == "mol-batch-node-0"
