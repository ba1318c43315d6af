# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nova driver of the compute `fake1`: servers that exist in the API only, thousands of them.

At every claim Zed asks placement for the allocations of EVERY instance of the host, which serves PCI devices and reshapes; a fake host has neither.
"""

from __future__ import annotations

from typing import Any

from nova.scheduler.client import report  # type: ignore[import-not-found]
from nova.virt import fake  # type: ignore[import-not-found]


def _none(_self: Any, _context: Any, _node: str) -> dict[str, Any]:
    return {}


report.SchedulerReportClient.get_allocations_for_provider_tree = _none


class FakeDriver(fake.FakeDriver):  # type: ignore[misc]
    """Nova's own fake driver, otherwise."""
