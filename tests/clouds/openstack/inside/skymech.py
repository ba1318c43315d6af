# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neutron ML2 mechanism driver `sky`: binds the ports of hosts named fake* without any agent, ACTIVE at once."""

from __future__ import annotations

from typing import Any

from neutron_lib import constants  # type: ignore[import-not-found]
from neutron_lib.plugins.ml2 import api  # type: ignore[import-not-found]


class Driver(api.MechanismDriver):  # type: ignore[misc]
    def initialize(self) -> None:
        pass

    def bind_port(self, context: Any) -> None:
        if (context.host or "").startswith("fake"):
            segment = context.segments_to_bind[0]
            context.set_binding(segment[api.ID], "bridge", {"port_filter": True}, status=constants.PORT_STATUS_ACTIVE)
