# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role spark_worker."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.hardening import exposure
from ansible_collections.sky.clusters.extensions.molecule.spark.support import listeners, page

testinfra_hosts = ["ansible://spark_worker"]
SSH = {("0.0.0.0", 22), ("::", 22)}
UNIT = "spark-worker"


def test_the_service_runs_and_will_after_a_start(host: Host) -> None:
    assert host.service(UNIT).is_running
    assert host.service(UNIT).is_enabled
    assert host.check_output("systemctl show --property=NRestarts --value %s", UNIT) == "0"
    assert host.check_output("systemctl show --property=User --value %s", UNIT) == "spark"


def test_the_service_is_hardened(host: Host) -> None:
    found = exposure(host, UNIT)
    print(f"\nfigure: systemd-analyze security {UNIT}: {found}")
    assert found < 2


def test_it_listens_on_the_private_address_alone(host: Host, variables: dict[str, Any]) -> None:
    assert listeners(host) - SSH == {(variables["sky_address"], port) for port in (7078, 8081)}


def test_it_offers_what_the_node_has(host: Host, variables: dict[str, Any]) -> None:
    found = page(variables["sky_address"], 8081)
    assert found["cores"] == int(host.check_output("nproc")) == variables["sky_cores"] == 2
    assert found["memory"] == variables["sky_memory"] - 512


def test_it_can_be_drained(host: Host) -> None:
    assert "-Dspark.decommission.enabled=true" in host.check_output(
        "cat /proc/$(systemctl show --property=MainPID --value %s)/cmdline | tr '\\0' ' '", UNIT
    )


def test_its_folders_are_its_own(host: Host) -> None:
    for name in ("work", "local"):
        folder = host.file(f"/var/lib/spark/{name}")
        assert (folder.user, folder.group, folder.mode) == ("spark", "spark", 0o750)


def test_users_of_the_cluster_have_no_part_in_it(host: Host) -> None:
    assert "spark" not in host.user("sky").groups
    assert not host.file("/etc/spark/spark-defaults.conf").exists
