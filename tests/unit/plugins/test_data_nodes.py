# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node copies files from and to a place that jobs use."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.plugins.loader import lookup_loader

from ansible_collections.sky.clusters.plugins.plugin_utils._data_nodes import Holder, data_node

BATCH, DATA, MASTER, NAMENODE = "demo-batch-0", "demo-data-0", "demo-master-0", "demo-name-0"
ALL = {
    BATCH: Holder(("torque_server",), (), is_head=True),
    DATA: Holder(("hdfs_datanode",), ("/data/hdfs", "/data/sets")),
    MASTER: Holder(("cephfs", "spark_master"), ("/shared",), is_head=True),
    NAMENODE: Holder(("hdfs_namenode",), ("/data/hdfs",), is_head=True),
}


def without(*names: str) -> dict[str, Holder]:
    return {name: node for name, node in ALL.items() if name not in names}


@pytest.mark.parametrize(
    ("url", "nodes", "wanted"),
    [
        ("hdfs:///in/", ALL, NAMENODE),
        ("hdfs://10.0.0.4:8020/in/", without(NAMENODE), MASTER),  # the HDFS of another cluster
        ("hdfs:///in/", without(NAMENODE, MASTER), ""),
        ("s3a://lab/in/", ALL, MASTER),
        ("s3a://lab/in/", without(MASTER), ""),
        ("file:///shared/in/", ALL, MASTER),
        ("file:///shared", ALL, MASTER),
        ("file:///data/sets/in.csv", ALL, DATA),
        ("file:///data/hdfs/in.csv", ALL, NAMENODE),  # a head before others
        ("file:///sharedby/all", ALL, BATCH),
        ("file:///tmp/in.csv", ALL, BATCH),
        ("file:///tmp/in.csv", {DATA: ALL[DATA]}, DATA),  # a cluster without a head
        ("data.csv", ALL, BATCH),  # which the copy refuses
        ("file:///tmp/in.csv", {}, ""),
    ],
)
def test_the_node_of_a_url(url: str, nodes: dict[str, Holder], wanted: str) -> None:
    assert data_node(url, nodes) == wanted


class HostVars(dict[str, dict[str, Any]]):
    """The variables of hosts, none of which is a template."""

    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


def test_it_runs_and_has_what_its_variables_say() -> None:
    node = {"sky_state": "running", "sky_roles": ["cephfs"], "sky_volumes": [{"mount": "/data/sets"}]}
    hostvars = HostVars({"localhost": {}, "a": node, "b": node | {"cephfs_mount": "/lab"}, "c": node | {"sky_state": "stopped"}})
    known = {"hostvars": hostvars, "groups": {"all": list(hostvars), "sky_heads": ["b"]}}
    urls = ["file:///data/sets/x", "file:///shared/x", "file:///lab/x", "hdfs:///x"]
    assert lookup_loader.get("sky.clusters.data_node").run(urls, known) == ["b", "a", "b"]
