# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of a test site: its authority, its server, its users."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

OIDS = {"CN": NameOID.COMMON_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "O": NameOID.ORGANIZATION_NAME, "C": NameOID.COUNTRY_NAME}


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def _name(text: str) -> x509.Name:
    """From the form of RFC 2253, most specific first."""
    parts = [part.partition("=") for part in reversed(text.split(","))]
    return x509.Name([x509.NameAttribute(OIDS[key], value) for key, _sign, value in parts])


class Authority:
    """Signs certificates; its own is in a file."""

    def __init__(self, folder: Path, name: str = "CN=sky.clusters test CA,O=StratusLab test site,C=EU") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = _name(name)
        certificate = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None), "")
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, subject: str, email: str = "", hosts: tuple[str, ...] = ()) -> Pair:
        key = rsa.generate_private_key(65537, 2048)
        certificate = self._signed(_name(subject), key, x509.BasicConstraints(ca=False, path_length=None), email, hosts)
        pair = Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain))
        pair.key.chmod(0o600)
        return pair

    def _signed(
        self, subject: x509.Name, key: rsa.RSAPrivateKey, constraints: x509.BasicConstraints, email: str, hosts: tuple[str, ...] = ()
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names: list[x509.GeneralName] = [x509.RFC822Name(email)] if email else []
        names += [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
        made = (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(self._name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=365))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )  # fmt: skip
        if constraints.ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # noqa: FBT003
            made = made.add_extension(usage, critical=True)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self._key, hashes.SHA256())


def server_context(pair: Pair, users: Path) -> ssl.SSLContext:
    """TLS of the front: certificates of users are asked for, not required.

    Args:
        users: certificates of who may sign theirs.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(users)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
