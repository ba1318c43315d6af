# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of clouds.yaml that a cloud is opened by: which one, what it lacks, and who logs in with it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._contract import Invalid

FALLBACK = "defaults"  # what the SDK calls its only entry if it has found none
PASSWORD_TYPES = ("password", "v2password", "v3password")
LACKING = re.compile(r"missing \d+ required positional arguments?: (.+)$")
STRANGE = re.compile(r"unexpected keyword argument '(\w+)'$")


@dataclass(frozen=True)
class Entry:
    """An entry, by its name and file; without a name the environment variables that stand for one."""

    name: str
    file: str

    def __str__(self) -> str:
        return f"the entry '{self.name}' of {self.file}" if self.name else "the environment (OS_*)"

    def lacks(self, options: Iterable[str]) -> Invalid:
        """What to raise if options of the login are missing."""
        named = [option if self.name else " or ".join(f"OS_{word.upper()}" for word in option.split(" or ")) for option in options]
        return Invalid(f"{self} lacks {' and '.join(named)}{' (under auth)' if self.name else ''}")


def chosen(config: Any, wanted: str) -> Entry:
    """The entry that the SDK takes.

    Args:
        config: the SDK's, of all entries.
        wanted: the entry that the cluster file names; if it names none, the environment or a single entry decides.

    Raises:
        Invalid: there is no such entry, or several and none is chosen.
    """
    names = [name for name in config.get_cloud_names() if name != FALLBACK or config.default_cloud != FALLBACK]
    name = wanted or config.default_cloud or ""
    if name in names:
        return Entry("" if name == config.envvar_key else name, config.config_filename or "clouds.yaml")
    missing = f"there is no entry '{name}'" if name and name != FALLBACK else "no entry is chosen by 'cloud' or OS_CLOUD, and OS_AUTH_URL is not set"
    entries = ", ".join(sorted(str(each) for each in names if each != config.envvar_key)) or "none"
    raise Invalid(f"{missing}; {f'{config.config_filename} has: {entries}' if config.config_filename else _no_file()}")


def check(entry: Entry, auth: Mapping[str, Any], kind: str) -> None:
    """Find what the SDK would find while it logs in only, or not at all.

    Args:
        auth: the options of the login, as the SDK has read them.
        kind: of the login, ``auth_type``.

    Raises:
        Invalid: an option is missing, or is no address.
    """
    if kind in PASSWORD_TYPES and (missing := list(_without_password(auth))):
        raise entry.lacks(missing)
    address = str(auth.get("auth_url") or "")
    if address and not _is_address(address):
        raise Invalid(f"{entry}: auth_url must be an address such as https://keystone.example.org:5000/v3, got {bare(address)!r}")


def unusable(entry: Entry, error: Exception) -> Invalid:
    """What an error means that the SDK raises while it builds a login from an entry of the wrong shape."""
    if found := LACKING.search(str(error)):
        return entry.lacks(re.findall(r"'(\w+)'", found[1]))
    if found := STRANGE.search(str(error)):
        return Invalid(f"{entry}: its auth_type does not take {found[1]}")
    return Invalid(f"{entry} cannot be used ({error})")


def login(auth: Mapping[str, Any]) -> str:
    """Who logs in, and where, without the secret."""
    known = {key: str(value) for key, value in auth.items() if isinstance(value, (str, int))}

    def first(*keys: str) -> str:
        return next((known[key] for key in keys if known.get(key)), "")

    credential, user = first("application_credential_name", "application_credential_id"), first("username", "user_id")
    project = first("project_name", "project_id", "tenant_name", "tenant_id")
    who = f"application credential '{credential}'" if credential else f"user '{user}'" if user else "the login"
    return f"{who}{f' of project {project!r}' if project else ''} at {bare(first('auth_url'))}"


def bare(address: str) -> str:
    """An address without the password and the query that it may contain."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "(not an address)"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _without_password(auth: Mapping[str, Any]) -> Iterator[str]:
    if not auth.get("username") and not auth.get("user_id"):
        yield "username or user_id"
    if not auth.get("password"):
        yield "password"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _no_file() -> str:
    from openstack.config.loader import CONFIG_FILES

    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    folders = dict.fromkeys(str(Path(file).parent) for file in CONFIG_FILES)
    return f"there is no clouds.yaml in {', '.join(folders)}{f', and no file {named} (OS_CLIENT_CONFIG_FILE)' if named else ''}"
