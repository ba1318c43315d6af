# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's certificate and its key, as files that TLS and the signing of images can read."""

from __future__ import annotations

import functools
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .._contract import Denied, Invalid
from ._credentials import Login
from ._signature import signer_of


@dataclass(frozen=True)
class Files:
    """A certificate and its key."""

    certificate: Path
    key: Path
    password: str = ""  # of the key; empty if it is not encrypted
    source: str = ""  # the file of PKCS #12 that both are from

    @property
    def shown(self) -> str:
        """What the user has set."""
        return f"p12_certificate {self.source}" if self.source else f"pem_certificate {self.certificate} and pem_key {self.key}"

    def check(self) -> None:
        """
        Raises:
            Denied: it cannot be read, or needs a passphrase that is not known: a library would ask for it on the terminal, and wait.
        """
        try:
            encrypted = b"ENCRYPTED" in self.key.read_bytes()
        except OSError as error:
            raise Denied(f"pem_key cannot be read: {error}") from None
        if encrypted and not self.password:
            raise Denied(f"pem_key {self.key} is encrypted, and a run cannot ask for its passphrase: use a proxy certificate, or p12_certificate")


def files(login: Login) -> Files:
    """The files of a login by certificate.

    Raises:
        Denied: they cannot be read.
    """
    if login.p12:
        found = _converted(login.p12, login.p12_password)
        if not found.key.exists():  # a process that was forked has ended, and has cleaned up
            _folder().cleanup()
            _folder.cache_clear()
            _converted.cache_clear()
            found = _converted(login.p12, login.p12_password)
        return found
    return Files(Path(login.certificate), Path(login.key))


def endorser(login: Login) -> str:
    """The e-mail address that a login signs with; empty if it has none.

    Raises:
        CloudError: its certificate cannot be read.
    """
    return (signer_of(files(login).certificate).email or login.email) if login.by_certificate else ""


@functools.cache
def _converted(file: str, password: str) -> Files:
    """PEM files of a PKCS #12 file, which end with this process. The key is encrypted, so what a killed process leaves is of no use."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import pkcs12
    except ImportError as error:
        raise Invalid(f"p12_certificate needs the Python package cryptography on the controller ({error}): install it with pip") from None
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(Path(file).read_bytes(), password.encode() or None)
    except (OSError, ValueError) as error:
        raise Denied(f"p12_certificate {file} cannot be read with p12_password: {error}") from None
    if key is None or certificate is None:
        raise Denied(f"p12_certificate {file} has no key with a certificate")
    folder, secret = Path(_folder().name), secrets.token_hex(32)
    found = Files(folder / f"{secrets.token_hex(8)}.pem", folder / f"{secrets.token_hex(8)}.key", secret, file)
    found.certificate.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (certificate, *chain)))
    encryption = serialization.BestAvailableEncryption(secret.encode())
    found.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return found


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sky-", ignore_cleanup_errors=True)  # for this user alone; removed when the process ends
