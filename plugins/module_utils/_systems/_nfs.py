# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared folders: one server whose homes and software every client sees."""

from __future__ import annotations

from ._system import Role, System, always, never

SERVER, CLIENT = "nfs_server", "nfs_client"

NFS = System(
    name="nfs",
    title="NFS",
    head=SERVER,
    roles={
        SERVER: Role(
            steps=("nfs_server",),
            variables=("nfs_", "node_user"),
            drains=True,
            disposable=never,
            services=("sky-nfs-software", "sky-nfs-engine"),
        ),
        CLIENT: Role(
            steps=("nfs_client",),
            variables=("nfs_", "node_user"),
            drains=True,
            disposable=always,
            services=("sky-share-software", "sky-share-all"),
        ),
    },
)
