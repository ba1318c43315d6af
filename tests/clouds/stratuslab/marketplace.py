# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StratusLab Marketplace: signed descriptions of images."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import xmlsec
from cryptography import x509
from lxml import etree

from .pdisk import Answer, image_identifier

NS = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dcterms": "http://purl.org/dc/terms/",
    "slreq": "http://mp.stratuslab.eu/slreq#",
    "slterms": "http://mp.stratuslab.eu/slterms#",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
BASE = "http://mp.stratuslab.eu/"
XML = {"Content-Type": "application/xml"}
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{27}")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
LONGEST = 10_240_000
COLUMNS = ("os", "os-version", "os-arch")
SIGNED_WITH = ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1")


class InvalidMetadata(Exception):
    pass


@dataclass(frozen=True)
class Entry:
    """One endorsed description."""

    text: str  # as it was sent, without its XML declaration
    identifier: str
    email: str
    created: str
    values: Mapping[str, str]

    @property
    def deprecated(self) -> bool:
        return "slterms:deprecated" in self.values

    @property
    def valid(self) -> bool:
        return self.values.get("dcterms:valid", "9999") > stamp()

    def is_of(self, status: str) -> bool:
        return {"all": True, "deprecated": self.deprecated, "expired": not self.valid}.get(status, self.valid and not self.deprecated)

    def is_at(self, where: str) -> bool:
        location = self.values.get("slterms:location", "")
        if where == "pdisk":
            return location.startswith("pdisk")
        return where != "web" or not location or location.startswith(("http:", "https:", "ftp:"))

    def row(self) -> list[str]:
        known = self.values
        rest = ("slterms:kind", "", "", "slterms:location", "dcterms:description", "dcterms:title")
        kind, _created, _identifier, *words = (known.get(name, "") for name in rest)
        return ["", *(known.get(f"slterms:{name}", "") for name in COLUMNS), self.email, kind, self.created, self.identifier, *words]


def stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: bytes) -> Entry:
    """A document as far as it can be read, whoever signed it.

    Raises:
        InvalidMetadata: it is none.
    """
    try:
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise InvalidMetadata(str(error)) from None
    if root.tag != f"{{{NS['rdf']}}}RDF" or root.get("{http://www.w3.org/XML/1998/namespace}base") != BASE:
        raise InvalidMetadata(f"root must be rdf:RDF with xml:base {BASE}")
    values: dict[str, str] = {}
    for child in root.iterfind("rdf:Description/*", NS):
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child)
        prefix = next((key for key, space in NS.items() if space == name.namespace), "")
        values.setdefault(f"{prefix}:{name.localname}", (child.text or "").strip())
    email = root.findtext("rdf:Description/slreq:endorsement/slreq:endorser/slreq:email", "", NS).strip()
    created = root.findtext("rdf:Description/slreq:endorsement/dcterms:created", "", NS).strip()
    body = re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", text.decode("utf-8"))
    return Entry(body, values.get("dcterms:identifier", ""), email, created, values)


def validate(text: bytes) -> Entry:
    """A document that may be published: signature, schema, constraints.

    Raises:
        InvalidMetadata: why it may not.
    """
    entry = read(text)
    root = etree.fromstring(text)
    _signature(root)
    description = root.find("rdf:Description", NS)
    if description is None or description.get(f"{{{NS['rdf']}}}about") != f"#{entry.identifier}":
        raise InvalidMetadata("rdf:about does not match dcterms:identifier")
    order = [child.tag for child in description if isinstance(child.tag, str)]
    first, last = [f"{{{NS['dcterms']}}}identifier", f"{{{NS['slreq']}}}bytes"], f"{{{NS['slreq']}}}endorsement"
    checksums = order.count(f"{{{NS['slreq']}}}checksum")
    if order[: 3 + checksums] != [*first, *[f"{{{NS['slreq']}}}checksum"] * checksums, last] or not checksums:
        raise InvalidMetadata("identifier, bytes, checksum and endorsement must come first, in this order")
    sha1 = [
        item.findtext("slreq:value", "", NS).strip()
        for item in description.findall("slreq:checksum", NS)
        if item.findtext("slreq:algorithm", "", NS).strip() == "SHA-1"
    ]
    if len(sha1) != 1 or image_identifier(bytes.fromhex(sha1[0])) != entry.identifier:
        raise InvalidMetadata("identifier does not match SHA-1 checksum")
    for name in ("dcterms:created", "dcterms:valid"):
        if name in entry.values and not DATE.fullmatch(entry.values[name]):
            raise InvalidMetadata(f"{name} is no date")
    return entry


def _signature(root: Any) -> None:
    found = root.find("ds:Signature", NS)
    text = root.findtext(".//ds:X509Certificate", "", NS)
    method = root.find(".//ds:SignatureMethod", NS)
    if found is None or not text:
        raise InvalidMetadata("no signature")
    if method is None or method.get("Algorithm") not in SIGNED_WITH:
        raise InvalidMetadata("cannot find validation key")
    certificate = base64.b64decode(text)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertDer)
    try:
        context.verify(found)
    except xmlsec.Error:
        raise InvalidMetadata("invalid signature") from None
    subject = root.findtext(".//slreq:endorser/slreq:subject", "", NS).strip()
    names = x509.load_der_x509_certificate(certificate).subject
    if "1.2.840.113549.1.9.1" not in subject and names.rfc4514_string() != subject:
        raise InvalidMetadata("endorser does not match certificate")


class Marketplace:
    def __init__(self, base: str, validate_email: bool = False) -> None:
        """
        Args:
            base: address, for locations.
            validate_email: whether endorsers confirm by mail before what they sent is listed.
        """
        self.base = base
        self.entries: list[Entry] = []
        self._validates = validate_email
        self._mutex = threading.Lock()

    def publish(self, text: bytes) -> Entry:
        """Keep a document, unless there is a later one of the same endorser."""
        entry = validate(text)
        with self._mutex:
            same = [each for each in self.entries if (each.identifier, each.email) == (entry.identifier, entry.email)]
            if any(each.created >= entry.created for each in same):
                raise InvalidMetadata("older than latest entry")
            self.entries.append(entry)
        return entry

    def valid(self, identifier: str) -> list[Entry]:
        """What a node of the site sees of an image."""
        return self._found([identifier], {})

    def answer(self, method: str, path: str, query: Mapping[str, str], accept: str, body: bytes) -> Answer:
        parts = [part for part in path.split("/") if part]
        return self._post(body) if method == "POST" else self._get(method, parts, query, accept)

    def _get(self, method: str, parts: Sequence[str], query: Mapping[str, str], accept: str) -> Answer:
        match [method, *parts]:
            case ["GET", "metadata"] if "json" in accept:
                return self._table(query)
            case ["GET", "metadata", identifier, email, created] if DATE.fullmatch(created):
                return self._single(identifier, email, created)
            case ["GET", "metadata", *words]:
                return self._list(self._found(words, query), accept)
        if parts[:1] == ["tag"] and len(parts) == 3:
            return self._list(self._found(parts[1:2], {"tag": parts[2], "status": "all"}), accept)
        if parts[:1] == ["endorsers"]:
            return self._endorsers()
        return self._error(404, "The server has not found anything matching the request URI", accept)

    def _post(self, body: bytes) -> Answer:
        if not body:
            return self._error(400, "post with null entity")
        if len(body) > LONGEST:
            return self._error(400, "metadata file too large")
        if self._validates:
            return Answer(202, body=b"confirmation email sent for new metadata entry", headers={"Content-Type": "text/plain"})
        try:
            entry = self.publish(body)
        except InvalidMetadata as error:
            return self._error(400, f"invalid metadata: {error}")
        return Answer(201, body=b"", location=f"{self.base}/metadata/{entry.identifier}/{entry.email}/{entry.created}")

    def _found(self, words: Sequence[str], query: Mapping[str, str]) -> list[Entry]:
        wanted = {key: query[key] for key in ("identifier", "email", "created") if query.get(key)}
        for word in words:
            wanted["created" if DATE.fullmatch(word) else "email" if "@" in word else "identifier"] = word
        with self._mutex:
            found = [each for each in self.entries if all(getattr(each, key) == value for key, value in wanted.items())]
        if "created" not in wanted:
            latest = {(each.identifier, each.email): each for each in sorted(found, key=lambda each: each.created)}
            found = [each for each in found if latest[each.identifier, each.email] is each]
        found = [each for each in found if each.is_of(query.get("status", "valid")) and each.is_at(query.get("location", "all"))]
        if query.get("tag"):
            found = [each for each in found if each.values.get("dcterms:alternative") == query["tag"].strip('"')]
            found = sorted(found, key=lambda each: each.created)[-1:]
        return found

    def _list(self, entries: Sequence[Entry], accept: str) -> Answer:
        if not entries:
            return self._error(404, "no matching metadata found", accept)
        text = f"{DECLARATION}<metadata>{''.join(entry.text for entry in entries)}</metadata>"
        return Answer(200, body=text.encode(), headers=XML)

    def _single(self, identifier: str, email: str, created: str) -> Answer:
        found = self._found([identifier, email, created], {"status": "all"})
        if not found:
            return self._error(404, "metadata entry not found.")
        named = {"Content-Type": "application/rdf+xml", "Content-Disposition": f"attachment; filename={identifier}.xml"}
        return Answer(200, body=f"{DECLARATION}{found[0].text}".encode(), headers=named)

    def _table(self, query: Mapping[str, str]) -> Answer:
        rows = [entry.row() for entry in self._found([], query)]
        words = [query.get("sSearch", "")]
        kept = [row for row in rows if all(any(word.lower() in cell.lower() for cell in row) for word in words if word)]
        for place in range(1, 6):
            word = query.get(f"sSearch_{place}", "")
            kept = [row for row in kept if word.lower() in row[place].lower()]
        column = int(query.get("iSortCol_0", "6") or 6)
        kept.sort(key=lambda row: row[column], reverse=query.get("sSortDir_0", "asc") == "desc")
        start, length = int(query.get("iDisplayStart", "0") or 0), int(query.get("iDisplayLength", "-1") or -1)
        page = kept[start : start + length] if length >= 0 else kept[start:]
        table = {"sEcho": query.get("sEcho", ""), "iTotalRecords": len(rows), "iTotalDisplayRecords": len(kept), "rMsg": "", "aaData": page}
        return Answer(200, body=json.dumps(table).encode(), headers={"Content-Type": "application/json"})

    def _endorsers(self) -> Answer:
        rows = "".join(
            f'<result><binding name="email"><literal>{escape(email)}</literal></binding></result>'
            for email in sorted({e.email for e in self.entries})
        )
        text = f'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="email"/></head><results>{rows}</results></sparql>'
        return Answer(200, body=f"{DECLARATION}{text}".encode(), headers=XML)

    @staticmethod
    def _error(status: int, text: str, accept: str = "") -> Answer:
        if "json" in accept:
            return Answer(status, body=json.dumps({str(status): text}).encode(), headers={"Content-Type": "application/json"})
        return Answer(status, body=f"{DECLARATION}<error>{escape(text)}</error>".encode(), headers=XML)
