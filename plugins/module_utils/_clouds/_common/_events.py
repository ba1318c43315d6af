# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on one node or volume as an event of the contract."""

from __future__ import annotations

from collections.abc import Callable

from .._contract import CloudError, Event, Unavailable


def event_of(name: str, work: Callable[[], Event]) -> Event:
    """The event that work on a node or volume gives, or its failure if the cloud refuses.

    Raises:
        Unavailable: the cloud did not answer.
    """
    try:
        return work()
    except Unavailable:
        raise
    except CloudError as error:
        return Event.failure(name, error)
