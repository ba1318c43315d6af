# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles s3a and cephfs: who can read their keys, and what the cluster's user and a job do with both."""

from __future__ import annotations

from pathlib import Path

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://spark_master"]
TEXT = "/usr/share/common-licenses/GPL-3"
BUCKET = "s3a://molecule"
APPLICATION = Path(__file__).with_name("words.py")


def test_the_folder_is_mounted_and_will_be_after_a_start(host: Host) -> None:
    unit = host.service("sky-cephfs")
    assert unit.is_running
    assert unit.is_enabled
    shared = host.mount_point("/shared")
    assert shared.exists
    assert {"nosuid", "nodev"} <= set(shared.options)


@pytest.mark.parametrize(
    ("path", "group", "mode"),
    [("/etc/sky/cephfs.key", "root", 0o600), ("/etc/spark/s3a-keys", "root", 0o600), ("/etc/spark/s3a.jceks", "spark", 0o640)],
)
def test_keys_are_for_few(host: Host, path: str, group: str, mode: int) -> None:
    file = host.file(path)
    assert (file.user, file.group, file.mode) == ("root", group, mode)
    assert host.run("runuser -u nobody -- cat %s", path).rc != 0


def test_the_user_shares_files(host: Host) -> None:
    host.check_output("runuser -u sky -- sh -c 'cp %s /shared/words.txt && sync /shared/words.txt && diff %s /shared/words.txt'", TEXT, TEXT)


def test_the_user_writes_and_reads_objects(host: Host) -> None:
    host.check_output(f"runuser -u sky -- sh -c 'hdfs dfs -put -f {TEXT} {BUCKET}/words.txt && hdfs dfs -cat {BUCKET}/words.txt | diff - {TEXT}'")


def test_a_job_reads_shared_files_and_writes_objects(host: Host) -> None:
    host.check_output(f"cat > /home/sky/words.py << 'EOF'\n{APPLICATION.read_text()}\nEOF")
    said = host.check_output(f"runuser -u sky -- spark-submit /home/sky/words.py file:///shared/words.txt {BUCKET}/counted")
    assert said.splitlines()[-1] == f"words {len(host.file(TEXT).content_string.split())}"
