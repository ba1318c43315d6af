# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the services -> those of the contract."""

from __future__ import annotations

import re

from .._contract import CloudError, Denied, Invalid, Shortage, Unavailable

AUTHENTICATION, AUTHORIZATION, NO_EXISTS, ACTION, API, INTERNAL = 256, 512, 1024, 2048, 4096, 8192
QUOTA = re.compile(r"quota exceeded")
BUSY = re.compile(r"Auth request timeout|User \[\d+\] not authorized to perform action on", re.IGNORECASE)  # the helper of oned failed
NO_ADDRESS = re.compile(r"Could not get virtual network")
REFUSED = re.compile(r"Parse error|restricted attribute|disk image")
TAKEN = re.compile(r"already taken")


class Missing(CloudError):
    """There is no such object."""


class Conflict(CloudError):
    """The object is not in a state for this, or its name is taken."""


def refused(call: str, message: str, code: int) -> CloudError:
    """What `[false, message, code]` means."""
    sentence = f"{call}: {' '.join(message.split()) or 'no reason was given'} ({code})"
    if code == AUTHENTICATION:
        return Denied(sentence)
    if code == AUTHORIZATION:
        return Shortage(sentence) if QUOTA.search(message) else Unavailable(sentence) if BUSY.search(message) else Denied(sentence)
    if code == INTERNAL:
        return _internal(message)(sentence)
    kinds: dict[int, type[CloudError]] = {NO_EXISTS: Missing, ACTION: Conflict, API: Invalid}
    return kinds.get(code, CloudError)(sentence)


def _internal(message: str) -> type[CloudError]:
    kinds: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = ((NO_ADDRESS, Shortage), (TAKEN, Conflict), (REFUSED, Invalid))
    return next((kind for pattern, kind in kinds if pattern.search(message)), CloudError)


def of_status(call: str, status: int, words: str, retry_after: float | None = None, realm: str = "") -> CloudError:
    """What a status of HTTP means."""
    sentence = f"{call}: {words} ({status})" if words else f"{call}: HTTP status {status}"
    if status == 401:
        return Denied(f"{call}: the service does not accept the credentials ({status} Unauthorized{f', {realm}' if realm else ''})")
    if status == 429 or (status >= 500 and status not in (500, 501)):
        return Unavailable(sentence, retry_after)
    if status == 500:
        return Unavailable(sentence)
    kinds: dict[int, type[CloudError]] = {400: Invalid, 403: Denied, 404: Missing, 409: Conflict}
    return kinds.get(status, CloudError)(sentence)
