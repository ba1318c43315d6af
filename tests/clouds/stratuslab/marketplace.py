# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StratusLab Marketplace: signed descriptions of images."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import xmlsec
from cryptography import x509
from lxml import etree

from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._signature import java_name

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
ONCE = {
    "dcterms": (
        "type", "compression", "format", "creator", "created", "valid", "title", "alternative", "description", "publisher", "isReplacedBy",
        "replaces", "isVersionOf",
    ),
    "slreq": ("endorsement",),
    "slterms": ("kind", "os", "os-version", "os-arch", "version", "serial-number", "deprecated", "hypervisor", "disks-bus"),
}  # fmt: skip
ONE_OF = {
    "slterms:kind": ("machine", "disk"),
    "slterms:hypervisor": ("kvm", "xen"),
    "slterms:disks-bus": ("ide", "scsi", "virtio"),
    "dcterms:compression": ("gz", "bz2", ""),
    "dcterms:format": ("raw", "qcow2"),
}
ALGORITHMS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128}  # digits of their values
LARGEST = {"slterms:inbound-port": 65535, "slterms:outbound-port": 65535, "slterms:icmp": 255}
IMAGES = ("dcterms:isReplacedBy", "dcterms:replaces", "dcterms:isVersionOf")
COLUMNS = ("os", "os-version", "os-arch")
HISTORY = ("identifier", "created", "description", "location", "deprecated", "email")  # of an endorser
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SIGNED_WITH = ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#dsa-sha1")


class InvalidMetadata(Exception):
    pass


class _Unusable(Exception):
    """An upload that has no document."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Entry:
    """One endorsed description."""

    text: str  # as it was sent, without its XML declaration
    identifier: str
    email: str
    created: str
    values: Mapping[str, str]
    signer: tuple[str, str] = ("", "")  # subject and issuer of the endorser

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

    def history(self) -> dict[str, str]:
        """Without what it does not have."""
        known = {"identifier": self.identifier, "created": self.created, "email": self.email}
        names = {"description": "dcterms:description", "location": "slterms:location", "deprecated": "slterms:deprecated"}
        return known | {key: self.values[name] for key, name in names.items() if name in self.values}

    def row(self) -> list[str]:
        known = self.values
        rest = ("slterms:kind", "", "", "slterms:location", "dcterms:description", "dcterms:title")
        kind, _created, _identifier, *words = (known.get(name, "") for name in rest)
        return ["", *(known.get(f"slterms:{name}", "") for name in COLUMNS), self.email, kind, self.created, self.identifier, *words]


def stamp(days: float = 0) -> str:
    """Now, or so many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


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
        values.setdefault(_prefixed(child), (child.text or "").strip())
    endorser = "rdf:Description/slreq:endorsement/slreq:endorser/slreq:"
    email, *signer = (root.findtext(f"{endorser}{name}", "", NS).strip() for name in ("email", "subject", "issuer"))
    created = root.findtext("rdf:Description/slreq:endorsement/dcterms:created", "", NS).strip()
    body = re.sub(r"^\s*<\?xml[^>]*\?>\s*", "", text.decode("utf-8"))
    return Entry(body, values.get("dcterms:identifier", ""), email, created, values, (signer[0], signer[1]))


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
    sums = [[item.findtext(f"slreq:{key}", "", NS).strip() for key in ("algorithm", "value")] for item in description.findall("slreq:checksum", NS)]
    for algorithm, value in sums:
        if algorithm not in ALGORITHMS or not re.fullmatch(rf"[0-9a-fA-F]{{{ALGORITHMS[algorithm]}}}", value):
            raise InvalidMetadata(f"slreq:checksum: {algorithm} {value} is no checksum")
    sha1 = [value for algorithm, value in sums if algorithm == "SHA-1"]
    if len(sha1) != 1 or image_identifier(bytes.fromhex(sha1[0])) != entry.identifier:
        raise InvalidMetadata("identifier does not match SHA-1 checksum")
    _constraints(order, entry)
    _values(description)
    return entry


def _values(description: Any) -> None:
    """What elements may consist of."""
    for child in description.iterchildren(tag=etree.Element):
        name, text = _prefixed(child), (child.text or "").strip()
        if name in ONE_OF and text not in ONE_OF[name]:
            raise InvalidMetadata(f"{name}: {text} is none of {', '.join(filter(None, ONE_OF[name]))}")
        if name in LARGEST and not (re.fullmatch(r"\d+", text) and int(text) <= LARGEST[name]):
            raise InvalidMetadata(f"{name}: {text} is no number from 0 to {LARGEST[name]}")
        if name in IMAGES and not IDENTIFIER.fullmatch(text):
            raise InvalidMetadata(f"{name}: {text} is no identifier")


def _prefixed(element: Any) -> str:
    name = etree.QName(element)
    return f"{next((key for key, space in NS.items() if space == name.namespace), '')}:{name.localname}"


def _constraints(order: Sequence[str], entry: Entry) -> None:
    """How often elements may occur, and what they consist of."""
    for prefix, names in ONCE.items():
        for name in names:
            if order.count(f"{{{NS[prefix]}}}{name}") > 1:
                raise InvalidMetadata(f"{prefix}:{name} occurs more than once")
    if "dcterms:type" not in entry.values:
        raise InvalidMetadata("dcterms:type is missing")
    if not re.fullmatch(r"\d+", entry.values["slreq:bytes"]):
        raise InvalidMetadata("slreq:bytes must be a non-negative integer")
    for name, text in [("endorsement", entry.created), *((name, entry.values.get(f"dcterms:{name}", "")) for name in ("created", "valid"))]:
        if text and not DATE.fullmatch(text):
            raise InvalidMetadata(f"{name}: {text} is no date of the form YYYY-MM-DDThh:mm:ssZ")
    if not entry.created:
        raise InvalidMetadata("the endorsement has no date")


def _signature(root: Any) -> None:
    found = root.find("ds:Signature", NS)
    text = root.findtext(".//ds:X509Certificate", "", NS)
    method = root.find(".//ds:SignatureMethod", NS)
    if found is None or not text:
        raise InvalidMetadata("no signature")
    if method is None or method.get("Algorithm") not in SIGNED_WITH:
        raise InvalidMetadata("cannot find validation key")
    references = found.findall("ds:SignedInfo/ds:Reference", NS)
    transforms = [each.get("Algorithm") for each in found.iterfind("ds:SignedInfo/ds:Reference/ds:Transforms/ds:Transform", NS)]
    if len(references) != 1 or references[0].get("URI") != "" or transforms != [ENVELOPED]:
        raise InvalidMetadata("invalid signature")  # it covers a part only
    certificate = base64.b64decode(text)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertDer)
    try:
        context.verify(found)
    except xmlsec.Error:
        raise InvalidMetadata("invalid signature") from None
    _endorser(root, x509.load_der_x509_certificate(certificate))


def _endorser(root: Any, certificate: x509.Certificate) -> None:
    """Whom the endorsement names is whom the certificate names."""
    named = {key: root.findtext(f".//slreq:endorser/slreq:{key}", "", NS).strip() for key in ("subject", "issuer", "email")}
    known = {"subject": java_name(certificate.subject), "issuer": java_name(certificate.issuer)}
    with contextlib.suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known |= dict(zip(("email",), names.get_values_for_type(x509.RFC822Name), strict=False))
    for key, value in known.items():
        if named[key] != value:
            raise InvalidMetadata(f"endorser's {key} does not match certificate")


def _first_file(body: bytes, kind: str) -> bytes:
    """The first file of a form; empty if it has none."""
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
    return next((bytes(part.get_payload(decode=True)) for part in message.walk() if part.get_filename() is not None), b"")


class Marketplace:
    def __init__(self, base: str, validate_email: bool = False) -> None:
        """
        Args:
            base: address, for locations.
            validate_email: whether endorsers confirm by mail before what they sent is listed.
        """
        self.base = base
        self.read_only = False  # a replica
        self.entries: list[Entry] = []
        self._validates = validate_email
        self._mutex = threading.Lock()

    def publish(self, text: bytes, keep: bool = True) -> Entry:
        """Keep a document, unless there is a later one of the same endorser."""
        entry = validate(text)
        with self._mutex:
            same = [each for each in self.entries if (each.identifier, each.email) == (entry.identifier, entry.email)]
            if any(each.created > entry.created for each in same):
                raise InvalidMetadata("older than latest entry")
            if keep:  # in the place of one with the same date, whose file it overwrites
                again = [each for each in same if each.created == entry.created]
                self.entries = [*(each for each in self.entries if each not in again), entry]
        return entry

    def valid(self, identifier: str) -> list[Entry]:
        """What a node of the site sees of an image."""
        return self._found([identifier], {})

    def answer(self, method: str, path: str, query: Mapping[str, str], accept: str, body: bytes, kind: str = "") -> Answer:
        """
        Args:
            kind: of the body.
        """
        parts = [part for part in path.split("/") if part]
        if (method, parts) == ("POST", ["metadata"]):
            return self._post(body, accept, kind)
        return self._get(method, parts, query, accept)

    def _get(self, method: str, parts: Sequence[str], query: Mapping[str, str], accept: str) -> Answer:
        match [method, *parts]:
            case ["GET", "metadata"] if "json" in accept:
                return self._table(query)
            case ["GET", "metadata", identifier, email, created] if DATE.fullmatch(created):
                return self._single([identifier, email, created], accept)
            case ["GET", "metadata", *words]:
                return self._list(self._found(words, query), accept)
            case ["GET", "tag", endorser, tag]:
                return self._list(self._found([endorser], {"tag": tag}), accept)
            case ["GET", "endorsers", *words]:
                return self._endorsers(words, query)
        return self._error(404, "The server has not found anything matching the request URI", accept)

    def _post(self, body: bytes, accept: str, kind: str) -> Answer:
        try:
            entry = self.publish(self._sent(body, kind), keep=not self._validates)
        except _Unusable as error:
            return self._error(error.status, str(error), accept)
        except InvalidMetadata as error:
            return self._error(400, f"invalid metadata: {error}", accept)
        if self._validates:
            return Answer(202, body=b"confirmation email sent for new metadata entry\n", headers={"Content-Type": "text/plain"})
        place = f"{self.base}/metadata/{entry.identifier}/{entry.email}/{entry.created}"
        return Answer(201, body=b"metadata entry created", location=place, headers={"Content-Type": "text/plain"})

    def _sent(self, body: bytes, kind: str) -> bytes:
        """The document of an upload."""
        if self.read_only:
            raise _Unusable(403, "read-only repository")
        if not body:
            raise _Unusable(400, "post with null entity")
        name = kind.partition(";")[0].strip().lower()
        if name not in ("multipart/form-data", "application/xml", "application/rdf+xml"):
            raise _Unusable(415, name)
        text = _first_file(body, kind) if name.startswith("multipart/") else body
        if not text:
            raise _Unusable(400, "no valid file uploaded")
        if len(text) > LONGEST:
            raise _Unusable(400, "metadata file too large")
        return text

    def _found(self, words: Sequence[str], query: Mapping[str, str]) -> list[Entry]:
        wanted = {key: query[key] for key in ("identifier", "email", "created") if query.get(key)}
        for word in words:
            wanted["created" if DATE.fullmatch(word) else "email" if "@" in word else "identifier"] = word
        with self._mutex:
            found = [each for each in self.entries if all(getattr(each, key) == value for key, value in wanted.items())]
        if "created" not in wanted:
            latest = {(each.identifier, each.email): each for each in sorted(found, key=lambda each: each.created)}
            found = [each for each in found if latest[each.identifier, each.email] is each]
        if query.get("tag"):
            found = [each for each in found if not each.deprecated and each.values.get("dcterms:alternative") == query["tag"].strip('"')]
            return sorted(found, key=lambda each: each.created)[-1:]
        return [each for each in found if each.is_of(query.get("status", "valid")) and each.is_at(query.get("location", "all"))]

    def _list(self, entries: Sequence[Entry], accept: str) -> Answer:
        if not entries:
            return self._error(404, "no metadata matching query found", accept)
        text = f"{DECLARATION}<metadata>{''.join(entry.text for entry in entries)}</metadata>"
        return Answer(200, body=text.encode(), headers=XML)

    def _single(self, words: Sequence[str], accept: str) -> Answer:
        found = self._found(words, {"status": "all"})
        if not found:
            return self._error(404, "metadata entry not found.", accept)
        named = {"Content-Type": "application/rdf+xml", "Content-Disposition": f"attachment; filename={words[0]}.xml"}
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

    def _endorsers(self, words: Sequence[str], query: Mapping[str, str]) -> Answer:
        """In the form of SPARQL's results: all endorsers, the entries of one, of the last days if these are named, or the tags of one."""
        shown = [each for each in self.entries if each.email in (words[:1] or [each.email])]
        match words:
            case [_endorser]:
                days = query.get("range", "")
                return _results(HISTORY, [each.history() for each in shown if not days.isdigit() or each.created > stamp(int(days))])
            case [_endorser, "tags"]:
                return _results(("tag",), [{"tag": tag} for tag in sorted({each.values.get("dcterms:alternative", "") for each in shown} - {""})])
        columns = ("email", "subject", "issuer")
        return _results(columns, [dict(zip(columns, row, strict=True)) for row in sorted({(each.email, *each.signer) for each in shown})])

    @staticmethod
    def _error(status: int, text: str, accept: str = "") -> Answer:
        if "json" in accept:
            return Answer(status, body=json.dumps({str(status): text}).encode(), headers={"Content-Type": "application/json"})
        return Answer(status, body=f"{DECLARATION}<error>{escape(text)}</error>".encode(), headers=XML)


def _results(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Answer:
    head = "".join(f'<variable name="{name}"/>' for name in columns)
    cells = [[f'<binding name="{name}"><literal>{escape(row[name])}</literal></binding>' for name in columns if name in row] for row in rows]
    body = "".join(f"<result>{''.join(row)}</result>" for row in cells)
    text = f'<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>{head}</head><results>{body}</results></sparql>'
    return Answer(200, body=f"{DECLARATION}{text}".encode(), headers=XML)
