# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: identifiers, signatures made by the real tool and forged ones, the policy, and what a refusal says."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Invalid, Node
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _metadata, _signature
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._options import Policy
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._signature import BadSignature
from ansible_collections.sky.clusters.tests.clouds.stratuslab.certificates import Authority
from ansible_collections.sky.clusters.tests.clouds.stratuslab.marketplace import Entry, read, validate
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import EMAIL, JANE, Site
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import RECORDS, spec

SIGNED = (RECORDS / "signed_by_real_tool.xml").read_bytes()
REAL = "GygG1_V4OyfIx5PIRBuXdNBfuDZ"
Opened = Callable[..., StratusLabCloud]


def test_the_identifier_of_a_known_checksum() -> None:
    assert _metadata.identifier_of("c319bbd5afc0a22ba3eaed0507c39383ec28eeff") == "MMZu9WvwKIro-rtBQfDk4PsKO7_"
    assert _metadata.sha1_of(REAL) == "6ca01b5fd5e0ec9f231e4f21106e5dd3417ee0d9"


@given(st.binary(min_size=20, max_size=20))
def test_identifiers_are_read_back(sha1: bytes) -> None:
    identifier = _metadata.identifier_of(sha1.hex())
    assert (len(identifier), identifier[0] <= "P", _metadata.sha1_of(identifier)) == (27, True, sha1.hex())


@pytest.mark.parametrize("text", ["", "short", "Z" * 27, f"{REAL}x", "GygG1_V4OyfIx5PIRBuXdNBfuD!"])
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no identifier of the Marketplace"):
        _metadata.sha1_of(text)


def test_a_document_of_the_real_tool_is_read() -> None:
    found = _metadata.read(SIGNED)
    assert (found.identifier, found.email, found.created, found.size) == (REAL, "jane.tester@example.org", "2026-11-20T09:45:08Z", 3000000)
    assert found.locations == ("http://127.0.0.1:8090/keep.img.gz",)
    assert found.checksums["SHA-1"] == _metadata.sha1_of(REAL)
    assert (found.value("slterms:os"), found.value("slterms:disks-bus"), found.deprecated) == ("ttylinux", "virtio", "")


def test_a_signature_of_the_real_tool_is_valid() -> None:
    signer = _signature.verify(SIGNED)
    assert signer == _signature.Signer("CN=Jane Tester,OU=Testing Department,O=StratusLab Project,C=EU", signer.subject, "jane.tester@example.org")
    assert validate(SIGNED).identifier == REAL  # to the test server, too


def test_a_document_that_is_signed_here_is_of_the_same_shape(tmp_path: Path) -> None:
    jane = Authority(tmp_path).issue("jane", JANE, EMAIL)
    made = _signature.signed((RECORDS / "unsigned_by_real_tool.xml").read_bytes(), jane.certificate, jane.key)
    assert _signature.verify(made).subject == JANE
    assert validate(made).email == EMAIL

    def shape(text: bytes) -> list[str]:
        signature = text[text.index(b"<Signature") :].decode()
        return [re.sub(r"#13;|\s", "", tag) for tag in re.findall(r"<[^>]+>", signature)]

    assert shape(made) == shape(SIGNED)


CHANGES = {
    "another location": (b"http://127.0.0.1:8090/keep.img.gz", b"http://192.0.2.1/other.img.gz", "signature is not valid"),
    "another endorser": (b">jane.tester@example.org<", b">eve@example.org<", "signature is not valid"),
    "another signature": (b"JOkN1+7b", b"JOkN1+7c", "signature is not valid"),
    "a part that is not signed": (b'URI=""', b'URI="#x"', "does not cover the whole document"),
    "another method": (b"xmldsig#rsa-sha1", b"xmldsig-more#rsa-sha256", "which the Marketplace does not accept"),
    "a comment in a value": (b"<slterms:os>ttylinux", b"<slterms:os>tty<!-- -->linux", ""),  # which the digest leaves out, and so do we
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_forged_document_is_refused(name: str) -> None:
    old, new, reason = CHANGES[name]
    assert SIGNED.count(old) >= 1
    forged = SIGNED.replace(old, new)
    if not reason:
        assert _signature.verify(forged).email == "jane.tester@example.org"
        assert _metadata.read(forged).value("slterms:os") == "ttylinux"
        return
    with pytest.raises(BadSignature, match=reason):
        _signature.verify(forged)


def test_a_document_without_a_signature_is_refused() -> None:
    with pytest.raises(BadSignature, match="it is not signed"):
        _signature.verify((RECORDS / "unsigned_by_real_tool.xml").read_bytes())


def test_a_document_that_is_wrapped_in_another_is_refused() -> None:
    body = SIGNED.split(b"?>", 1)[1]
    wrapped = body.replace(b"<rdf:Description", b"<rdf:Description><x/></rdf:Description><rdf:Description", 1)
    with pytest.raises(BadSignature):
        _signature.verify(wrapped)
    outer = body.replace(b"</rdf:RDF>", b"") + body[body.index(b"<Signature") :]
    with pytest.raises(BadSignature, match="one signature"):
        _signature.verify(outer)


def test_a_document_of_somebody_who_names_another_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    eve = authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve@example.org")
    text = _signature.signed((RECORDS / "unsigned_by_real_tool.xml").read_bytes(), eve.certificate, eve.key)
    with pytest.raises(BadSignature, match=r"names the email|signature is not valid"):
        _signature.verify(text.replace(b"eve@example.org", b"jane.tester@example.org"))


def test_a_certificate_without_an_address_signs_only_with_one_given(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("nobody", "CN=Nobody,O=Nowhere,C=EU")
    text = (RECORDS / "unsigned_by_real_tool.xml").read_bytes()
    with pytest.raises(Invalid, match="the certificate has no e-mail address"):
        _signature.signed(text, pair.certificate, pair.key)
    assert _metadata.read(_signature.signed(text, pair.certificate, pair.key, "nobody@example.org")).email == "nobody@example.org"


def published(site: Site, content: bytes, **known: str) -> str:
    return site.publish(content, known=known).identifier


REFUSED = {
    "deprecated": ({"slterms:deprecated": "has a hole"}, r"it is deprecated \(has a hole\)"),
    "expired": ({"dcterms:valid": "2014-06-01T00:00:00Z"}, "it was valid until 2014-06-01T00:00:00Z"),
    "of another architecture": ({"slterms:os-arch": "sparc"}, "is for sparc, and the nodes are x86_64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_image_that_must_not_be_used_is_refused_before_a_node_starts(site: Site, opened: Opened, name: str) -> None:
    known, reason = REFUSED[name]
    identifier = published(site, name.encode(), **known)
    cloud = opened(image=identifier)
    (sentence,) = cloud.shortages([spec(cloud)], [])
    assert re.search(reason, sentence), sentence
    (event,) = cloud.create([spec(cloud)]) if name != "of another architecture" else [None]
    assert event is None or (event.final and re.search(reason, event.detail))
    assert cloud.leftovers() == []


@pytest.mark.parametrize("kind", ["endorsers", "images", "checksums"])
def test_the_policy_refuses_with_the_reason(site: Site, opened: Opened, kind: str) -> None:
    content = f"judged by its {kind}".encode()
    identifier = published(site, content)
    value = {"endorsers": EMAIL, "images": identifier, "checksums": hashlib.sha1(content).hexdigest()}[kind]
    for policy, reason in (
        (Policy(**{f"deny_{kind}": (value,)}), rf"policy\.deny_{kind} names {kind[:-1]} {re.escape(value)}"),
        (Policy(**{f"allow_{kind}": ("another",)}), rf"policy\.allow_{kind} does not name {kind[:-1]} {re.escape(value)}"),
        (Policy(**{f"allow_{kind}": (value,)}), ""),
    ):
        cloud = opened(image=identifier, policy=policy)
        found = cloud.shortages([spec(cloud)], [])
        assert (found == []) if not reason else (len(found) == 1 and re.search(reason, found[0])), found


def test_one_good_entry_is_enough(site: Site, opened: Opened) -> None:
    content = b"described by two people"
    identifier = published(site, content, **{"slterms:deprecated": "no"})
    eve = site.authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve@example.org")
    site.publish(content, signer=eve)
    assert opened().marketplace.trusted(identifier).email == "eve@example.org"
    with pytest.raises(Denied, match=r"deny_endorsers names endorser eve.*deprecated|deprecated.*deny_endorsers"):
        opened(policy=Policy(deny_endorsers=("eve@example.org",))).marketplace.trusted(identifier)


def test_a_forged_entry_is_refused_unless_nothing_is_verified(site: Site, opened: Opened) -> None:
    entry = site.publish(b"to be forged")
    text = entry.text.replace("a test image", "a worse image")
    site.marketplace.entries.remove(entry)
    site.marketplace.entries.append(Entry(text, entry.identifier, entry.email, entry.created, read(text.encode()).values))
    cloud = opened(image=entry.identifier)
    (sentence,) = cloud.shortages([spec(cloud)], [])
    assert "its signature is not valid" in sentence
    assert opened(image=entry.identifier, verify_images=False).shortages([spec(cloud)], []) == []


def test_images_are_listed_with_what_they_are_and_only_those_that_may_be_used(site: Site, opened: Opened) -> None:
    good = site.publish(b"listed", known={"slterms:os": "debian"})
    bad = site.publish(b"not listed", known={"dcterms:valid": "2014-06-01T00:00:00Z"})
    listed = {image.name: image for image in opened().images()}
    assert bad.identifier not in listed
    found = listed[good.identifier]
    assert (found.ours, found.status, found.architecture, found.size) == (False, "active", "x86_64", len(b"listed"))
    assert found.checksum == f"sha256:{hashlib.sha256(b'listed').hexdigest()}"
    assert found.properties.items() >= {"os": "debian", "os_version": "12", "title": "a test image", "endorser": EMAIL}.items()
    assert good.identifier not in {image.name for image in opened(policy=Policy(deny_endorsers=(EMAIL,))).images()}


def test_an_unknown_image_is_named(opened: Opened) -> None:
    cloud = opened(image="no-such-image")
    assert cloud.shortages([spec(cloud)], [])[0].startswith("unknown image 'no-such-image'")
    cloud = opened(image="A" * 27)
    assert cloud.shortages([spec(cloud)], [])[0].startswith(f"unknown image '{'A' * 27}': https://")


def test_a_content_that_is_not_as_described_fails_on_the_node_in_the_servers_words(site: Site, opened: Opened) -> None:
    entry = site.publish(b"as it is described", served=b"as it is not!!!!!!!")
    cloud = opened(image=entry.identifier)
    list(cloud.create([spec(cloud)]))
    node = _failed(cloud)
    assert "does not match" in node.fault


def _failed(cloud: StratusLabCloud) -> Node:
    end = time.monotonic() + 10
    while True:
        (node,) = cloud.listing().nodes
        if node.state.value == "failed":
            return node
        assert time.monotonic() < end, node
        time.sleep(0.05)
