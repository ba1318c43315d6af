# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of OpenNebula's templates. Its parser has no complete way of quoting, so what it could misread is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .._contract import Invalid

LONGEST = 48_000  # bytes: oned on MySQL silently cuts what is longer than 65535, as XML
NAME = re.compile(r"[A-Za-z0-9_]+")
PRINTABLE = re.compile(r"[\x20-\x7e\n]+")

Value: TypeAlias = str | Mapping[str, str]
Attribute = tuple[str, Value]


def text(attributes: Sequence[Attribute], what: str) -> str:
    """The template.

    Args:
        what: names it, for errors.

    Raises:
        Invalid: a value that cannot be written, or too much of all.
    """
    lines = [_line(name, value, what) for name, value in attributes]
    made = "".join(lines)
    if len(made.encode()) > LONGEST:
        raise Invalid(f"{what}: its template has {len(made.encode())} bytes, {LONGEST} are possible")
    return made


def _line(name: str, value: Value, what: str) -> str:
    if isinstance(value, str):
        return f"{_name(name, what)} = {quoted(value, f'{what}: {name}')}\n"
    pairs = ", ".join(f"{_name(key, what)} = {quoted(inner, f'{what}: {name}/{key}')}" for key, inner in value.items())
    return f"{_name(name, what)} = [ {pairs} ]\n"


def _name(name: str, what: str) -> str:
    if NAME.fullmatch(name) is None:
        raise Invalid(f"{what}: '{name}' is no name of an attribute (letters, digits and _)")
    return name


def quoted(value: str, what: str) -> str:
    """A value in quotes, as the server reads it back.

    Raises:
        Invalid: it has characters that would be lost or misread: those not in ASCII become '?' on some servers, a backslash swallows what follows
            it, an empty text is kept with its quotes.
    """
    if not value:
        raise Invalid(f"{what}: must not be empty")
    if PRINTABLE.fullmatch(value) is None:
        raise Invalid(f"{what}: must be printable ASCII, got {value[:60]!r}")
    if "\\" in value or "]]>" in value:
        raise Invalid(f"{what}: must not contain a backslash or ']]>', got {value[:60]!r}")
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def in_context(value: str, what: str) -> str:
    """A value for CONTEXT, where the server substitutes variables.

    Raises:
        Invalid: it has a dollar sign.
    """
    if "$" in value:
        raise Invalid(f"{what}: must not contain '$', which the cloud replaces")
    return value
