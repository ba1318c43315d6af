# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file from a path or an address, read and compared with its checksum before it is used."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from ansible.module_utils import urls

from .._clouds._contract import CloudError, Invalid

PART = 2**20  # bytes that are read at a time
SECONDS = 60  # that a server may be silent
ABROAD = ("http", "https")


def check(source: str) -> None:
    """See whether a source can be one, without reading it.

    Raises:
        Invalid: it is no address of a kind that is known, or there is no such file.
    """
    scheme = urlsplit(source).scheme
    if scheme not in (*ABROAD, "file", ""):
        raise Invalid(f"source: {_shown(source)} is neither a path nor an http, https or file URL")
    if scheme not in ABROAD and not _path(source).is_file():
        raise Invalid(f"source: there is no file {_path(source)} on this machine")


@contextlib.contextmanager
def opened(source: str, checksum: str, folder: str) -> Iterator[BinaryIO]:
    """The file, open at its beginning.

    Args:
        checksum: `sha256:` and its digits.
        folder: for the downloaded file while it is used; it has no name, so that nothing of it is left, however we end.

    Raises:
        Invalid: it is not there, or not what its checksum says.
        CloudError: it could not be fetched.
    """
    check(source)
    if urlsplit(source).scheme in ABROAD:
        with tempfile.TemporaryFile(dir=folder) as file:
            found = _fetched(source, file)
            yield _verified(source, file, found, checksum)
    else:
        with _local(_path(source)) as file:
            found = _digest(_parts(file))
            yield _verified(source, file, found, checksum)


def _path(source: str) -> Path:
    parts = urlsplit(source)
    return Path(unquote(parts.path) if parts.scheme == "file" else source).expanduser()


def _local(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Invalid(f"source: {path} cannot be read: {error.strerror}") from error


def _fetched(source: str, file: BinaryIO) -> str:
    """Fetch a file; returns its SHA-256."""
    try:
        with contextlib.closing(urls.open_url(source, timeout=SECONDS, http_agent="sky.clusters")) as answer:
            found = _digest(_written(_parts(answer), file))
            length = str(answer.headers.get("Content-Length") or "")
    except HTTPError as error:
        error.close()
        raise CloudError(f"source: {_shown(source)} cannot be fetched: {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException, urls.ConnectionError) as error:
        raise CloudError(f"source: {_shown(source)} cannot be fetched: {error}") from error
    if length.isdigit() and int(length) != file.tell():
        raise CloudError(f"source: {_shown(source)} ended after {file.tell()} of {length} bytes: run again")
    return found


def _written(parts: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    for part in parts:
        file.write(part)
        yield part


def _parts(file: Any) -> Iterator[bytes]:
    while part := file.read(PART):
        yield part


def _digest(parts: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _verified(source: str, file: BinaryIO, found: str, checksum: str) -> BinaryIO:
    if f"sha256:{found}" != checksum:
        raise Invalid(f"source: {_shown(source)} has the checksum sha256:{found}, not {checksum}")
    file.flush()
    file.seek(0)
    return file


def _shown(source: str) -> str:
    """A source without the password that it may contain."""
    parts = urlsplit(source)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
