# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of YARN: its daemons, what they leave open, and the command for users."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://yarn_resourcemanager"]
DAEMONS = ["yarn-resourcemanager", "yarn-history", "yarn-nodemanager"]
SHUFFLE = 13562  # to which Hadoop gives no address


@pytest.mark.parametrize("unit", DAEMONS)
def test_the_daemon_runs_and_will_after_a_start(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled
    assert host.check_output("systemctl show --property=NRestarts --value %s", unit) == "0"
    assert host.check_output("systemctl show --property=User --value %s", unit) == "yarn"


def test_others_reach_it_by_the_private_address_alone(host: Host, variables: dict[str, Any]) -> None:
    own = [line for line in host.check_output("ss -Hlntp").splitlines() if '"java"' in line]
    places = {line.split()[3].rpartition(":")[::2] for line in own}
    found = {(address.strip("[]").removeprefix("::ffff:"), int(port)) for address, port in places}
    assert (variables["sky_address"], 8032) in found
    assert {address for address, port in found if port != SHUFFLE} <= {variables["sky_address"], "127.0.0.1", "::1"}


def test_what_it_keeps_is_its_own(host: Host) -> None:
    kept = host.file("/var/lib/yarn")
    assert (kept.user, kept.group) == ("yarn", "yarn")
    listed = host.check_output("hdfs dfs -ls -d /system/yarn /var/mapreduce/done")
    assert [line.split()[0] for line in listed.splitlines()] == ["drwx------", "drwxr-x---"]


def test_it_was_proved(host: Host) -> None:
    assert json.loads(host.file("/var/lib/sky/proof/yarn.json").content_string)["outcome"] == "success"


def test_a_user_has_the_command(host: Host) -> None:
    assert "Total number of applications" in host.check_output("runuser -u sky -- yarn application -list -appStates ALL 2>&1")
    refused = host.run("runuser -u sky -- yarn rmadmin -refreshNodes || exit 1")  # 255 would be ssh's own
    assert refused.rc != 0
    assert "Access" in refused.stderr + refused.stdout
