# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many copies of a file HDFS keeps, for its NameNode and in the last lines of a run; and what they say of an object store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ansible.template
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

ROOT = Path(__file__).parents[3]
HEAD = "demo-master-0"
RUN = {
    "inventory_hostname": HEAD,
    "sky_address": "10.0.0.4",
    "groups": {"hdfs_datanode": [HEAD], "spark_worker": [HEAD]},
    "hostvars": {
        "localhost": {
            "sky_nodes": {"members": [HEAD]},
            "sky_ssh": {"logins": {HEAD: {"ssh": "ssh", "node": "demo"}}},
            "sky_findings": {"systems": {}},
        }
    },
}


def rendered(text: str, variables: dict[str, Any]) -> Any:
    trusted = getattr(ansible.template, "trust_as_template", str)(text)  # which ansible-core 2.18 does not have
    return ansible.template.Templar(loader=DataLoader(), variables=variables).template(trusted)


def lines(system: str, until: str, **variables: Any) -> list[str]:
    """The first of a system's last lines."""
    text = (ROOT / f"playbooks/templates/{system}_next_steps.j2").read_text(encoding="utf-8").partition(until)[0]
    return str(rendered(text, RUN | variables)).splitlines()


def test_the_namenode_waits_for_hdfs_replication_and_is_not_restarted_when_datanodes_are_added() -> None:
    properties = yaml.safe_load((ROOT / "roles/hdfs_namenode/vars/main.yml").read_text(encoding="utf-8"))["__hdfs_namenode_properties"]
    heads = [{"copies": 1, "failed": False}, {"copies": 2, "failed": False}, {"failed": True}]
    assert [int(rendered(properties["dfs.replication"], {"hdfs_client_head": head, "hdfs_replication": 2})) for head in heads] == [2, 2, 2]


def test_the_last_lines_say_how_many_copies_are_kept() -> None:
    said = "files are kept in 1 copy (hdfs_replication 3, 1 DataNode(s))"
    assert said in lines("hdfs", "use it on", hdfs_client_head={"copies": 1})
    assert said not in lines("hdfs", "use it on", hdfs_client_head={"failed": True})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"s3a_endpoint": "https://rgw:7443"}, True),
        ({"s3a_endpoint": "https://rgw:7443", "s3a_bucket": "lab"}, False),
        ({}, False),
    ],
)
def test_the_last_lines_say_that_an_object_store_without_a_bucket_is_not_proved(given: dict[str, str], said: bool) -> None:
    assert ("the object store is not proved: s3a_bucket is not set" in lines("spark", "submit an application", **given)) == said
