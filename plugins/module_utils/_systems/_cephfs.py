# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CephFS: a folder of a Ceph that lives elsewhere, mounted on every node with the role. No node of the cluster is its head."""

from __future__ import annotations

from collections.abc import Mapping

from ._checks import between, matching
from ._system import Check, Role, System, always

MOUNTED = "cephfs"


CHECKS: Mapping[str, Check] = {
    "cephfs_client": matching(r"(?!client\.)[\w.-]+", "the name of a client without 'client.', such as lab"),
    "cephfs_export": matching(
        r"""[0-9A-Za-z.:\[\],-]*[0-9A-Za-z\]]:/[^\s"\\%]*""", "monitors and a folder, such as 10.0.0.5:6789,10.0.0.6:6789:/volumes/lab/data"
    ),
    "cephfs_key": matching(r"[A-Za-z0-9+/]{38,}={0,2}", "the key of a client, which has 40 characters and ends with =", secret=True),
    "cephfs_mode": matching(r"[0-7]{3,4}", 'a mode in quotes, such as "1777"'),
    "cephfs_mount": matching(r"(/[\w.-]+)+", "an absolute path without spaces, such as /shared"),
    "cephfs_cloud": matching(r"[a-z][a-z0-9]*", "the name of a cloud of the file, such as campus"),
    "cephfs_wait": between(1, 3600),  # 0 would be no limit to systemd
    "cephfs_name": matching(r"[\w.-]+", "the name of a file system, such as cephfs"),
}

CEPHFS = System(
    name="cephfs",
    title="CephFS",
    head="",
    roles={
        MOUNTED: Role(
            steps=("cephfs",),
            variables=("cephfs_", "node_user"),
            drains=True,
            disposable=always,
            services=("sky-cephfs",),
            shares=("cephfs_mount",),
            required=("cephfs_export", "cephfs_client", "cephfs_key"),
            source="cephfs_share",
        )
    },
    checks=CHECKS,
    needs={"cephfs_cloud": ("cephfs_share",)},
)
