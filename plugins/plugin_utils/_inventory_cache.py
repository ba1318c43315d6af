# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop the cached inventory of a cluster while its nodes change, even if the run fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.loader import inventory_loader

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN
from ansible_collections.sky.clusters.plugins.plugin_utils._cluster_files import cluster_files


@contextlib.contextmanager
def dropped_cache(sources: Iterable[str], loader: Any) -> Iterator[None]:
    """Drop it before and after the block, since another process may list the nodes in between.

    Args:
        sources: the sources of the inventory.
    """
    files = cluster_files(sources, loader)
    _drop(files, loader)
    try:
        yield
    finally:
        _drop(files, loader)


def _drop(files: Iterable[Any], loader: Any) -> None:
    for path in files:
        with contextlib.suppress(AnsibleError):  # the cache of a file that cannot be read any more is not used
            inventory_loader.get(PLUGIN).forget(loader, str(path))
