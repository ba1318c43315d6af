# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of images: the Marketplace's documents, read and made."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from .._contract import CloudError, Invalid

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DCTERMS = "http://purl.org/dc/terms/"
SLREQ = "http://mp.stratuslab.eu/slreq#"
SLTERMS = "http://mp.stratuslab.eu/slterms#"
SKY = "https://sky.clusters/terms#"  # our mark, among the elements of other name spaces that documents may have
PREFIXES = {"rdf": RDF, "dcterms": DCTERMS, "slreq": SLREQ, "slterms": SLTERMS, "sky": SKY}
BASE = "http://mp.stratuslab.eu/"
XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
ALPHABET = re.compile(r"[A-Za-z0-9_-]{27}")
NUMBER = re.compile(r"[0-9]{1,18}")
ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
STAMP = "%Y-%m-%dT%H:%M:%SZ"
VALID_DAYS = 178  # as stratus-build-metadata has it


def identifier_of(sha1: str) -> str:
    """The Marketplace's name of a content, from its SHA-1: 162 bits, the first two zero, in the alphabet of base64url."""
    return base64.urlsafe_b64encode(b"\0" + bytes.fromhex(sha1)).decode()[1:]


def sha1_of(identifier: str) -> str:
    """The reverse; leading zeros are kept.

    Raises:
        Invalid: it is no identifier.
    """
    if ALPHABET.fullmatch(identifier) is None or identifier[0] > "P":
        raise Invalid(f"'{identifier}' is no identifier of the Marketplace (27 characters of A-Z a-z 0-9 _ -, the first A to P)")
    return base64.urlsafe_b64decode("A" + identifier)[1:].hex()


def is_identifier(text: str) -> bool:
    return ALPHABET.fullmatch(text) is not None


@dataclass(frozen=True)
class Content:
    """The content of an image, uncompressed."""

    size: int
    checksums: Mapping[str, str]  # by the Marketplace's names of the algorithms

    @property
    def identifier(self) -> str:
        return identifier_of(self.checksums["SHA-1"])

    @classmethod
    def of(cls, pieces: bytes | Iterable[bytes]) -> Content:
        size, running = 0, {name: hashlib.new(algorithm, usedforsecurity=False) for name, algorithm in ALGORITHMS.items()}
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            size += len(piece)
            for each in running.values():
                each.update(piece)
        return cls(size, {name: each.hexdigest() for name, each in running.items()})


@dataclass(frozen=True)
class Metadata:
    """One entry of the Marketplace, as it was read; nothing of it is verified."""

    identifier: str
    email: str  # of the endorser
    created: str  # of the endorsement
    values: Mapping[str, str]  # elements that occur once, by prefixed name
    locations: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)
    text: bytes = b""  # the signed document
    fault: str = ""  # why it cannot be read; then nothing else is known of it

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def deprecated(self) -> str:
        """Why it must not be used any more; empty if it may. An empty element counts."""
        return (self.value("slterms:deprecated") or "no reason is given") if "slterms:deprecated" in self.values else ""

    @property
    def size(self) -> int:
        return self.number("slreq:bytes")

    def number(self, name: str) -> int:
        """A whole number that anyone may have written; 0 if it is none."""
        return int(self.value(name)) if NUMBER.fullmatch(self.value(name)) else 0

    def expired(self, now: datetime) -> bool:
        valid = self.value("dcterms:valid")
        return bool(valid) and valid <= now.strftime(STAMP)


@dataclass(frozen=True)
class Described:
    """An image that is to be published."""

    content: Content
    os: str
    os_version: str
    architecture: str
    version: str
    title: str
    description: str = "an image"
    creator: str = "sky.clusters"
    compression: str = ""
    format: str = "raw"
    disks_bus: str = "virtio"
    valid_days: int = VALID_DAYS
    tag: str = ""
    locations: tuple[str, ...] = ()
    mark: Mapping[str, str] = field(default_factory=dict)  # elements of our own
    extra: Mapping[str, str] = field(default_factory=dict)  # further elements, or others in the place of those above, by prefixed name


def document(described: Described, now: datetime | None = None) -> bytes:
    """The document without endorsement and signature, in the order that the Marketplace's schema demands.

    Args:
        now: when it is made; by default by the clock of this machine.
    """
    at = now or datetime.now(UTC)
    content = described.content
    sums = "".join(
        f'    <slreq:checksum rdf:parseType="Resource"><slreq:algorithm>{name}</slreq:algorithm><slreq:value>{value}</slreq:value></slreq:checksum>\n'
        for name, value in content.checksums.items()
    )
    known = {
        "dcterms:type": "base",
        "slterms:kind": "machine",
        "slterms:os": described.os,
        "slterms:os-version": described.os_version,
        "slterms:os-arch": described.architecture,
        "slterms:version": described.version,
        "dcterms:compression": described.compression,
        "dcterms:format": described.format,
        "dcterms:creator": described.creator,
        "dcterms:created": at.strftime(STAMP),
        "dcterms:valid": (at + timedelta(days=described.valid_days)).strftime(STAMP),
        "dcterms:title": described.title,
        "dcterms:alternative": described.tag,
        "dcterms:description": described.description,
        "slterms:hypervisor": "kvm",
        "slterms:disks-bus": described.disks_bus,
        **{f"sky:{key}": value for key, value in described.mark.items()},
        **described.extra,
    }
    lines = [
        f"    <{name}>{escape(value)}</{name}>\n"
        for name, value in known.items()
        if value or name in described.extra or name == "dcterms:compression"
    ]
    lines += [f"    <slterms:location>{escape(location)}</slterms:location>\n" for location in described.locations]
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in PREFIXES.items() if prefix != "sky" or described.mark)
    return (
        f'<rdf:RDF {spaces} xml:base="{BASE}">\n  <rdf:Description rdf:about="#{content.identifier}">\n'
        f"    <dcterms:identifier>{content.identifier}</dcterms:identifier>\n    <slreq:bytes>{content.size}</slreq:bytes>\n{sums}"
        f'    <slreq:endorsement rdf:parseType="Resource"/>\n{"".join(lines)}  </rdf:Description>\n</rdf:RDF>'
    ).encode()


def parser() -> Any:
    """What reads documents of strangers: no entities, nothing from the network, no comments, which the signature does not cover."""
    etree = lxml()
    return etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, load_dtd=False)


def lxml() -> Any:
    """The library, for who uses images of a Marketplace."""
    try:
        from lxml import etree
    except ImportError as error:
        raise Invalid(
            f"images of the Marketplace need the Python packages lxml and xmlsec on the controller ({error}): install them with pip"
        ) from None
    return etree


def split(text: bytes, what: str) -> list[bytes]:
    """The documents of an answer, each as it was signed.

    Raises:
        CloudError: it is no answer of a Marketplace.
    """
    etree = lxml()
    root = _root(text, what, etree.XMLParser(resolve_entities=False, no_network=True))
    found = [root] if root.tag == f"{{{RDF}}}RDF" else root.findall(f"{{{RDF}}}RDF")
    return [etree.tostring(each, with_tail=False) for each in found]


def _root(text: bytes, what: str, reader: Any) -> Any:
    etree = lxml()
    try:
        root = etree.fromstring(text, reader)
    except etree.XMLSyntaxError as error:
        raise CloudError(f"{what}: the answer is no whole XML ({error})") from None
    if root.getroottree().docinfo.doctype:
        raise CloudError(f"{what}: the answer has a document type")
    return root


def understood(text: bytes) -> Metadata:
    """One document of whoever sent it: one that cannot be read has nothing but a fault."""
    try:
        return read(text)
    except CloudError as error:
        return Metadata("", "", "", {}, text=text, fault=str(error))


def read(text: bytes) -> Metadata:
    """One document.

    Raises:
        CloudError: it is none.
    """
    root = _root(text, "metadata", parser())
    description = root.find(f"{{{RDF}}}Description")
    if root.tag != f"{{{RDF}}}RDF" or root.get(XML_BASE) != BASE or description is None:
        raise CloudError("the document is no description of an image")
    values: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for child in description:
        name = _prefixed(str(child.tag))
        values.setdefault(name, _text(child))
        many.setdefault(name, []).append(_text(child))
    endorser = f"{{{SLREQ}}}endorsement/{{{SLREQ}}}endorser"
    sums = {_at(each, f"{{{SLREQ}}}algorithm"): _at(each, f"{{{SLREQ}}}value").lower() for each in description.findall(f"{{{SLREQ}}}checksum")}
    identifier = values.get("dcterms:identifier", "")
    if description.get(f"{{{RDF}}}about") != f"#{identifier}":
        raise CloudError("rdf:about and dcterms:identifier differ")
    sha1_of(identifier)
    return Metadata(
        identifier=identifier,
        email=_at(description, f"{endorser}/{{{SLREQ}}}email"),
        created=_at(description, f"{{{SLREQ}}}endorsement/{{{DCTERMS}}}created"),
        values=values,
        locations=tuple(many.get("slterms:location", ())),
        ports=tuple(many.get("slterms:inbound-port", ())),
        checksums=sums,
        text=text,
    )


def _prefixed(tag: str) -> str:
    space, _brace, name = tag.removeprefix("{").rpartition("}")
    return next((f"{prefix}:{name}" for prefix, known in PREFIXES.items() if known == space), f"{{{space}}}{name}")


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _at(element: Any, path: str) -> str:
    found = element.find(path)
    return "" if found is None else _text(found)
