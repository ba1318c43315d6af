# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role spark_master: the master, the history server, and what users submit jobs with."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.hardening import exposure
from ansible_collections.sky.clusters.extensions.molecule.spark.support import listeners, page

testinfra_hosts = ["ansible://spark_master"]
SSH = {("0.0.0.0", 22), ("::", 22)}


@pytest.mark.parametrize("unit", ["spark-master", "spark-history-server"])
def test_the_service_runs_and_will_after_a_start(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    assert host.check_output("systemctl show --property=NRestarts --value %s", unit) == "0"
    assert host.check_output("systemctl show --property=User --value %s", unit) == "spark"


@pytest.mark.parametrize("unit", ["spark-master", "spark-history-server"])
def test_the_service_is_hardened(host: Host, unit: str) -> None:
    found = exposure(host, unit)
    print(f"\nfigure: systemd-analyze security {unit}: {found}")
    assert found < 2


def test_it_listens_on_the_private_address_alone(host: Host, variables: dict[str, Any]) -> None:
    assert listeners(host) - SSH == {(variables["sky_address"], port) for port in (7077, 8080, 18080)}


def test_nobody_can_submit_over_http(variables: dict[str, Any]) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((variables["sky_address"], 6066), 5)


def test_it_has_both_workers_with_all_their_cores(variables: dict[str, Any]) -> None:
    found = page(variables["sky_address"], 8080)
    assert found["status"] == "ALIVE"
    workers = {worker["host"]: (worker["state"], worker["cores"], worker["memory"]) for worker in found["workers"]}
    assert set(workers.values()) == {("ALIVE", 2, 1536)}
    assert len(workers) == 2


def test_the_clusters_secret_is_roots_and_on_the_volume(host: Host) -> None:
    secret = host.file("/data/spark/.sky/spark")
    assert (secret.user, secret.mode, secret.size) == ("root", 0o600, 65)
    assert (host.file("/data/spark/.sky").user, host.file("/data/spark/.sky").mode) == ("root", 0o700)
    assert host.mount_point("/data/spark").exists


def test_its_data_is_on_the_volume(host: Host) -> None:
    events, recovery = host.file("/data/spark/events"), host.file("/data/spark/recovery")
    assert (events.user, events.group, events.mode) == ("spark", "spark", 0o3770)
    assert (recovery.user, recovery.mode) == ("spark", 0o700)


def test_users_settings_are_for_users_alone(host: Host) -> None:
    defaults = host.file("/etc/spark/spark-defaults.conf")
    assert (defaults.user, defaults.group, defaults.mode) == ("root", "spark", 0o640)
    assert host.run("runuser -u nobody -- cat /etc/spark/spark-defaults.conf").rc != 0
    assert host.run("runuser -u sky -- cat /etc/spark/spark-defaults.conf").rc == 0
    assert "spark" in host.user("sky").groups


def test_spark_submit_is_on_every_path(host: Host) -> None:
    assert (
        host.check_output("runuser -u sky -- env -i PATH=/usr/local/bin:/usr/bin:/bin sh -c 'command -v spark-submit'")
        == "/usr/local/bin/spark-submit"
    )
    assert host.check_output("runuser -l sky -c 'command -v pyspark'") == "/opt/spark/bin/pyspark"
