# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host keys that cloud-init prints on a node's console."""

from __future__ import annotations

import base64
import binascii
import re

BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
KEY = re.compile(r"\b((?:ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) [A-Za-z0-9+/]+=*)")


def read(console: str, longest: int) -> str:
    """The key to trust, "type base64": Ed25519 before others; empty where the console shows none (yet).

    Args:
        longest: characters that the cloud can store of a key; longer keys are ignored.
    """
    blocks = re.findall(re.escape(BEGIN) + r"(.*?)" + re.escape(END), console, re.DOTALL)
    keys = [key for key in KEY.findall(blocks[-1]) if len(key) <= longest and _is_whole(key)] if blocks else []
    return min(keys, key=lambda key: not key.startswith("ssh-ed25519"), default="")


def _is_whole(key: str) -> bool:
    """Whether a key is one: a message of the kernel may have come between its letters. Its fields, each after its length, must end where it ends."""
    kind, text = key.split()
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    fields, place = [], 0
    while place + 4 <= len(blob):
        end = place + 4 + int.from_bytes(blob[place : place + 4], "big")
        fields.append(blob[place + 4 : end])
        place = end
    return place == len(blob) and len(fields) > 1 and fields[0] == kind.encode()
