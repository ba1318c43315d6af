# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud ``openstack``: nodes are servers of one project of an OpenStack cloud.

Called through openstacksdk's session (authentication, catalog, microversions, clouds.yaml and OS_* as it reads them) and the plain JSON of the
APIs: a list of a thousand servers is then a thousand small dictionaries, and each call is one call. What belongs to a cluster has its mark from
the creating call on: servers and volumes in their metadata, networks, routers, ports, groups and addresses in their description.
"""

from __future__ import annotations

from ._options import OpenStackOptions
from ._provider import OpenStackCloud

__all__ = ["OpenStackCloud", "OpenStackOptions"]
