# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of OpenStack APIs -> the contract's errors."""

from __future__ import annotations

import json
import re
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .._contract import CloudError, Denied, Invalid, Shortage, Unavailable
from ._entry import bare

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


def check(answer: Answer, call: str, login: str = "") -> None:
    """Raise what an answer means, unless it is a success.

    Args:
        call: names the call in the sentence.
        login: who has logged in, and where.

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
        raise Denied(f"{sentence}; logged in as {login}" if login else sentence)
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
def translated(call: str, login: Callable[[], str] = str) -> Iterator[None]:
    """Raise the SDK's own errors (no SDK, no connection, no answer, no credentials, no such service) as the contract's.

    Args:
        call: names the call in the sentence.
        login: says who logs in, and where, once that is known.
    """
    try:
        from keystoneauth1 import exceptions as auth  # who uses no OpenStack needs no SDK
        from openstack import exceptions as sdk
    except ImportError as error:
        raise Invalid(f"{call}: openstacksdk is not installed for {sys.executable} ({error}): install version 4 with pip") from None

    try:
        yield
    except (auth.EndpointNotFound, auth.MissingRequiredOptions, auth.OptionError, sdk.ConfigException) as error:
        raise Invalid(f"{call}: {_text(error)}") from None
    except auth.HttpError as error:  # while it logs in
        raise _of_login(call, login() or "the login", error) from None
    except (auth.SSLError, auth.ConnectionError, auth.RetriableConnectionFailure, auth.DiscoveryFailure) as error:
        raise _unanswered(call, login(), error) from None
    except (auth.ClientException, sdk.SDKException) as error:
        raise CloudError(f"{call}: {_text(error)}") from None
    except OSError as error:  # a file of certificates that is not there
        raise Invalid(f"{call}: {_text(error)}") from None
    except Exception as error:
        if error.__class__ is not Exception:
            raise
        raise Invalid(f"{call}: {_text(error)}") from None  # the SDK's, of a login that lacks something


def _of_login(call: str, login: str, error: Any) -> CloudError:
    """What an identity service means that does not log in."""
    if error.http_status == 401:
        return Denied(f"{call}: the identity service does not accept {login}: {_text(error)}")
    sentence = f"{call}: {login}: {_text(error)}"
    if error.http_status == 429 or error.http_status >= 500:
        return Unavailable(sentence, float(getattr(error, "retry_after", 0) or 0) or None)
    return (Denied if error.http_status == 403 else CloudError)(sentence)


def _unanswered(call: str, login: str, error: Exception) -> CloudError:
    """What a connection means that could not be made, or was lost."""
    causes = list(_causes(error))
    addresses = (getattr(getattr(cause, "request", None), "url", None) for cause in causes)
    address = bare(str(next(filter(None, addresses), "")))
    # the deepest is the system's own, with its number; those of the HTTP libraries wrap it
    own = [cause for cause in causes if isinstance(cause, OSError) and not hasattr(cause, "request")]
    if not own or not address:
        return Unavailable(f"{call}: {f'{login}: ' if login else ''}{_text(error)}")
    if isinstance(own[-1], ssl.SSLCertVerificationError):
        return Invalid(f"{call}: the certificate of {address} cannot be verified ({own[-1].verify_message}): set cacert in the entry of clouds.yaml")
    why = own[-1].strerror or str(own[-1]) or type(own[-1]).__name__
    return (Invalid if isinstance(own[-1], ssl.SSLError) else Unavailable)(f"{call}: no answer from {address}: {why}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
