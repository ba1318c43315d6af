# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of OpenStack APIs -> the contract's errors."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .._contract import CloudError, Denied, Invalid, Shortage, Unavailable

FULL = re.compile(r"quota|exceed|no more ip|no valid host|not enough|insufficient", re.IGNORECASE)
FORBIDDEN = re.compile(r"policy|disallowed", re.IGNORECASE)
PAUSE = (413, 429, 503)  # with these a cloud may say when to come back


class Missing(CloudError):
    """There is no such object (404)."""


class Conflict(CloudError):
    """The object is not in a state for this, or was changed by somebody else meanwhile (409, 412)."""


class Answer(Protocol):
    """What is needed of an HTTP answer."""

    status_code: int
    headers: Any
    text: str


def check(answer: Answer, call: str) -> None:
    """Raise what an answer means, unless it is a success.

    Args:
        call: names the call in the sentence.

    Raises:
        CloudError: one of the contract's, or of the two above.
    """
    status = answer.status_code
    if status < 400:
        return
    words = _words(answer.text)
    sentence = f"{call}: {words} ({status})" if words else f"{call}: HTTP status {status}"
    if status == 429 or (status >= 500 and status != 501) or (status == 413 and not FULL.search(words)):
        raise Unavailable(sentence, _retry_after(answer) if status in PAUSE else None)
    if status == 401:
        raise Denied(sentence)
    if status in (403, 409, 413) and FULL.search(words) and not FORBIDDEN.search(words):
        raise Shortage(sentence)
    kinds: dict[int, type[CloudError]] = {400: Invalid, 403: Denied, 404: Missing, 409: Conflict, 412: Conflict}
    raise kinds.get(status, CloudError)(sentence)


def _words(text: str) -> str:
    """The cloud's own words: each service wraps them in its own way."""
    try:
        found = json.loads(text)
    except ValueError:
        return " ".join(re.sub(r"<[^>]+>", " ", text).split())[:200]
    while isinstance(found, (dict, list)):
        items: list[Any] = list(found.values()) if isinstance(found, dict) else found
        known = [found[key] for key in ("message", "detail", "faultstring") if isinstance(found, dict) and found.get(key)]
        found = known[0] if known else next((item for item in items if item), "")
    return " ".join(str(found).split())[:400]


def _retry_after(answer: Answer) -> float | None:
    value = str(answer.headers.get("Retry-After") or "")
    return float(value) if re.fullmatch(r"\d{1,6}", value) else None


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Raise the SDK's own errors (no SDK, no connection, no answer, no credentials, no such service) as the contract's."""
    try:
        from keystoneauth1 import exceptions as auth  # who uses no OpenStack needs no SDK
        from openstack import exceptions as sdk
    except ImportError as error:
        raise Invalid(f"{call}: openstacksdk is not installed for {sys.executable} ({error}): install version 4 with pip") from None

    try:
        yield
    except auth.Unauthorized as error:
        raise Denied(f"{call}: {_text(error)}") from None
    except (auth.EndpointNotFound, auth.MissingRequiredOptions, auth.OptionError, sdk.ConfigException) as error:
        raise Invalid(f"{call}: {_text(error)}") from None
    except auth.HttpError as error:  # while it logs in
        if error.http_status == 429 or error.http_status >= 500:
            raise Unavailable(f"{call}: {_text(error)}", float(getattr(error, "retry_after", 0) or 0) or None) from None
        raise (Denied if error.http_status == 403 else CloudError)(f"{call}: {_text(error)}") from None
    except auth.SSLError as error:
        raise Invalid(f"{call}: {_text(error)}") from None
    except (auth.ConnectionError, auth.RetriableConnectionFailure, auth.DiscoveryFailure) as error:
        raise Unavailable(f"{call}: {_text(error)}") from None
    except (auth.ClientException, sdk.SDKException) as error:
        raise CloudError(f"{call}: {_text(error)}") from None
    except OSError as error:  # a file of certificates that is not there
        raise Invalid(f"{call}: {_text(error)}") from None


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
