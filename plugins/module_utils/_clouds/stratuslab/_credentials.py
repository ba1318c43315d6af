# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials and addresses: options of the cluster file, then the environment, then the user file of the StratusLab client, then its defaults."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from .._contract import Denied, Invalid
from . import _addresses
from ._addresses import ONED, Endpoint
from ._options import METHODS, InstanceType, StratusLabOptions

USER_FILE = "~/.stratuslab/stratuslab-user.cfg"
MARKETPLACE = "https://marketplace.stratuslab.eu"
CERTIFICATE, KEY, P12 = "~/.globus/usercert.pem", "~/.globus/userkey.pem", "~/.globus/usercert.p12"
SMALL = "m1.small"
YES = ("true", "yes", "on", "1")
TYPES_SECTION = "instance_types"
ENDPOINTS = ("endpoint", "pdisk_endpoint", "marketplace_endpoint")
FROM_OPTIONS = (*ENDPOINTS, "pat_service_host", "pat_gateway_host")
VARIABLES = {
    key: f"STRATUSLAB_{key.upper()}"
    for key in (
        *ENDPOINTS, "username", "password", "pem_certificate", "pem_key", "p12_certificate", "p12_password", "pdisk_username", "pdisk_password",
    )
}  # fmt: skip
BUILT_IN = {
    "t1.micro": InstanceType(1, 512, 512),
    "m1.small": InstanceType(1, 1536, 1536),
    "m1.medium": InstanceType(1, 3072, 3072),
    "m1.large": InstanceType(2, 6144, 6144),
    "m1.xlarge": InstanceType(4, 8192, 8192),
    "c1.medium": InstanceType(2, 1536, 1536),
    "c1.xlarge": InstanceType(4, 6144, 6144),
}


@dataclass(frozen=True)
class Login:
    """How a service is logged in to: by password, or by certificate."""

    username: str = ""
    password: str = ""
    certificate: str = ""
    key: str = ""
    p12: str = ""  # a file with both, instead
    p12_password: str = ""
    email: str = ""  # that images are signed with, if the certificate has none

    @property
    def kind(self) -> str:
        return "pswd" if self.username else "cert"

    @property
    def by_certificate(self) -> bool:
        return bool(self.certificate or self.p12)

    @property
    def session(self) -> str:
        """The first parameter of every call, which the proxy replaces."""
        return f"{self.username}:{self.password}" if self.username else "dummy:pass"


@dataclass(frozen=True)
class Gateway:
    """Port translation of a site."""

    service: str  # host that lists the ports
    host: str  # that has them


@dataclass(frozen=True)
class Access:
    """All that is needed to use a site."""

    machines: str  # address of the XML-RPC service
    disks: str
    marketplace: str
    login: Login
    disk_login: Login
    types: Mapping[str, InstanceType]
    default_type: str
    context_method: str
    ports: Gateway | None  # where nodes of the local network are reached from outside
    signer: Login  # with the certificate that signs images, also of who logs in by password

    @property
    def direct(self) -> bool:
        """Whether oned itself is called, without a proxy."""
        return self.machines == ONED

    @property
    def place(self) -> str:
        return urlsplit(self.machines).netloc.lower()


def access(options: StratusLabOptions, variables: Mapping[str, str] | None = None) -> Access:
    """What options, environment and user file say together.

    Args:
        variables: the environment; by default that of the process.

    Raises:
        Invalid: the file, a section, an instance type or an address is missing or wrong.
        Denied: there are no credentials.
    """
    environment = os.environ if variables is None else variables
    file = Path(options.user_file or USER_FILE).expanduser()
    sections = _sections(file, required=bool(options.user_file))
    found = _selected(sections, options.section or environment.get("STRATUSLAB_USER_CONFIG_SECTION", ""), file)
    places = dict.fromkeys(found, f"user file {file}")
    for key, variable in VARIABLES.items():
        if environment.get(variable):
            found[key], places[key] = environment[variable], variable
    for key in FROM_OPTIONS:
        if getattr(options, key):
            found[key], places[key] = getattr(options, key), "the cluster file"
    addresses = {key: Endpoint(key, found[key], places[key]) for key in FROM_OPTIONS if found.get(key)}
    endpoint = addresses.get("endpoint")
    if endpoint is None:
        raise Invalid(f"no endpoint: set endpoint in the cluster file or in {file}, or STRATUSLAB_ENDPOINT")
    login = _login(found, file)
    translated = options.port_translation or found.get("port_translation", "").lower() in YES
    special = {key.removeprefix("pdisk_"): value for key, value in found.items() if key in ("pdisk_username", "pdisk_password") and value}
    disk_login = Login(**special) if "username" in special else login
    marketplace = addresses.get("marketplace_endpoint")
    return Access(
        machines=_addresses.machines(endpoint, login.kind),
        disks=_addresses.disks(addresses.get("pdisk_endpoint"), endpoint, disk_login.kind),
        marketplace=_addresses.plain(marketplace) if marketplace else MARKETPLACE,
        login=login,
        disk_login=disk_login,
        types=BUILT_IN | _types(sections, file) | dict(options.instance_types),
        default_type=found.get("default_instance_type") or SMALL,
        context_method=options.context_method or _context_method(found, file),
        ports=_gateway(addresses, endpoint.parts.hostname or "") if translated else None,
        signer=replace(_signer(found), email=options.email),
    )


def _sections(file: Path, required: bool) -> Mapping[str, Mapping[str, str]]:
    if not file.exists():
        if required:
            raise Invalid(f"user_file: {file} does not exist")
        return {}
    # values are not expanded, no section lends its values to others, and a comment may follow a value, as for the parser of the old client
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", inline_comment_prefixes=(";",))
    try:
        parser.read_string(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise Invalid(f"user file {file} cannot be read: {' '.join(str(error).split())}") from error
    found = {name: dict(parser[name]) for name in parser.sections()}
    if "default" not in found:
        raise Invalid(f"user file {file} has no section [default]")
    return found


def _selected(sections: Mapping[str, Mapping[str, str]], wanted: str, file: Path) -> dict[str, str]:
    default = dict(sections.get("default", {}))
    name = wanted or default.get("selected_section", "")
    if name and name not in sections:
        raise Invalid(f"section: user file {file} has no section [{name}]; it has {', '.join(sorted(sections)) or 'none'}")
    return default | dict(sections[name]) if name else default


def _login(found: Mapping[str, str], file: Path) -> Login:
    """User name and password win over a certificate."""
    if found.get("username") and found.get("password"):
        return Login(found["username"], found["password"])
    login = _signer(found)
    paths = [path for path in (login.certificate, login.key, login.p12) if path]
    for path in paths:
        if not Path(path).exists():
            raise Denied(f"missing credentials: {path} does not exist")
    if not paths:
        raise Denied(f"missing credentials: set username and password, or pem_certificate and pem_key, in {file} or as STRATUSLAB_USERNAME and so on")
    return login


def _signer(found: Mapping[str, str]) -> Login:
    """The certificate, if there is one: as PEM, or else as PKCS #12. A proxy certificate is in one file with its key."""
    given, certificate = found.get("pem_certificate", ""), Path(CERTIFICATE).expanduser()
    if given or (certificate.exists() and not found.get("p12_certificate")):
        return Login(certificate=str(Path(given or CERTIFICATE).expanduser()), key=str(Path(found.get("pem_key") or given or KEY).expanduser()))
    p12 = Path(found.get("p12_certificate") or P12).expanduser()
    if found.get("p12_certificate") or (found.get("p12_password") and p12.exists()):
        return Login(p12=str(p12), p12_password=found.get("p12_password", ""))
    return Login()


def _gateway(addresses: Mapping[str, Endpoint], host: str) -> Gateway:
    service, gateway = (addresses.get(key) for key in ("pat_service_host", "pat_gateway_host"))
    return Gateway(service.host() if service else host, gateway.parts.hostname or "" if gateway else host)


def _context_method(found: Mapping[str, str], file: Path) -> str:
    method = found.get("default_context_method") or METHODS[0]
    if method not in METHODS:
        raise Invalid(f"default_context_method in {file}: must be {' or '.join(METHODS)}, got '{method}'")
    return method


def _types(sections: Mapping[str, Mapping[str, str]], file: Path) -> dict[str, InstanceType]:
    """Those of the user file. The old client drops a wrong entry without a word; here it is an error."""
    found = {}
    for name, text in sections.get(TYPES_SECTION, {}).items():
        numbers = [int(digits) for digits in re.findall(r"\d+", text)]
        if len(numbers) != 3 or not numbers[0] or not numbers[1]:
            raise Invalid(f"instance type {name} in {file}: must be cpu, ram, swap (three numbers, the first two more than 0), got '{text}'")
        found[name] = InstanceType(*numbers)
    return found
