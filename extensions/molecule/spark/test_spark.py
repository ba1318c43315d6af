# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role spark: the distribution, and what all daemons share, on every node."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host

testinfra_hosts = ["ansible://spark_master", "ansible://spark_worker"]
VERSION = "4.3.0"
SETTINGS = "/etc/spark/spark-daemons.conf"


def settings(host: Host) -> dict[str, str]:
    lines = host.file(SETTINGS).content_string.splitlines()
    return dict(line.split(None, 1) for line in lines if " " in line and not line.startswith("#"))


def test_the_distribution_is_whole_and_nobodys_to_change(host: Host) -> None:
    assert host.file("/opt/spark").linked_to == f"/opt/spark-{VERSION}"
    assert len(host.check_output("ls /opt/spark/.sha256-*").split(".sha256-")[1]) == 64
    assert int(host.check_output("ls /opt/spark/jars | wc -l")) > 200
    assert host.check_output("find /opt/spark/ ! -user root -o -perm /022 ! -type l | head") == ""


def test_java_is_the_one_that_was_asked_for(host: Host) -> None:
    assert 'version "17.' in host.run("/usr/lib/jvm/java-17-openjdk-*/bin/java -version").stderr


def test_the_daemons_have_a_user_of_their_own(host: Host) -> None:
    user = host.user("spark")
    assert user.shell == "/usr/sbin/nologin"
    assert user.password in ("!", "*", "!*")


def test_calls_are_authenticated_and_encrypted(host: Host) -> None:
    wanted = {"spark.authenticate": "true", "spark.network.crypto.enabled": "true", "spark.network.crypto.saslFallback": "false"}
    found = settings(host)
    assert {name: found[name] for name in wanted} == wanted
    assert len(found["spark.authenticate.secret"]) == 64


def test_the_secret_is_for_the_daemons_alone(host: Host) -> None:
    secret = settings(host)["spark.authenticate.secret"]
    assert (host.file(SETTINGS).user, host.file(SETTINGS).group, host.file(SETTINGS).mode) == ("root", "spark", 0o640)
    assert host.run("runuser -u nobody -- cat %s", SETTINGS).rc != 0
    readable = host.check_output("grep -rlF %s /etc /opt/spark/ /home /tmp /var/lib /run 2> /dev/null | xargs -r -I{} find {} -perm /007", secret)
    assert readable == ""
    assert secret not in host.check_output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert secret not in host.check_output("journalctl --no-pager --output cat")


def test_only_one_node_keeps_the_archive(host: Host, variables: dict[str, Any]) -> None:
    kept = host.check_output("find /var/cache -maxdepth 1 -name 'sky-spark-*'").split()
    assert kept == ([f"/var/cache/sky-spark-{VERSION}.tgz"] if variables["inventory_hostname"] == "mol-spark-master-0" else [])
    assert host.check_output("find /opt -maxdepth 1 -name '*.new' -o -maxdepth 1 -name '*.old'") == ""
