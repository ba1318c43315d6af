# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenNebula's template language: text -> attributes -> XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

Value = str | dict[str, str]

NAME = re.compile(r"[A-Za-z0-9_]+")
BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SPACES = re.compile(r"[ \t]*")


class TemplateError(Exception):
    """A text that is no template, in the words of the server's parser."""


@dataclass
class Template:
    """Attributes in the order of the text; a name may occur several times."""

    items: list[tuple[str, Value]] = field(default_factory=list)

    def all(self, name: str) -> list[Value]:
        return [value for key, value in self.items if key == name]

    def vectors(self, name: str) -> list[dict[str, str]]:
        return [value for value in self.all(name) if isinstance(value, dict)]

    def text(self, name: str, default: str = "") -> str:
        found = [value for value in self.all(name) if isinstance(value, str)]
        return found[-1] if found else default

    def number(self, name: str) -> float:
        try:
            return float(self.text(name, "0"))
        except ValueError:
            return 0.0

    def set(self, name: str, value: Value) -> None:
        self.items = [item for item in self.items if item[0] != name] + [(name, value)]

    def xml(self) -> str:
        """The content of ``<TEMPLATE>``: attributes sorted by name, those of one name in their order."""
        return "".join(_element(name, value) for name, value in sorted(self.items, key=lambda item: item[0]))


def _element(name: str, value: Value) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(key, inner) for key, inner in sorted(value.items()))}</{name}>"
    return f"<{name}><![CDATA[{value}]]></{name}>"


def parse(text: str) -> Template:
    """Read a template.

    Raises:
        TemplateError: with the place, in the words of the server.
    """
    return Template(list(_Reader(text).attributes()))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def attributes(self) -> Iterator[tuple[str, Value]]:
        self._skip(BLANK)
        while self._at < len(self._text):
            name = self._name("VARIABLE")
            self._skip(SPACES)
            if not self._take("="):
                raise self._unexpected("EQUAL or EQUAL_EMPTY")
            self._skip(SPACES)
            yield name, self._vector() if self._opens() else self._value("\n")
            self._skip(BLANK)

    def _opens(self) -> bool:
        start = self._at
        self._skip(BLANK)
        if self._take("["):
            return True
        self._at = start
        return False

    def _vector(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._skip(BLANK)
            name = self._name("VARIABLE")
            self._skip(SPACES)
            if not self._take("="):
                raise self._unexpected("EQUAL or EQUAL_EMPTY")
            self._skip(SPACES)
            found[name] = self._value(",]\n")
            self._skip(BLANK)
            if self._take("]"):
                return found
            if not self._take(","):
                raise self._unexpected("COMMA or CBRACKET")

    def _name(self, expected: str) -> str:
        found = NAME.match(self._text, self._at)
        if found is None:
            raise self._unexpected(expected)
        self._at = found.end()
        return found[0].upper()

    def _value(self, ends: str) -> str:
        if self._take('"'):
            return self._quoted()
        end = min((place for char in ends if (place := self._text.find(char, self._at)) >= 0), default=len(self._text))
        found, self._at = self._text[self._at : end].rstrip(), end
        return found

    def _quoted(self) -> str:
        """A backslash makes the quote after it a part of the value; an empty text is kept with its quotes."""
        found: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "\\" and self._text[self._at + 1 : self._at + 2] == '"':
                found.append('"')
                self._at += 2
                continue
            self._at += 1
            if char == '"':
                return "".join(found) or '""'
            found.append(char)
        raise self._unexpected("VALUE")

    def _skip(self, what: re.Pattern[str]) -> None:
        found = what.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, char: str) -> bool:
        if self._text[self._at : self._at + 1] == char:
            self._at += 1
            return True
        return False

    def _unexpected(self, expected: str) -> TemplateError:
        before = self._text[: self._at].rstrip("\n") if self._at >= len(self._text) else self._text[: self._at]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        char = self._text[self._at : self._at + 1]
        met = {"": "$end", "=": "EQUAL", ",": "COMMA", "[": "OBRACKET", "]": "CBRACKET"}.get(char, "VARIABLE")
        return TemplateError(f"Parse error: syntax error, unexpected {met}, expecting {expected} at line {line}, columns {column}:{column + 1}")
