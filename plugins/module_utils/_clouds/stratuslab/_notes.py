# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes about nodes (the ready value, the clouds in use, the host keys), in templates of the account: machines themselves cannot be changed.

One template holds the notes of many nodes, by the machines' identifiers, which are never used again. Only the holder of the run's lock writes. Names
are never used twice: reusing one can block the whole server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._contract import MARK_VERSION, MarkError, Unavailable
from ._errors import Missing
from ._one import Element, One
from ._template import text

PREFIX = "skynotes"
ROOM = 30_000  # bytes of notes in one template
MOST = 34_000  # bytes that they may grow to there, which are less than what a template can hold
MARK = "SKY_MARK"


@dataclass(frozen=True)
class Note:
    """What is noted of one node."""

    ready: str = ""
    clouds: tuple[str, ...] | None = None  # None: those of its birth
    host_keys: tuple[str, ...] = ()
    mark: str = ""  # of a machine that has none of its own, because somebody else created it
    number: int = 0  # of the same

    def data(self) -> list[Any]:
        known = [self.ready, None if self.clouds is None else list(self.clouds), list(self.host_keys)]
        return [*known, self.mark, self.number] if self.mark else known

    @classmethod
    def of(cls, data: Sequence[Any]) -> Note:
        ready, clouds, keys, *lent = data
        mark, number = lent or ("", 0)
        return cls(str(ready), None if clouds is None else tuple(map(str, clouds)), tuple(map(str, keys)), str(mark), int(number))


@dataclass(frozen=True)
class Document:
    """One template with notes."""

    id: int
    name: str
    notes: Mapping[int, Note]


class Notes:
    """The notes of one cluster of one owner."""

    def __init__(self, one: One, cluster: str, owner: str) -> None:
        self._one = one
        self._mark = f"sky/{MARK_VERSION} {owner} {cluster}"
        self._prefix = f"{PREFIX}.{cluster}."
        self._cluster = cluster
        self._writing = threading.Lock()

    def of(self, elements: Iterable[Element]) -> dict[int, Note]:
        """The notes of all owners of clusters of this name, from a list of templates.

        Raises:
            MarkError: notes are damaged.
        """
        return {number: note for document in _documents(elements, self._prefix) for number, note in document.notes.items()}

    def _documents(self, elements: Iterable[Element]) -> list[Document]:
        return _documents((element for element in elements if element.findtext(f"TEMPLATE/{MARK}", "") == self._mark), self._prefix)

    def write(self, changes: Mapping[int, Mapping[str, Any]]) -> None:
        """Change what is noted of nodes.

        Args:
            changes: fields of a note, by machine.
        """
        with self._writing:
            documents = self._documents(self._one.documents())
            known = {number for document in documents for number in document.notes}
            new = {number: Note(**change) for number, change in changes.items() if number not in known}
            for document in documents:
                changed = {number: replace(document.notes[number], **changes[number]) for number in document.notes.keys() & changes.keys()}
                if document is documents[-1]:
                    changed |= _taken(new, ROOM - len(_body(document.notes)))
                if changed.items() - document.notes.items():
                    self._update(document, {**document.notes, **changed})
            self._add(new)

    def _add(self, notes: dict[int, Note]) -> None:
        """Write notes to as many new templates as they need."""
        while notes:
            name = f"{self._prefix}{secrets.token_hex(16)}"
            self._one.add_document(self._text(name, _taken(notes, ROOM)))

    def _update(self, document: Document, notes: dict[int, Note]) -> None:
        """Write the notes of a template; those that it has no room for any more are first written to another, which counts from then on."""
        if len(_body(notes)) > MOST:
            rest = dict(notes)
            notes = _taken(rest, ROOM)
            self._add(rest)
        try:
            self._one.write_document(document.id, self._text(document.name, notes))
        except Missing as error:
            raise Unavailable(f"the notes of cluster {self._cluster} were deleted meanwhile: {error}") from error

    def _text(self, name: str, notes: Mapping[int, Note]) -> str:
        body = base64.b64encode(_body(notes)).decode()
        sums = hashlib.sha256(body.encode()).hexdigest()
        attributes = [("NAME", name), ("KIND", "notes"), (MARK, self._mark), ("BODY", body), ("SHA256", sums)]
        return text(attributes, f"the notes of cluster {self._cluster}")

    def forget(self, numbers: Collection[int]) -> None:
        """Drop the notes of machines that were deleted."""
        with self._writing:
            for document in self._documents(self._one.documents()):
                kept = {number: note for number, note in document.notes.items() if number not in numbers}
                if len(kept) == len(document.notes):
                    continue
                if kept:
                    self._one.write_document(document.id, self._text(document.name, kept))
                else:
                    self._delete(document.id)

    def names(self, elements: Iterable[Element]) -> list[str]:
        """The templates that this cluster of this owner has."""
        return [document.name for document in self._documents(elements)]

    def delete(self) -> None:
        for document in self._documents(self._one.documents()):
            self._delete(document.id)

    def _delete(self, number: int) -> None:
        try:
            self._one.delete_document(number)
        except Missing:
            return


def marks(elements: Iterable[Element]) -> dict[int, set[str]]:
    """The marks of the machines that clusters of the account use and did not create.

    Raises:
        MarkError: notes are damaged.
    """
    found: dict[int, set[str]] = {}
    for document in _documents(elements, f"{PREFIX}."):
        for number, note in document.notes.items():
            if note.mark:
                found.setdefault(number, set()).add(note.mark)
    return found


def _documents(elements: Iterable[Element], prefix: str) -> list[Document]:
    named = [(element, element.findtext("NAME", "")) for element in elements]
    found = [_read(element, name) for element, name in named if name.startswith(prefix) and name.count(".") == 2]
    return sorted(found, key=lambda document: document.id)


def _body(notes: Mapping[int, Note]) -> bytes:
    return json.dumps({str(number): note.data() for number, note in notes.items()}, separators=(",", ":")).encode()


def _taken(notes: dict[int, Note], room: int) -> dict[int, Note]:
    """Take out as many notes as there is room for."""
    found: dict[int, Note] = {}
    while notes and len(_body(found)) < room:
        number = next(iter(notes))
        found[number] = notes.pop(number)
    return found


def _read(element: Element, name: str) -> Document:
    body = element.findtext("TEMPLATE/BODY", "")
    identifier = element.findtext("ID", "")
    try:
        if hashlib.sha256(body.encode()).hexdigest() != element.findtext("TEMPLATE/SHA256", ""):
            raise ValueError("its checksum is wrong")
        data = json.loads(base64.b64decode(body, validate=True))
        return Document(int(identifier), name, {int(number): Note.of(note) for number, note in data.items()})
    except (ValueError, AttributeError, TypeError) as error:
        raise MarkError(
            f"template {identifier} ({name}), which holds notes about the cluster's nodes, is damaged ({error}): delete it; the next run then "
            "visits all nodes again"
        ) from error
