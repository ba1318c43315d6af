# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of bare nodes on this machine: what needs no Spark is shown by these, whose runs take seconds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.tests.support.site import STATE, Site


def bare(zone: str, cluster: str, count: int, cloud: dict[str, Any] | None = None, **pool: Any) -> dict[str, Any]:
    """A cluster file with one pool, ``box``, of small nodes without a role.

    Args:
        cloud: options of the cloud beside its zone and its flavor.
        pool: options of the pool beside its count.
    """
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": cluster,
        "clouds": {"here": {"provider": "lxc", "zone": zone, "flavors": {"tiny": {"cores": 1, "memory": 512}}, "flavor": "tiny", **(cloud or {})}},
        "pools": {"box": {"cloud": "here", "count": count, **pool}},
    }


def boxes(cluster: str, *indices: int) -> list[str]:
    """The names of these nodes of the pool ``box``."""
    return [f"{cluster}-box-{index}" for index in indices]


def ids(site: Site) -> dict[str, str]:
    """The id of each node: another one means another machine."""
    return {name: variables["sky_id"] for name, variables in site.inventory()["_meta"]["hostvars"].items()}


def folders(zone: str) -> list[str]:
    """What has a folder among the zone's nodes, whoever's it is, and what a killed program left half made or half removed."""
    return sorted(path.name for path in nodes_folder(zone).iterdir())


def containers(zone: str) -> list[str]:
    """The containers of a zone that LXC has in hand, one name for each of its monitors."""
    said = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return sorted(re.findall(rf"^\[lxc monitor\] {nodes_folder(zone)} (\S+)", said, re.MULTILINE))


def nodes_folder(zone: str) -> Path:
    return STATE / zone / "nodes"


def is_whole(site: Site, zone: str, names: list[str]) -> None:
    """These nodes are in the inventory and on the machine, each once, and no others; and there is nothing left to do."""
    again = site.must("cluster")
    assert set(again.changed.values()) == {0}, again.output
    assert "all nodes match the cluster file" in again.output, again.output
    assert (site.hosts("pool_box"), folders(zone), containers(zone)) == (names, names, names)
