# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the test cloud is: folders, names, addresses."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = Path("/var/lib/sky-clusters-openstack")  # of the cloud that runs; the folder itself is the lock of whoever builds, starts or stops
CONFIG = STATE / "clouds.yaml"
CONTAINER = "sky-openstack"
TABLE = "sky_openstack"

# Named as the bridges of the local cloud are: it leaves forwarding on as long as there is one, and its public nodes and the hosts of this cloud
# reach each other under their own addresses.
API_BRIDGE = "sky-openstack0"
API_NETWORK = "10.76.0.0/24"
MACHINE = "10.76.0.1"
API = "10.76.0.2"

OUTSIDE_BRIDGE = "sky-openstackx"  # the external network of the cloud: floating addresses, and the outer side of routers
OUTSIDE_NETWORK = "10.76.128.0/18"
OUTSIDE_GATEWAY = "10.76.128.1"
OUTSIDE_POOL = ("10.76.129.1", "10.76.190.254")

PRIVATE_NETWORK = "10.76.64.0/22"  # of each project its own

# Paths in the cloud that no other cloud of this kind has on this machine: loop devices are known by them.
INSIDE = "/var/lib/sky-openstack"


def cache() -> Path:
    """Where what takes long to build is kept; the user's choice by SKY_CACHE."""
    chosen = os.environ.get("SKY_CACHE", "")
    return (Path(chosen) if chosen else Path.home() / ".cache/sky-clusters") / "openstack"
