# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HDFS that the files of this folder begin with: three DataNodes, files in two copies, and the NameNode's metadata on two volumes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.hdfs import USER, files, hdfs, healthy, page, put
from ansible_collections.sky.clusters.tests.support.site import Site, lasting

COPIES = 2
CONTENT = {f"/user/sky/{name}": os.urandom(mib << 20) for name, mib in (("small", 1), ("large", 150))}  # the second has more than one block
TIGHT = "/tight"  # a folder of the cluster's user
MARK = b"what-nobody-else-may-read"
SECRET = MARK * 4000

Figure = Callable[[str], None]


@contextlib.contextmanager
def store(folder: Path, zone: str) -> Iterator[Site]:
    """The cluster file, and what comes of it; nothing is left of it after the block."""
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(
        json.dumps(
            {
                "hdfs_replication": COPIES,
                "hdfs_datanode_drain_seconds": 240,
                "hdfs_namenode_copies": ["/data/backup"],
                "hdfs_namenode_folders": [{"path": TIGHT, "owner": USER}],
            }
        )
    )
    with lasting(folder, zone, hdfs(zone, 3)) as made:
        yield made


def fill(site: Site) -> None:
    """The files that no fault may change."""
    for path, content in CONTENT.items():
        put(site, path, content, COPIES)
    unchanged(site)
    healthy(page(site))


def unchanged(site: Site) -> None:
    """Every file of the tests has the bytes that were written."""
    for path, content in CONTENT.items():
        found = files(site).call(path, "OPEN")
        assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest(), path
