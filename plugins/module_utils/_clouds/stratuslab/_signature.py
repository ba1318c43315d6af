# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of the Marketplace's documents, by xmlsec (libxmlsec1).

The old documents are signed with SHA-1, and the Marketplace accepts nothing else. It is accepted here and nowhere else, and only in the one shape
that the Marketplace's tool makes: the whole document, less the signature itself. Certificates may be self-signed: who is believed is up to the
policy.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._contract import CloudError, Invalid
from ._metadata import DCTERMS, RDF, SLREQ, STAMP, lxml

DSIG = "http://www.w3.org/2000/09/xmldsig#"
C14N_COMMENTS = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DSIG}enveloped-signature"
SIGNED_WITH = (f"{DSIG}rsa-sha1", f"{DSIG}dsa-sha1")
DIGEST = f"{DSIG}sha1"
# What Java's X500Principal.getName() calls by name; all else is a number and its value in DER.
JAVA_NAMES = {"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU"}
JAVA_NAMES |= {"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID"}
ESCAPED = re.compile(r'[,=+<>#;"\\]')
# The types of values that it writes as texts: UTF8String, PrintableString, T61String, IA5String, GeneralString, BMPString
TEXTS = (0x0C, 0x13, 0x14, 0x16, 0x1B, 0x1E)


NO_EMAIL = "images cannot be signed: the certificate has no e-mail address: set email"


class BadSignature(CloudError):
    """A document that is not signed by whom it names."""

    final = True


@dataclass(frozen=True)
class Signer:
    """Whom a certificate names."""

    subject: str
    issuer: str
    email: str  # of its alternative name; empty if it has none


def _xmlsec() -> Any:
    try:
        import xmlsec
    except ImportError as error:
        raise Invalid(f"images of the Marketplace need the Python package xmlsec on the controller ({error}): install it with pip") from None
    return xmlsec


def verify(text: bytes) -> Signer:
    """Whether a document is signed, as a whole, by whom it names.

    Raises:
        BadSignature: it is not; the sentence says why.
    """
    etree, xmlsec = lxml(), _xmlsec()
    root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    signatures = list(root.iter(f"{{{DSIG}}}Signature"))
    if not signatures:
        raise BadSignature("it is not signed")
    if len(signatures) > 1 or signatures[0].getparent() is not root:
        raise BadSignature("it must have one signature, as the last part of the document")
    signature = signatures[0]
    _check_shape(signature)
    certificate = signature.findtext(f"{{{DSIG}}}KeyInfo/{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate") or ""
    try:
        der = base64.b64decode(certificate)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(der, xmlsec.constants.KeyDataFormatCertDer)
        context.verify(signature)
    except (xmlsec.Error, ValueError) as error:
        raise BadSignature(f"its signature is not valid ({' '.join(str(error).split()) or 'the document was changed'})") from None
    return _endorsed(root, _signer(der))


def _check_shape(signature: Any) -> None:
    """Anything else than the one shape could sign less than the whole document."""
    info = f"{{{DSIG}}}SignedInfo"
    references = signature.findall(f"{info}/{{{DSIG}}}Reference")
    transforms = [each.get("Algorithm") for each in signature.iterfind(f"{info}/{{{DSIG}}}Reference/{{{DSIG}}}Transforms/{{{DSIG}}}Transform")]
    if len(references) != 1 or references[0].get("URI") != "" or transforms != [ENVELOPED]:
        raise BadSignature("its signature does not cover the whole document")
    wanted = {
        f"{info}/{{{DSIG}}}CanonicalizationMethod": (C14N_COMMENTS, C14N),
        f"{info}/{{{DSIG}}}SignatureMethod": SIGNED_WITH,
        f"{info}/{{{DSIG}}}Reference/{{{DSIG}}}DigestMethod": (DIGEST,),
    }
    for path, known in wanted.items():
        found = signature.find(path)
        if found is None or found.get("Algorithm") not in known:
            raise BadSignature(
                f"its signature uses {found.get('Algorithm') if found is not None else 'no method'}, which the Marketplace does not accept"
            )


def _endorsed(root: Any, signer: Signer) -> Signer:
    """The signer is the endorser."""
    endorser = root.find(f"{{{RDF}}}Description/{{{SLREQ}}}endorsement/{{{SLREQ}}}endorser")
    named = {} if endorser is None else {key: (endorser.findtext(f"{{{SLREQ}}}{key}") or "").strip() for key in ("subject", "issuer", "email")}
    for key, value in (("subject", signer.subject), ("issuer", signer.issuer), ("email", signer.email)):
        if (value or key != "email") and named.get(key) != value:
            raise BadSignature(f"it names the {key} '{named.get(key, '')}', and the certificate of its signature '{value}'")
    return signer


def signed(text: bytes, certificate: Path, key: Path, email: str = "", password: str = "", now: datetime | None = None) -> bytes:
    """A document with a new endorsement, signed; what it had of both is dropped.

    Args:
        email: of the endorser, where the certificate has none.
        password: of the key, if it is encrypted.
        now: the date of the endorsement; by default by the clock of this machine.

    Raises:
        Invalid: certificate or key cannot be used, or nobody's e-mail address is known.
    """
    etree, xmlsec = lxml(), _xmlsec()
    root = etree.fromstring(text)
    for old in root.findall(f"{{{DSIG}}}Signature"):
        root.remove(old)
    try:
        pem = certificate.read_bytes()
        signing = xmlsec.Key.from_file(str(key), xmlsec.constants.KeyDataFormatPem, password or None)
        signing.load_cert_from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    except (OSError, xmlsec.Error) as error:
        raise Invalid(f"pem_certificate {certificate} and pem_key {key} cannot be used to sign: {error}") from None
    _endorse(root, _signer_of_pem(pem), email, now or datetime.now(UTC))
    signature = xmlsec.template.create(root, xmlsec.constants.TransformInclC14NWithComments, xmlsec.constants.TransformRsaSha1)
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha1, uri="")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = signing
    context.sign(signature)
    made: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=False)
    return made


def _endorse(root: Any, signer: Signer, email: str, now: datetime) -> None:
    etree = lxml()
    address = signer.email or email
    if not address:
        raise Invalid(NO_EMAIL)
    (first, *others) = root.findall(f"{{{RDF}}}Description/{{{SLREQ}}}endorsement")
    for other in others:
        other.getparent().remove(other)
    for child in list(first):
        first.remove(child)
    first.text = None
    etree.SubElement(first, f"{{{DCTERMS}}}created").text = now.strftime(STAMP)
    endorser = etree.SubElement(first, f"{{{SLREQ}}}endorser", {f"{{{RDF}}}parseType": "Resource"})
    for name, value in (("email", address), ("subject", signer.subject), ("issuer", signer.issuer)):
        etree.SubElement(endorser, f"{{{SLREQ}}}{name}").text = value


def _signer(der: bytes) -> Signer:
    from cryptography import x509

    try:
        return _names(x509.load_der_x509_certificate(der))
    except (ValueError, TypeError, IndexError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:  # a stranger's may be anything
        raise BadSignature(f"the certificate of its signature cannot be read ({error})") from None


def _signer_of_pem(pem: bytes) -> Signer:
    from cryptography import x509

    try:
        return _names(x509.load_pem_x509_certificate(pem))
    except ValueError as error:
        raise Invalid(f"pem_certificate cannot be read: {error}") from None


def signer_of(certificate: Path) -> Signer:
    """Whom a certificate file names.

    Raises:
        Invalid: it cannot be read.
    """
    try:
        return _signer_of_pem(certificate.read_bytes())
    except OSError as error:
        raise Invalid(f"pem_certificate: {error}") from None


def _names(certificate: Any) -> Signer:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        emails = names.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        emails = []
    return Signer(java_name(certificate.subject), java_name(certificate.issuer), str(emails[0]) if emails else "")


def java_name(name: Any) -> str:
    """A certificate's name as Java's X500Principal writes it: RFC 2253, most specific first."""
    return ",".join("+".join(_java_part(each) for each in part) for part in reversed(name.rdns))


def _java_part(attribute: Any) -> str:
    oid, value = attribute.oid.dotted_string, _der(attribute)
    if oid not in JAVA_NAMES or value[0] not in TEXTS:
        return f"{JAVA_NAMES.get(oid, oid)}=#{value.hex()}"
    # it reads them all as UTF-8, and escapes more than it must
    text = ESCAPED.sub(r"\\\g<0>", _content(value).decode("utf-8", "replace")).replace("\0", "\\00")
    blanks = r"^[ \r]+|[ \r]+\Z"
    return f"{JAVA_NAMES[oid]}={re.sub(blanks, lambda found: re.sub('.', _escaped, found[0], flags=re.DOTALL), text)}"


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _der(attribute: Any) -> bytes:
    """An attribute's value as the certificate has it: with its type and its length."""
    from cryptography import x509

    pair = _content(_content(_content(x509.Name([attribute]).public_bytes())))  # the name, its one part, and what this consists of
    return pair[2 + pair[1] :]  # after its identifier


def _content(der: bytes) -> bytes:
    """What follows a type and a length."""
    return der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) :]
