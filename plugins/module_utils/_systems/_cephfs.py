# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CephFS: a folder of a Ceph that lives elsewhere, mounted on every node with the role. No node of the cluster is its head."""

from __future__ import annotations

from ._system import Role, System, always

MOUNTED = "cephfs"

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
        )
    },
)
