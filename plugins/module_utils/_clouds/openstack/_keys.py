# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key pair of a cluster, for images that read no user data. It belongs to one user of the cloud, like all key pairs."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote

from . import _marks
from ._api import COMPUTE, Api
from ._errors import Conflict


class KeyPairs:
    """The key pairs of one cluster and owner."""

    def __init__(self, api: Api, cluster: str, owner: str) -> None:
        self._api = api
        self._name = _marks.owned_name(cluster, owner)

    def ensure(self, keys: Sequence[str]) -> str:
        """The name of the one that holds the first of these public keys, made if it is not there; empty where there is no key."""
        name = self.name(keys)
        if name and name not in self.all():
            kind, material = keys[0].split()[:2]
            with contextlib.suppress(Conflict):  # another run was quicker
                self._api.post(COMPUTE, "/os-keypairs", {"keypair": {"name": name, "public_key": f"{kind} {material}"}})
        return name

    def name(self, keys: Sequence[str]) -> str:
        """The name of the one that :meth:`ensure` gives, whether or not it is there."""
        kind, material = keys[0].split()[:2] if keys else ("", "")
        if not keys or kind.startswith("sk-"):  # Nova takes none of these; user data does
            return ""
        return f"{self._name}-{hashlib.sha256(material.encode()).hexdigest()[:12]}"

    def all(self) -> list[str]:
        """Their names."""
        pattern = rf"{re.escape(self._name)}-[0-9a-f]{{12}}"
        names = (str(item["keypair"]["name"]) for item in self._api.all(COMPUTE, "/os-keypairs", "keypairs"))
        return sorted(name for name in names if re.fullmatch(pattern, name))

    def delete(self) -> None:
        for name in self.all():
            self._api.delete(COMPUTE, f"/os-keypairs/{quote(name)}")
