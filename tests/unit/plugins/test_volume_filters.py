# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the data and the secret of a system are: on its volume, if the node has it."""

from __future__ import annotations

from ansible_collections.sky.clusters.plugins.filter.secret_file import secret_file
from ansible_collections.sky.clusters.plugins.filter.volume_mount import volume_mount

VOLUMES = [{"name": "logs", "mount": "/srv/logs"}, {"name": "spark", "mount": "/data/spark"}]


def test_the_data_is_on_the_volume_of_that_name() -> None:
    assert volume_mount(VOLUMES, "spark", "/var/lib/spark") == "/data/spark"
    assert volume_mount(VOLUMES, "hdfs", "/var/lib/hdfs") == "/var/lib/hdfs"


def test_the_secret_is_on_the_volume_of_the_system() -> None:
    assert secret_file(VOLUMES, "spark") == "/data/spark/.sky/spark"
    assert secret_file([], "spark") == "/var/lib/sky/secrets/spark"
