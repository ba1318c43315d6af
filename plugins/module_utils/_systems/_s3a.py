# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The object store of Spark's jobs: what its variables may be. It is no system, since it runs elsewhere and no role of the file asks for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ._checks import sha256
from ._system import Check

PLAIN = (
    "over plain http the gateway of Ceph 16 refuses every empty object (XAmzContentSHA256Mismatch), without which no job can write; "
    "and keys and data could be read on the way"
)


def endpoint(value: str) -> str:
    if value.startswith("http://"):
        return f"must begin with https://, got {value}: {PLAIN}"
    return "" if not value or re.match(r"https://[^/\s]+", value) else f"must be an address such as https://rgw.example.org:7443, got {value!r}"


def bucket(value: str) -> str:
    """By S3's own rules for names."""
    if not value or re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value):
        return ""
    return f"must be the name of a bucket (3 to 63 lower-case letters, digits, dots and inner dashes), got {value!r}"


CHECKS: Mapping[str, Check] = {"s3a_endpoint": endpoint, "s3a_bucket": bucket, "s3a_sha256": sha256}
FILES = ("s3a_ca_file",)
NEEDS: Mapping[str, tuple[str, ...]] = {"s3a_endpoint": ("s3a_access_key", "s3a_secret_key"), "s3a_archive": ("s3a_sha256",)}
