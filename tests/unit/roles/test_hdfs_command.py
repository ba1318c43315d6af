# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `hdfs` of a node that has Spark's client of files, and no software of HDFS; as this machine, which has neither."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import tree

COMMAND = tree.ROOT / "roles/hdfs_client/files/hdfs"
CORE = "<configuration>\n  <property><name>fs.defaultFS</name><value>hdfs://{}:8020</value></property>\n</configuration>\n"
HERE = "here only 'hdfs dfs' works"

pytestmark = pytest.mark.skipif(Path("/opt/hadoop/jars").exists(), reason="this machine has HDFS")


def said(folder: Path, *words: str) -> tuple[int, str]:
    own = os.environ | {"HADOOP_CONF_DIR": str(folder)}
    done = subprocess.run(["sh", str(COMMAND), *words], capture_output=True, text=True, env=own, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["balancer", "dfsadmin", "fsck", "oiv"])
@pytest.mark.parametrize("address", ["10.0.0.4", "[fd00::4]"])
def test_what_spark_has_not_names_the_node_that_has_it(tmp_path: Path, command: str, address: str) -> None:
    (tmp_path / "core-site.xml").write_text(CORE.format(address))
    assert said(tmp_path, command, "/") == (1, f"hdfs {command}: run it on a node of HDFS, such as that of the NameNode, {address}; {HERE}\n")


def test_a_node_without_any_hdfs_names_none(tmp_path: Path) -> None:
    (tmp_path / "core-site.xml").write_text("<configuration>\n</configuration>\n")
    assert said(tmp_path, "fsck", "/") == (1, f"hdfs fsck: run it on a node of HDFS; {HERE}\n")


def test_other_words_are_no_command(tmp_path: Path) -> None:
    assert said(tmp_path, "namenode", "-format")[0] == 2
