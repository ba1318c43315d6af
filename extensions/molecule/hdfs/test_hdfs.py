# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of HDFS: its daemons, what they keep on the volume, and the command for users."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://hdfs_namenode"]
DAEMONS = ["hdfs-namenode", "hdfs-datanode"]


@pytest.mark.parametrize("unit", DAEMONS)
def test_the_daemon_runs_and_will_after_a_start(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    assert host.check_output("systemctl show --property=NRestarts --value %s", unit) == "0"
    assert host.check_output("systemctl show --property=User --value %s", unit) == "hdfs"


@pytest.mark.parametrize("unit", DAEMONS)
def test_the_daemon_is_hardened(host: Host, unit: str) -> None:
    found = float(host.check_output("systemd-analyze security --no-pager %s | tail -n 1", unit).split(": ")[1].split()[0])
    print(f"\nfigure: systemd-analyze security {unit}: {found}")
    assert found <= 2.5


def test_others_reach_it_by_the_private_address_alone(host: Host, variables: dict[str, Any]) -> None:
    """A DataNode serves its page to itself on the loopback too."""
    places = {line.split()[3].rpartition(":")[::2] for line in host.check_output("ss -Hlnt").splitlines()}
    found = {(address.strip("[]").removeprefix("::ffff:"), int(port)) for address, port in places}
    assert {(address, port) for address, port in found if port != 22 and address not in {"127.0.0.1", "::1"}} == {
        (variables["sky_address"], port) for port in (8020, 9864, 9866, 9867, 9870)
    }


def test_what_it_keeps_is_its_own_and_on_the_volume(host: Host) -> None:
    assert host.mount_point("/data/hdfs").exists
    for folder in ("name", "data"):
        kept = host.file(f"/data/hdfs/{folder}")
        assert (kept.user, kept.group, kept.mode) == ("hdfs", "hdfs", 0o700)
    noted = json.loads(host.file("/data/hdfs/.sky/hdfs.json").content_string)
    assert (noted["cluster"], noted["replication"]) == ("mol-hdfs", 1)
    assert noted["cluster_id"].startswith("mol-hdfs-")


def test_it_was_proved(host: Host) -> None:
    assert json.loads(host.file("/var/lib/sky/proof/hdfs.json").content_string)["outcome"] == "success"


def test_a_user_has_a_folder_and_the_command(host: Host) -> None:
    host.check_output("runuser -u sky -- sh -c 'hdfs dfs -put -f /etc/hostname && hdfs dfs -cat hostname | diff - /etc/hostname'")
    refused = host.run("runuser -u sky -- hdfs dfs -rm -r /tmp/../user")
    assert refused.rc != 0
    assert "Permission denied" in refused.stderr
    assert "is HEALTHY" in host.check_output("hdfs fsck /")
