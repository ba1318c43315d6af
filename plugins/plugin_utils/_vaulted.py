# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decrypt the values of a cluster file that are encrypted with ansible-vault (``!vault``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import Faults, step
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError

TYPES = ("EncryptedString", "AnsibleVaultEncryptedUnicode")  # since core 2.19, before; no module has both names without a warning


def decrypted(content: Any) -> Any:
    """The same content with every value decrypted, by the vault secrets of the run.

    Raises:
        ClusterFileError: values that these secrets do not decrypt, each with its place.
    """
    faults = Faults()
    found = _decrypted(content, "", faults)
    if faults.found:
        raise ClusterFileError(faults.found)
    return found


def _decrypted(value: Any, path: str, faults: Faults) -> Any:
    if type(value).__name__ in TYPES:
        return _opened(value, path, faults)
    if isinstance(value, Mapping):
        return {key: _decrypted(item, step(path, key), faults) for key, item in value.items()}
    if isinstance(value, list):
        return [_decrypted(item, f"{path}[{place}]", faults) for place, item in enumerate(value)]
    return value


def _opened(value: Any, path: str, faults: Faults) -> str:
    try:
        return str(value)
    except (AnsibleError, ReferenceError) as error:  # the second in programs that set no secrets
        why = " ".join(str(error).split("\n", maxsplit=1)[0].split()).rstrip(".")
        faults.add(path, f"cannot be decrypted with the vault secrets of this run ({why})")
    return ""
