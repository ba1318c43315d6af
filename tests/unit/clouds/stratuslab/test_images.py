# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: identifiers, signatures made by the real tool and forged ones, the policy, and what a refusal says."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    CloudError,
    Denied,
    Image,
    ImageSpec,
    Invalid,
    Node,
    Unavailable,
    image_mark,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _metadata, _signature
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._options import Policy
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._signature import BadSignature
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import absent, as_result, having, unknown
from ansible_collections.sky.clusters.tests.clouds.stratuslab.certificates import Authority
from ansible_collections.sky.clusters.tests.clouds.stratuslab.marketplace import Entry, read, validate
from ansible_collections.sky.clusters.tests.clouds.stratuslab.pdisk import PdiskError
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


LONG, SHORT = "78" * 300, "78" * 130
NAMES: dict[str, Sequence[tuple[x509.ObjectIdentifier, str, _ASN1Type | None]]] = {  # by what Java 17 prints of them
    "CN=Jane,UID=jane,DC=org,O=O,STREET=St 1,L=L,ST=S,C=EU": [
        (NameOID.COUNTRY_NAME, "EU", None), (NameOID.STATE_OR_PROVINCE_NAME, "S", None), (NameOID.LOCALITY_NAME, "L", None),
        (NameOID.STREET_ADDRESS, "St 1", None), (NameOID.ORGANIZATION_NAME, "O", None), (NameOID.DOMAIN_COMPONENT, "org", None),
        (NameOID.USER_ID, "jane", None), (NameOID.COMMON_NAME, "Jane", None),
    ],
    "2.5.4.42=#0c084ac3a972c3b46d65,2.5.4.12=#0c024472,2.5.4.5=#1303313233,1.2.840.113549.1.9.1=#16076140622e6f7267": [
        (NameOID.EMAIL_ADDRESS, "a@b.org", None), (NameOID.SERIAL_NUMBER, "123", None), (NameOID.TITLE, "Dr", None),
        (NameOID.GIVEN_NAME, "Jérôme", None),
    ],
    f"2.5.4.12=#0c82012c{LONG}": [(NameOID.TITLE, "x" * 300, None)],
    f"2.5.4.12=#0c8182{SHORT}": [(NameOID.TITLE, "x" * 130, None)],
    r"OU=Jé 中,O=\#x,CN=\ a\=b\#c\, \"d\"\;\<e\>\+\\\ ": [
        (NameOID.COMMON_NAME, ' a=b#c, "d";<e>+\\ ', None), (NameOID.ORGANIZATION_NAME, "#x", None),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Jé 中", None),
    ],
    r"CN=\00B\00m": [(NameOID.COMMON_NAME, "Bm", _ASN1Type.BMPString)],
    "CN=#1c08000000550000006e": [(NameOID.COMMON_NAME, "Un", _ASN1Type.UniversalString)],
    "CN=#12023132": [(NameOID.COMMON_NAME, "12", _ASN1Type.NumericString)],
    r"CN=\ \ ": [(NameOID.COMMON_NAME, "  ", _ASN1Type.UTF8String)],
    "CN=\n\n c": [(NameOID.COMMON_NAME, "\n\n c", _ASN1Type.UTF8String)],
}  # fmt: skip


@pytest.mark.parametrize("printed", [pytest.param(name, id=f"{number}") for number, name in enumerate(NAMES)])
def test_names_in_certificates_are_written_as_java_writes_them(printed: str) -> None:
    name = x509.Name([x509.NameAttribute(oid, value, kind) for oid, value, kind in NAMES[printed]])
    assert _signature.java_name(name) == printed


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
    with pytest.raises(Invalid, match="the certificate has no e-mail address: set email"):
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


@pytest.mark.parametrize("kind", ["endorsers", "checksums"])
def test_the_policy_ignores_the_case_of_letters_but_not_in_identifiers(site: Site, opened: Opened, kind: str) -> None:
    content = f"written in other letters: {kind}".encode()
    identifier = published(site, content)
    value = {"endorsers": EMAIL.title(), "checksums": hashlib.sha1(content).hexdigest().upper()}[kind]
    with pytest.raises(Denied, match=rf"policy\.deny_{kind} names"):
        opened(policy=Policy(**{f"deny_{kind}": (value,)})).marketplace.trusted(identifier)
    allowed = Policy(**{f"allow_{kind}": (value,)}, deny_images=(identifier.swapcase(),))
    assert opened(policy=allowed).marketplace.trusted(identifier).identifier == identifier


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


FOUND = {  # by what is wanted
    "nothing": ({}, True, []),
    "os and architecture": ({"os": "debian", "architecture": "x86_64"}, True, []),
    "in other letters": ({"os": "Debian", "format": "RAW"}, True, []),
    "another architecture": ({"os": "debian", "architecture": "aarch64"}, False, []),
    "a misspelt key": (
        {"os": "debian", "architekture": "x86_64"},
        False,
        ["properties: no image has 'architekture'; did you mean 'architecture'?"],
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_images_are_found_by_what_they_are(site: Site, opened: Opened, name: str) -> None:
    wanted, listed, warnings = FOUND[name]
    identifier = site.publish(b"to be found").identifier
    images = [as_result("lal", image) for image in opened().images()]
    assert (identifier in {image["name"] for image in having(images, wanted)}) is listed
    assert unknown(images, wanted) == warnings


def test_an_entry_of_somebody_else_with_our_mark_is_not_ours(site: Site, opened: Opened) -> None:
    """Whatever it says of the image that was added: none of it is believed, and it takes no name."""
    cloud = opened()
    eve = site.authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve/x@example.org")
    mark = {"mark": image_mark(cloud.owner), "checksum": "shake_128:00", "size": "many"}
    entry = site.publish(b"of eve", signer=eve, mark=mark, known={"dcterms:alternative": "gold"})
    (found,) = [image for image in cloud.images() if image.id.startswith(entry.identifier)]
    assert (found.name, found.ours, found.size) == (entry.identifier, False, len(b"of eve"))
    assert found.checksum == f"sha256:{hashlib.sha256(b'of eve').hexdigest()}"
    with pytest.raises(Invalid, match="is not ours: it is left alone"):
        cloud.delete_image(found)
    assert _added(cloud, "gold", b"of jane").ours
    assert opened(image="gold").shortages([spec(cloud, image="gold")], []) == []


def test_an_added_image_that_has_expired_stops_growth_and_nothing_else(site: Site, opened: Opened) -> None:
    made = _added(opened(), "aged", b"aged")
    wanted = spec(opened(), image="aged")
    (before,) = opened().definitions([wanted])
    assert (before.unknown, before.parts["id of the image"]) == ((), _identifier(made))
    _expire(site, made)
    assert opened().definitions([wanted]) == [before]
    reason = f"image 'aged' ({_identifier(made)}) must not be used: as {EMAIL} describes it: it was valid until 2014-06-01T00:00:00Z"
    assert opened().shortages([wanted], []) == [reason]
    (event,) = opened().create([wanted])
    assert (event.final, event.detail) == (True, reason)
    assert [(image.id, image.status, image.ours) for image in opened().images() if image.name == "aged"] == [(made.id, "expired", True)]
    _added(opened(), "aged", b"aged")
    assert opened().shortages([wanted], []) == []


def test_an_added_image_that_has_expired_is_deleted_with_its_disk(site: Site, opened: Opened) -> None:
    made = _added(opened(), "old", b"too old")
    _expire(site, made)
    with pytest.raises(Invalid, match="this content is image old already: use that name, or delete that image first"):
        _added(opened(), "young", b"too old")
    assert absent(opened(), "old", check=False).changed
    assert ([image for image in opened().images() if image.name == "old"], _disks(site, "old")) == ([], [])


def test_a_name_is_that_of_the_image_which_was_added_last(opened: Opened) -> None:
    """The old one is withdrawn later than the new one is published."""
    wanted = spec(opened(), image="twice")
    for content in (b"first", b"second"):
        made = _added(opened(), "twice", content)
        assert opened().definitions([wanted])[0].parts["id of the image"] == _identifier(made)
    opened().delete_image(made)
    assert opened().definitions([wanted])[0].parts["id of the image"] == _identifier(made)
    assert "it is deprecated (deleted by its owner)" in opened().shortages([wanted], [])[0]


def test_an_image_whose_disk_cannot_be_deleted_is_listed_until_it_can(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    made = _added(cloud, "stuck", b"stuck")
    for status, error in ((503, Unavailable), (409, CloudError)):
        with monkeypatch.context() as patch, pytest.raises(error, match=rf"^pdisk DELETE /disks/\S+: no \({status}\)$"):
            patch.setattr(site.pdisk, "_delete", _refusing(status))
            cloud.delete_image(made)
        assert made in cloud.images()
        assert opened().shortages([spec(cloud, image="stuck")], []) == []
    cloud.delete_image(made)
    assert (made in cloud.images(), _disks(site, "stuck")) == (False, [])


def test_the_disk_of_an_image_that_is_withdrawn_already_is_deleted(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    made = _added(cloud, "withdrawn", b"withdrawn")
    with monkeypatch.context() as patch:
        patch.setattr(cloud.pdisk, "delete", lambda _uuid: None)
        cloud.delete_image(made)
    assert (made in cloud.images(), len(_disks(site, "withdrawn"))) == (False, 1)
    cloud.delete_image(made)
    assert _disks(site, "withdrawn") == []


def test_an_old_image_whose_disk_could_not_be_deleted_goes_at_the_next_time(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    _added(cloud, "new", b"old content")
    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(site.pdisk, "_delete", _refusing(503))
        _added(cloud, "new", b"new content")
    assert len([image for image in cloud.images() if image.name == "new"]) == 2
    made = _added(cloud, "new", b"new content")
    assert [image for image in cloud.images() if image.name == "new"] == [made]
    assert len(_disks(site, "new")) == 1


def test_an_image_whose_disk_is_gone_is_incomplete_and_added_again(site: Site, opened: Opened) -> None:
    cloud = opened()
    old = _added(cloud, "gone", b"gone")
    cloud.pdisk.delete(_disks(site, "gone")[0])
    assert [(image.id, image.status) for image in cloud.images() if image.name == "gone"] == [(old.id, "incomplete")]
    made = _added(cloud, "gone", b"gone")
    assert [(image, image.status) for image in cloud.images() if image.name == "gone"] == [(made, "active")]
    assert len(_disks(site, "gone")) == 1


def test_a_content_has_one_name(site: Site, opened: Opened) -> None:
    cloud = opened()
    made = _added(cloud, "first", b"of one name")
    with pytest.raises(Invalid, match=r"^image second: this content is image first already: use that name, or delete that image first$"):
        _added(cloud, "second", b"of one name")
    assert (made in cloud.images(), len(_disks(site, "first")), _disks(site, "second")) == (True, 1, [])
    cloud.delete_image(made)
    assert _added(cloud, "second", b"of one name").name == "second"


def test_a_content_has_one_name_whoever_of_one_certificate_added_it(opened: Opened) -> None:
    _added(opened(user="bob"), "theirs", b"of two owners")
    with pytest.raises(Invalid, match=r"^image mine: this content is image theirs already"):
        _added(opened(), "mine", b"of two owners")


def test_a_certificate_without_an_address_is_refused_before_anything_is_uploaded(site: Site, opened: Opened, tmp_path: Path) -> None:
    nobody = site.authority.issue("nobody", "CN=Nobody,O=Nowhere,C=EU")
    file = site.user_file(tmp_path / "nobody.cfg", pem_certificate=str(nobody.certificate), pem_key=str(nobody.key))
    cloud = opened(user_file=str(file))
    for act in (lambda: _added(cloud, "unsigned", b"unsigned"), cloud._images._check_signer):
        with pytest.raises(Invalid, match=r"^images cannot be signed: the certificate has no e-mail address: set email$"):
            act()
    assert site.pdisk.disks == {}
    cloud = opened(user_file=str(file), email="nobody@example.org")
    made = _added(cloud, "signed", b"unsigned")
    assert (made.ours, made.properties["endorser"]) == (True, "nobody@example.org")
    assert cloud.shortages([spec(cloud, image="signed")], []) == []
    cloud.delete_image(made)
    assert (_disks(site, "signed"), [image for image in cloud.images() if image.name == "signed"]) == ([], [])


def test_an_image_that_the_marketplace_refuses_leaves_no_disk(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    with monkeypatch.context() as patch, pytest.raises(Denied, match=r"read-only repository \(403\)$"):
        patch.setattr(site.marketplace, "read_only", True)
        _added(cloud, "refused", b"refused")
    assert site.pdisk.disks == {}
    assert _added(cloud, "refused", b"refused").ours


def test_a_disk_of_an_image_whose_publication_was_not_answered_is_kept(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(cloud.marketplace, "publish", _silent)
        _added(cloud, "unanswered", b"unanswered")
    assert len(_disks(site, "unanswered")) == 1
    assert _added(cloud, "unanswered", b"unanswered").ours
    assert len(_disks(site, "unanswered")) == 1


def _silent(_text: bytes) -> str:
    raise Unavailable("no answer")


@pytest.mark.parametrize("visibility", ["", "private", "public"])
def test_who_may_start_an_added_image(opened: Opened, visibility: str) -> None:
    given = {"visibility": visibility} if visibility else {}
    made = _added(opened(), f"shown{visibility}", f"shown {visibility}".encode(), **given)
    bob = opened(user="bob", image=_identifier(made))
    list(bob.create([spec(bob)]))
    if visibility == "public":
        assert _settled(bob).state.value == "running"
    else:
        assert f"image {_identifier(made)} is private" in _settled(bob).fault


def test_an_added_image_is_described_as_its_properties_say(site: Site, opened: Opened) -> None:
    given = {
        "os": "debian", "os_version": "12", "architecture": "x86_64", "version": "1.2", "title": "Spark & more", "description": "two\nlines",
        "disks_bus": "ide", "valid_days": "30", "visibility": "public",
    }  # fmt: skip
    made = _added(opened(), "described", b"described", **given)
    known = {"os": "debian", "os_version": "12", "version": "1.2", "title": "Spark & more"}
    assert made.properties.items() >= known.items()
    (entry,) = [entry for entry in site.marketplace.entries if entry.identifier == _identifier(made)]
    assert (entry.values["dcterms:description"], entry.values["slterms:disks-bus"]) == ("two\nlines", "ide")
    days = datetime.fromisoformat(entry.values["dcterms:valid"]) - datetime.fromisoformat(entry.values["dcterms:created"])
    assert days == timedelta(days=30)


WRONG = {
    "a misspelt key": ({"os_verson": "12"}, "", "properties.os_verson: unknown key; did you mean 'os_version'?"),
    "a bus": ({"disks_bus": "sata"}, "", "properties.disks_bus: unknown bus 'sata'; known: ide, scsi, virtio"),
    "days": ({"valid_days": "0"}, "", "properties.valid_days: must be 1 or more, got 0"),
    "no days": ({"valid_days": "many"}, "", "properties.valid_days: must be a whole number, 1 or more, got 'many'"),
    "whom": ({"visibility": "all"}, "", "properties.visibility: unknown visibility 'all'; known: private, public"),
    "a title": ({"title": "a\nb"}, "", r"properties.title: must be a text of one line, got 'a\nb'"),
    "a format": ({}, "vmdk", "image wrong: unknown format 'vmdk'; known: qcow2, raw, tar"),
    "another format": ({}, "qcow2", "image wrong: the file is not qcow2: the format qcow2 is wrong"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_said_of_an_image_is_refused_before_anything_is_uploaded(site: Site, opened: Opened, name: str) -> None:
    given, format_, reason = WRONG[name]
    with pytest.raises(Invalid) as error:
        _added(opened(), "wrong", b"wrong", format_, **given)
    assert str(error.value) == reason
    assert site.pdisk.disks == {}


QCOW = b"QFI\xfb" + b"\0" * 100
FORMATS = {"raw": (b"plain", ""), "qcow2": (QCOW, ""), "given": (b"plain too", "raw"), "qcow2, compressed": (gzip.compress(QCOW + b"1"), "")}


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_detected(site: Site, opened: Opened, name: str) -> None:
    content, format_ = FORMATS[name]
    made = _added(opened(), "formatted", content, format_)
    (entry,) = [entry for entry in site.marketplace.entries if entry.identifier == _identifier(made)]
    assert made.format == entry.values["dcterms:format"] == name.partition(",")[0].replace("given", "raw")


def test_an_archive_is_raw_to_the_marketplace_and_an_archive_to_who_reads_it(site: Site, opened: Opened) -> None:
    made = _added(opened(), "archive", b"an archive", "tar")
    (entry,) = [entry for entry in site.marketplace.entries if entry.identifier == _identifier(made)]
    assert (made.format, entry.values["dcterms:format"]) == ("tar", "raw")
    assert opened().shortages([spec(opened(), image="archive")], []) == ["image 'archive' is an archive: no machine starts from it"]


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "another base": (lambda text: text.replace('http://mp.stratuslab.eu/"', 'http://elsewhere.example.org/"'), "no description of an image"),
    "another identifier": (lambda text: re.sub('rdf:about="#.', 'rdf:about="#Z', text), "rdf:about and dcterms:identifier differ"),
    "no identifier": (lambda text: text.replace(re.findall('about="#(.{27})"', text)[0], "short"), "'short' is no identifier of the Marketplace"),
    "no description": (lambda text: re.sub("<rdf:Description.*</rdf:Description>", "", text, flags=re.DOTALL), "no description of an image"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_entry_that_cannot_be_read_matters_to_its_own_image_only(site: Site, opened: Opened, name: str) -> None:
    change, reason = BROKEN[name]
    good, entry = site.publish(b"good beside it"), site.publish(f"broken: {name}".encode())
    site.marketplace.entries.remove(entry)
    broken = dataclasses.replace(entry, text=change(entry.text))
    site.marketplace.entries.append(broken)
    try:
        assert good.identifier in {image.name for image in opened().images()}
        cloud = opened(image=good.identifier)
        assert (cloud.shortages([spec(cloud)], []), cloud.definitions([spec(cloud)])[0].unknown) == ([], ())
        cloud = opened(image=entry.identifier)
        (sentence,) = cloud.shortages([spec(cloud)], [])
        assert sentence.startswith(f"image '{entry.identifier}' must not be used: as nobody describes it: it cannot be read (")
        assert reason in sentence
        (unknown_,) = cloud.definitions([spec(cloud)])[0].unknown
        assert unknown_.startswith(f"unknown image '{entry.identifier}': ")
        eve = site.authority.issue("eve", "CN=Eve,O=Nowhere,C=EU", "eve@example.org")
        site.publish(f"broken: {name}".encode(), signer=eve)
        cloud = opened(image=entry.identifier)
        assert (cloud.shortages([spec(cloud)], []), cloud.definitions([spec(cloud)])[0].unknown) == ([], ())
    finally:
        site.marketplace.entries.remove(broken)


def test_a_description_of_the_future_is_not_waited_for(site: Site, opened: Opened) -> None:
    """Somebody's clock was wrong, by a day."""
    cloud = opened()
    made = _added(cloud, "future", b"of the future")
    (entry,) = [each for each in site.marketplace.entries if each.identifier == _identifier(made)]
    site.marketplace.entries.remove(entry)
    described = _metadata.Described(
        _metadata.Content.of(b"of the future"), "", "", "", "", "", tag="future", mark={"mark": image_mark(cloud.owner)},
        locations=(entry.values["slterms:location"],),
    )  # fmt: skip
    text = _metadata.document(described)
    late = _signature.signed(text, site.jane.certificate, site.jane.key, now=datetime.now(UTC) + timedelta(days=1))
    site.marketplace.publish(late)
    date = _metadata.read(late).created
    reason = f"image future: {EMAIL} has described this content with the date {date}, which is in the future by the clock of {site.base}: "
    with pytest.raises(Invalid, match=reason):
        absent(opened(), "future", check=False)
    cloud.pdisk.delete(_disks(site, "future")[0])
    with pytest.raises(CloudError, match=reason):
        _added(cloud, "future", b"of the future")


@pytest.mark.parametrize("days", [1, -1])
def test_images_are_judged_and_signed_by_the_clock_of_the_services(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """That of this machine is a day off."""
    monkeypatch.setattr(site.services, "ahead", days * 86400.0)
    until = (datetime.now(UTC) + timedelta(days=days, hours=1)).strftime(_metadata.STAMP)
    short = site.publish(f"valid for an hour {days}".encode(), known={"dcterms:valid": until})
    cloud = opened(image=short.identifier)
    assert cloud.shortages([spec(cloud)], []) == []
    for content in (b"one", b"two"):
        made = _added(opened(), "skewed", content + str(days).encode())
        signed = datetime.fromisoformat(made.id.rpartition("/")[2])
        assert abs(signed - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=1)
    assert absent(opened(), "skewed", check=False).changed


def _refusing(status: int) -> Callable[..., None]:
    def delete(*_args: object) -> None:
        raise PdiskError(status, "no")

    return delete


def _disks(site: Site, name: str) -> list[str]:
    return [disk.uuid for disk in site.pdisk.disks.values() if disk.tag.endswith(f" {name}")]


def _identifier(image: Image) -> str:
    return image.id.partition("/")[0]


def _expire(site: Site, image: Image) -> None:
    (entry,) = [each for each in site.marketplace.entries if f"{each.identifier}/{each.email}/{each.created}" == image.id]
    old = read(entry.text.replace(f">{entry.values['dcterms:valid']}<", ">2014-06-01T00:00:00Z<").encode())
    site.marketplace.entries[site.marketplace.entries.index(entry)] = old


@pytest.mark.parametrize("size", ["²", "-1", "1.5", pytest.param("9" * 5000, id="too long")])
def test_a_size_that_is_no_number_is_unknown(size: str) -> None:
    assert _metadata.read(SIGNED.replace(b">3000000<", f">{size}<".encode())).size == 0


def _added(cloud: StratusLabCloud, name: str, content: bytes, format_: str = "", **properties: str) -> Image:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return cloud.add_image(ImageSpec(name, f"sha256:{hashlib.sha256(content).hexdigest()}", format_, properties=properties), file)


def test_an_unknown_image_is_named(opened: Opened) -> None:
    cloud = opened(image="no-such-image")
    assert cloud.shortages([spec(cloud)], [])[0].startswith("unknown image 'no-such-image'")
    cloud = opened(image="A" * 27)
    assert cloud.shortages([spec(cloud)], [])[0].startswith(f"unknown image '{'A' * 27}': https://")


def test_a_content_that_is_not_as_described_fails_on_the_node_in_the_servers_words(site: Site, opened: Opened) -> None:
    entry = site.publish(b"as it is described", served=b"as it is not!!!!!!!")
    cloud = opened(image=entry.identifier)
    list(cloud.create([spec(cloud)]))
    node = _settled(cloud)
    assert "does not match" in node.fault


def _settled(cloud: StratusLabCloud) -> Node:
    """The only node, once it runs or has failed."""
    end = time.monotonic() + 10
    while True:
        (node,) = cloud.listing().nodes
        if node.state.value in ("failed", "running"):
            return node
        assert time.monotonic() < end, node
        time.sleep(0.05)
