# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Marketplace: images found, verified, judged by the site's policy, and published."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from urllib.parse import quote

from .._contract import Denied, Invalid
from . import _metadata, _signature
from ._errors import Missing
from ._http import Answer, Http, checked
from ._metadata import Metadata
from ._options import Policy

MACHINES = {"x86_64": ("x86_64", "amd64"), "i686": ("i386", "i486", "i586", "i686")}
XML = {"Accept": "application/xml"}


class Untrusted(Denied):
    """An image that must not be used."""


class Marketplace:
    """One Marketplace, as this cloud trusts it."""

    def __init__(self, address: str, ca_file: str, timeout: float, policy: Policy, verify: bool) -> None:
        self.http = Http(address, None, ca_file, timeout)
        self._policy = policy
        self._verify = verify
        self._known: dict[str, list[Metadata]] = {}
        self._looking = threading.Lock()

    def url(self, identifier: str) -> str:
        """What a machine starts from."""
        return f"{self.http.base}/metadata/{identifier}"

    def trusted(self, identifier: str) -> Metadata:
        """The entry of an image that may be used.

        Raises:
            Invalid: there is none of this identifier.
            Untrusted: none of its entries may be used; the sentence says why.
        """
        judged = [(entry, self.objection(entry)) for entry in self._looked_up(identifier)]
        good = [entry for entry, reason in judged if not reason]
        if good:
            return max(good, key=lambda entry: entry.created)
        reasons = "; ".join(f"as {entry.email or 'nobody'} describes it: {reason}" for entry, reason in judged)
        raise Untrusted(f"image '{identifier}' must not be used: {reasons}")

    def latest(self, identifier: str) -> Metadata:
        """The latest entry of an image, whether or not it may be used now: nodes that exist were created when it might.

        Raises:
            Invalid: there is none of this identifier.
        """
        return max(self._looked_up(identifier), key=lambda entry: entry.created)

    def _looked_up(self, identifier: str) -> list[Metadata]:
        """All entries of an image, asked for once."""
        _metadata.sha1_of(identifier)
        with self._looking:
            if identifier not in self._known:
                self._known[identifier] = self.entries(identifier)
            found = self._known[identifier]
        if not found:
            raise Invalid(f"unknown image '{identifier}': {self.http.base} has no entry for it")
        return found

    def entries(self, identifier: str) -> list[Metadata]:
        """The latest entry of each endorser of an image, whatever its state.

        The Marketplace itself leaves out those that have expired or were withdrawn, and then cannot say why there is none.
        """
        return [entry for entry in self._listed(f"/metadata/{identifier}?status=all") if entry.identifier == identifier]

    def _listed(self, path: str) -> list[Metadata]:
        call = f"GET {self.http.base}{path}"
        answer = self.http.ask("GET", path, headers=XML, call=call)
        if answer.status == 404:
            return []
        body = checked(answer, call, words).body
        found = [_metadata.read(text) for text in _metadata.split(body, call)]
        latest: dict[tuple[str, str], Metadata] = {}
        for entry in sorted(found, key=lambda each: each.created):
            latest[entry.identifier, entry.email] = entry
        return list(latest.values())

    def all(self, email: str = "") -> list[Metadata]:
        """All entries that are valid now, or those of one endorser."""
        return self._listed(f"/metadata/{quote(email, safe='@')}" if email else "/metadata")

    def objection(self, known: Metadata) -> str:
        """Why an entry must not be used; empty if it may."""
        if known.deprecated:
            return f"it is deprecated ({known.deprecated})"
        if known.expired(datetime.now(UTC)):
            return f"it was valid until {known.value('dcterms:valid')}"
        if known.checksums.get("SHA-1", "") != _metadata.sha1_of(known.identifier):
            return "its SHA-1 checksum is not that of its identifier"
        if self._verify:
            try:
                _signature.verify(known.text)
            except _signature.BadSignature as error:
                return str(error)
        return self._of_policy(known)

    def _of_policy(self, entry: Metadata) -> str:
        policy = self._policy
        sums = entry.checksums.get("SHA-1", "")
        lists = (
            ("endorser", entry.email, policy.allow_endorsers, policy.deny_endorsers),
            ("checksum", sums, policy.allow_checksums, policy.deny_checksums),
            ("image", entry.identifier, policy.allow_images, policy.deny_images),
        )
        for what, value, allowed, denied in lists:
            if allowed and value not in allowed:
                return f"policy.allow_{what}s does not name {what} {value}"
            if value in denied:
                return f"policy.deny_{what}s names {what} {value}"
        return ""

    def publish(self, text: bytes) -> str:
        """Send a signed document; its address, or empty where its endorser must confirm it by mail first."""
        call = f"POST {self.http.base}/metadata"
        answer = checked(self.http.ask("POST", "/metadata", text, {"Content-Type": "application/rdf+xml"}, call), call, words)
        return answer.headers.get("location", "") if answer.status == 201 else ""

    def tagged(self, email: str, tag: str) -> list[Metadata]:
        return [entry for entry in self.all(email) if entry.value("dcterms:alternative") == tag]


def fits(entry: Metadata, machine: str) -> str:
    """Why an image does not run on machines of an architecture; empty if it does."""
    found = entry.value("slterms:os-arch")
    if not machine or not found or found in MACHINES.get(machine, (machine,)):
        return ""
    return f"image '{entry.identifier}' is for {found}, and the nodes are {machine}"


def words(answer: Answer) -> str:
    """The service's own words."""
    text = answer.body.decode("utf-8", "replace")
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())[:300]


def first_location(entry: Metadata) -> str:
    """Where the content is.

    Raises:
        Missing: nowhere.
    """
    if not entry.locations:
        raise Missing(f"image '{entry.identifier}' has no location")
    return entry.locations[0]
