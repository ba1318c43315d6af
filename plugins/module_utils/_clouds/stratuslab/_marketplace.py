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
from ._http import Answer, Http, Terms, checked
from ._metadata import Metadata
from ._options import Policy

MACHINES = {"x86_64": ("x86_64", "amd64"), "i686": ("i386", "i486", "i586", "i686")}
XML = {"Accept": "application/xml"}


class Untrusted(Denied):
    """An image that must not be used."""


class Marketplace:
    """One Marketplace, as this cloud trusts it."""

    def __init__(self, address: str, terms: Terms, policy: Policy, verify: bool) -> None:
        self.http = Http(address, None, terms)
        self._policy = policy
        self._verify = verify
        self._known: dict[str, list[Metadata]] = {}
        self._looking = threading.Lock()

    def now(self) -> datetime:
        """The time, by the service's clock once it has answered: this machine's may be wrong."""
        seconds = self.http.clock.now()
        return datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def url(self, identifier: str) -> str:
        """What a machine starts from."""
        return f"{self.http.base}/metadata/{identifier}"

    def trusted(self, identifier: str, name: str = "") -> Metadata:
        """The entry of an image that may be used.

        Args:
            name: that the image was added under, for people.

        Raises:
            Invalid: there is none of this identifier.
            Untrusted: none of its entries may be used; the sentence says why.
        """
        judged = [(entry, self.objection(entry)) for entry in self._looked_up(identifier)]
        good = [entry for entry, reason in judged if not reason]
        if good:
            return max(good, key=lambda entry: entry.created)
        reasons = "; ".join(f"as {entry.email or 'nobody'} describes it: {reason}" for entry, reason in judged)
        raise Untrusted(f"image '{name or identifier}'{f' ({identifier})' if name else ''} must not be used: {reasons}")

    def latest(self, identifier: str) -> Metadata:
        """The latest entry of an image, whether or not it may be used now: nodes that exist were created when it might.

        Raises:
            Invalid: there is none of this identifier.
        """
        found = self._looked_up(identifier)
        readable = [entry for entry in found if not entry.fault]
        if not readable:
            raise Invalid(f"unknown image '{identifier}': {self.http.base} has no entry for it that can be read ({found[0].fault})")
        return max(readable, key=lambda entry: entry.created)

    def _looked_up(self, identifier: str) -> list[Metadata]:
        """All entries of an image, asked for once; those that cannot be read among them."""
        _metadata.sha1_of(identifier)
        with self._looking:
            if identifier not in self._known:
                self._known[identifier] = self._entries(identifier)
            found = self._known[identifier]
        if not found:
            raise Invalid(f"unknown image '{identifier}': {self.http.base} has no entry for it")
        return found

    def entries(self, identifier: str) -> list[Metadata]:
        """The latest entry of each endorser of an image, whatever its state.

        The Marketplace itself leaves out those that have expired or were withdrawn, and then cannot say why there is none.
        """
        return [entry for entry in self._entries(identifier) if not entry.fault]

    def _entries(self, identifier: str) -> list[Metadata]:
        return [entry for entry in self._asked(f"/metadata/{identifier}?status=all") if entry.fault or entry.identifier == identifier]

    def _listed(self, path: str) -> list[Metadata]:
        """Those that can be read: what a stranger published does not matter to other images."""
        return [entry for entry in self._asked(path) if not entry.fault]

    def _asked(self, path: str) -> list[Metadata]:
        """The latest entry of each endorser of each image, and all that cannot be read."""
        call = f"GET {self.http.base}{path}"
        answer = self.http.ask("GET", path, headers=XML, call=call)
        if answer.status == 404:
            return []
        body = checked(answer, call, words).body
        found = [_metadata.understood(text) for text in _metadata.split(body, call)]
        latest = {(entry.identifier, entry.email): entry for entry in sorted(found, key=lambda each: each.created) if not entry.fault}
        return [*latest.values(), *(entry for entry in found if entry.fault)]

    def all(self) -> list[Metadata]:
        """All entries that are valid now."""
        return self._listed("/metadata")

    def of(self, email: str) -> list[Metadata]:
        """The latest entry of each image of an endorser, whatever its state."""
        return [entry for entry in self._listed(f"/metadata/{quote(email, safe='@')}?status=all") if entry.email == email]

    def objection(self, known: Metadata) -> str:
        """Why an entry must not be used; empty if it may."""
        if known.fault:
            return f"it cannot be read ({known.fault})"
        if known.deprecated:
            return f"it is deprecated ({known.deprecated})"
        if known.expired(self.now()):
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
            ("endorser", entry.email, policy.allow_endorsers, policy.deny_endorsers, str.lower),
            ("checksum", sums, policy.allow_checksums, policy.deny_checksums, str.lower),
            ("image", entry.identifier, policy.allow_images, policy.deny_images, str),  # letter case matters in identifiers
        )
        for what, value, allowed, denied, form in lists:
            if allowed and form(value) not in map(form, allowed):
                return f"policy.allow_{what}s does not name {what} {value}"
            if form(value) in map(form, denied):
                return f"policy.deny_{what}s names {what} {value}"
        return ""

    def publish(self, text: bytes) -> str:
        """Send a signed document; its address, or empty where its endorser must confirm it by mail first."""
        call = f"POST {self.http.base}/metadata"
        answer = checked(self.http.ask("POST", "/metadata", text, {"Content-Type": "application/rdf+xml"}, call), call, words)
        return answer.headers.get("location", "") if answer.status == 201 else ""


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
