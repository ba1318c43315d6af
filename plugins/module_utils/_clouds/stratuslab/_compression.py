# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a file that may be compressed: gzip and bzip2, the two kinds that the Marketplace knows."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from .._contract import CloudError

GZIP_MAGIC = b"\x1f\x8b"


class Damaged(CloudError):
    """A compressed content that cannot be read."""

    final = True


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


KINDS: dict[bytes, Callable[[], _Decompressor]] = {  # by a file's first bytes
    GZIP_MAGIC: lambda: zlib.decompressobj(wbits=31),
    b"BZh": bz2.BZ2Decompressor,
}


def plain(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a file, which may be compressed in several parts, as some programs do it.

    Raises:
        Damaged: it is cut, or something else follows it.
    """
    kind: Callable[[], _Decompressor] | None = None
    inflate: _Decompressor | None = None
    for place, piece in enumerate(packed):
        if place == 0:
            kind = next((made for start, made in KINDS.items() if piece.startswith(start)), None)
        if kind is None:
            yield piece
            continue
        left = piece
        while left:
            inflate = kind() if inflate is None or inflate.eof else inflate
            try:
                part = inflate.decompress(left)
            except (OSError, zlib.error) as error:
                raise Damaged(f"the compressed content is damaged ({error})") from None
            yield part
            left = inflate.unused_data
    if inflate and not inflate.eof:
        raise Damaged("the compressed content ends too early")


def packed(content: Iterable[bytes], file: BinaryIO) -> None:
    """Write a content into a file, compressed by gzip."""
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as out:
        for piece in content:
            out.write(piece)


def is_gzip(file: BinaryIO) -> bool:
    file.seek(0)
    start = file.read(len(GZIP_MAGIC))
    file.seek(0)
    return start == GZIP_MAGIC
