# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data into dataclasses, with every fault collected under its path, and the JSON schema of the same.

Not pydantic or jsonschema: a controller, an AWX execution environment above all, has ansible-core and the clouds' own SDKs, and nothing else may be
needed to read a cluster file.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Faults:
    """Faults found so far, each ``path: sentence``."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, sentence: str) -> None:
        self.found.append(f"{path}: {sentence}" if path else sentence)


class Kind(Protocol):
    """One kind of value."""

    def parse(self, value: Any, path: str, faults: Faults) -> Any:
        """The value as the dataclass holds it; None, with a fault added, where it is not of this kind."""

    def schema(self) -> dict[str, Any]:
        """JSON schema of the kind."""


def shown(value: Any) -> str:
    """A value as a fault shows it: short, on one line."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"  # Python refuses to write out those of more than 4300 digits
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else repr(_plain(value))
    return text if len(text) <= 60 else text[:57] + "..."


def step(path: str, key: Any) -> str:
    """The path of a key of a mapping; keys that are no names are quoted, so that a fault stays one line."""
    name = str(_plain(key)) if isinstance(key, str) and re.fullmatch(r"[\w.-]{1,60}", key) else shown(key)
    return f"{path}.{name}" if path else name


def _plain(value: Any) -> Any:
    """Ansible tags the strings it reads; a fault shows them bare."""
    return str(value) if isinstance(value, str) else value


@dataclasses.dataclass(frozen=True)
class Text:
    """A string, of a pattern that `what` says in words."""

    pattern: str = r"[\s\S]+"
    what: str = "a non-empty string"
    longest: int = 255

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        if not isinstance(value, str):
            faults.add(path, f"must be {self.what}, got {shown(value)}")
        elif len(value) > self.longest:
            faults.add(path, f"must be at most {self.longest} characters, got {len(value)}")
        elif re.fullmatch(self.pattern, value) is None:
            faults.add(path, f"must be {self.what}, got {shown(value)}")
        else:
            return str(value)
        return None

    def schema(self) -> dict[str, Any]:
        pattern = f"^(?:{self.pattern})$"
        words = {"description": self.what, "patternErrorMessage": f"must be {self.what}"}  # editors show the second instead of the pattern
        return {"type": "string", "pattern": pattern, "maxLength": self.longest} | words


@dataclasses.dataclass(frozen=True)
class Integer:
    """A whole number in a range, both ends included."""

    least: int = 0
    most: int | None = None

    def parse(self, value: Any, path: str, faults: Faults) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool):
            faults.add(path, f"must be a whole number, {self.least} or more, got {shown(value)}")
        elif value < self.least:
            faults.add(path, f"must be {self.least} or more, got {shown(value)}")
        elif self.most is not None and value > self.most:
            faults.add(path, f"must be at most {self.most}, got {shown(value)}")
        else:
            return int(value)
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least} | ({} if self.most is None else {"maximum": self.most})


@dataclasses.dataclass(frozen=True)
class Number:
    """A number, 0 or more, with or without a fraction."""

    def parse(self, value: Any, path: str, faults: Faults) -> float | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
            return float(value)
        faults.add(path, f"must be a number, 0 or more, got {shown(value)}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0}


@dataclasses.dataclass(frozen=True)
class Flag:
    """True or false."""

    def parse(self, value: Any, path: str, faults: Faults) -> bool | None:
        if isinstance(value, bool):
            return value
        faults.add(path, f"must be true or false, got {shown(value)}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of some known names; a wrong one gets the nearest as a hint."""

    names: tuple[str, ...]
    what: str = "name"

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        if isinstance(value, str) and value in self.names:
            return str(value)
        faults.add(path, f"unknown {self.what} {shown(value)}{hint(value, self.names)}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"enum": sorted(self.names)}


@dataclasses.dataclass(frozen=True)
class Cidr:
    """A network, ``192.0.2.0/24`` or ``2001:db8::/32``."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        try:
            if isinstance(value, str) and "/" in value:
                return str(ipaddress.ip_network(str(value)))
        except ValueError as error:
            faults.add(path, f"must be a network such as 192.0.2.0/24, got {shown(value)} ({error})")
            return None
        faults.add(path, f"must be a network such as 192.0.2.0/24, got {shown(value)}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "a network such as 192.0.2.0/24"}


@dataclasses.dataclass(frozen=True)
class ListOf:
    """A list, without doubles where `unique`; a tuple once read."""

    kind: Kind
    unique: bool = True

    def parse(self, value: Any, path: str, faults: Faults) -> tuple[Any, ...] | None:
        if not isinstance(value, (list, tuple)):
            faults.add(path, f"must be a list, got {shown(value)}")
            return None
        before = len(faults.found)
        items = [self.kind.parse(item, f"{path}[{place}]", faults) for place, item in enumerate(value)]
        if len(faults.found) > before:
            return None
        for place, item in enumerate(items):
            if self.unique and item in items[:place]:
                same = f"is the same as {path}[{items.index(item)}]"  # of what has several keys, people know the place only
                faults.add(f"{path}[{place}]", same if dataclasses.is_dataclass(item) else f"{shown(item)} is listed twice")
        return tuple(items)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.kind.schema(), "uniqueItems": self.unique}


@dataclasses.dataclass(frozen=True)
class MapOf:
    """A mapping from names of one kind to values of one kind."""

    key: Kind
    value: Kind
    least: int = 0

    def parse(self, value: Any, path: str, faults: Faults) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            faults.add(path, f"must be a mapping, got {shown(value)}")
            return None
        if len(value) < self.least:
            faults.add(path, f"must have at least {self.least} {'entry' if self.least == 1 else 'entries'}")
        found = {}
        for key, item in value.items():
            place = step(path, key)
            name = self.key.parse(key, place, faults)
            read = self.value.parse(item, place, faults)
            if name is not None and read is not None:
                found[name] = read
        return found

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "propertyNames": self.key.schema(), "additionalProperties": self.value.schema(), "minProperties": self.least}


@dataclasses.dataclass(frozen=True)
class Free:
    """A mapping that is passed on unchanged (further options of a provider)."""

    def parse(self, value: Any, path: str, faults: Faults) -> dict[str, Any] | None:
        if isinstance(value, Mapping):
            return dict(value)
        faults.add(path, f"must be a mapping, got {shown(value)}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


@dataclasses.dataclass(frozen=True)
class Struct:
    """A mapping read into a dataclass whose fields were declared with :func:`option`."""

    cls: type[Any]

    def parse(self, value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, Mapping):
            faults.add(path, f"must be a mapping, got {shown(value)}")
            return None
        return read(self.cls, value, path, faults)

    def schema(self) -> dict[str, Any]:
        return schema(self.cls)


def option(kind: Kind, doc: str, **default: Any) -> Any:
    """A dataclass field that is read from the file; without `default` or `default_factory` it is required."""
    return dataclasses.field(metadata={"kind": kind, "doc": doc}, **default)  # pylint: disable=invalid-field-call


def _required(declared: dataclasses.Field[Any]) -> bool:
    return declared.default is dataclasses.MISSING and declared.default_factory is dataclasses.MISSING


def hint(value: Any, known: tuple[str, ...] | list[str]) -> str:
    """A suggestion for a wrong name: the nearest known one, or all."""
    near = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) and len(value) <= 60 else []
    listed = ", ".join(sorted(known)) or "none"
    return f"; did you mean '{near[0]}'?" if near else f"; known: {listed}"


def read(cls: type[T], data: Mapping[str, Any], path: str, faults: Faults, beside: Iterable[str] = ()) -> T | None:
    """Read a mapping into `cls`.

    Args:
        data: the mapping; keys that `cls` does not declare are faults.
        path: of the mapping, for the faults.
        faults: takes the faults.
        beside: keys that the mapping may have as well, and that the caller reads: a hint names them, too.

    Returns:
        An instance, or None if this mapping had a fault.
    """
    fields = {f.name: f for f in dataclasses.fields(cls) if "kind" in f.metadata}  # type: ignore[arg-type]
    before = len(faults.found)
    values: dict[str, Any] = {}
    for key, value in data.items():
        declared = fields.get(key)
        if declared is None:
            faults.add(step(path, key), f"unknown key{hint(key, [*fields, *beside])}")
        elif value is None and not _required(declared):
            continue  # `key:` without a value means the default, as in most YAML tools
        else:
            values[declared.name] = declared.metadata["kind"].parse(value, step(path, key), faults)
    for name, declared in fields.items():
        if name not in data and _required(declared):
            faults.add(step(path, name), "is required")
    return cls(**values) if len(faults.found) == before else None


def _or_nothing(declared: dataclasses.Field[Any]) -> dict[str, Any]:
    """The schema of a field; `key:` without a value is accepted if there is a default."""
    kind: dict[str, Any] = declared.metadata["kind"].schema()
    return kind if _required(declared) else {"anyOf": [kind, {"type": "null"}]}


def schema(cls: type[Any]) -> dict[str, Any]:
    """JSON schema of a dataclass whose fields were declared with :func:`option`."""
    fields = [f for f in dataclasses.fields(cls) if "kind" in f.metadata]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: _or_nothing(f) | {"description": f.metadata["doc"]} for f in fields},
        "required": [f.name for f in fields if _required(f)],
    }
