# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the data and the secret of a system are: on its volume, if the node has it; and whom the other volumes belong to."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.filter.secret_file import secret_file
from ansible_collections.sky.clusters.plugins.filter.volume_mount import volume_mount
from ansible_collections.sky.clusters.plugins.filter.volume_owners import volume_owners

VOLUMES = [{"name": "logs", "mount": "/srv/logs"}, {"name": "spark", "mount": "/data/spark"}]


def test_the_data_is_on_the_volume_of_that_name() -> None:
    assert volume_mount(VOLUMES, "spark", "/var/lib/spark") == "/data/spark"
    assert volume_mount(VOLUMES, "hdfs", "/var/lib/hdfs") == "/var/lib/hdfs"


def test_the_secret_is_on_the_volume_of_the_system() -> None:
    assert secret_file(VOLUMES, "spark") == "/data/spark/.sky/spark"
    assert secret_file([], "spark") == "/var/lib/sky/secrets/spark"


@pytest.mark.parametrize(
    ("roles", "group"),
    [([], "ada"), (["torque_node"], "ada"), (["spark_worker"], "spark"), (["torque_node", "hdfs_datanode", "spark_master"], "spark")],
)
def test_a_volume_that_no_role_uses_is_the_clusters_users_and_the_group_of_jobs_may_write_to_it(roles: list[str], group: str) -> None:
    (found,) = volume_owners([{"name": "sets", "mount": "/data/sets"}], roles, "ada")
    assert found == {"name": "sets", "mount": "/data/sets", "owner": "ada", "group": group, "mode": "0775", "if_unused": True}


@pytest.mark.parametrize("name", ["spark", "hdfs", "nfs", "torque"])
def test_a_volume_of_a_system_is_left_to_it(name: str) -> None:
    volume = {"name": name, "mount": f"/data/{name}"}
    assert volume_owners([volume], ["spark_worker"], "ada") == [volume]


@pytest.mark.parametrize("given", [{"owner": "root"}, {"group": "staff"}, {"mode": "0700"}])
def test_what_the_file_says_of_a_volume_counts(given: dict[str, str]) -> None:
    volume = {"name": "sets", "mount": "/data/sets", **given}
    assert volume_owners([volume], ["spark_worker"], "ada") == [volume]


def test_on_a_node_with_a_role_of_another_collection_a_volume_may_be_that_roles() -> None:
    assert volume_owners(VOLUMES[:1], ["spark_worker", "example.db.server"], "ada") == VOLUMES[:1]
